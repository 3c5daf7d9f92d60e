import {
  type CloudFormationClient,
  CloudFormationServiceException,
  DescribeStacksCommand,
  paginateListStackInstances,
  StackSetNotFoundException,
} from '@aws-sdk/client-cloudformation';
import {
  DescribeEventBusCommand,
  type EventBridgeClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-eventbridge';
import * as z from 'zod/mini';
import { type Deployment, namesOf } from '../../infra/deployment.ts';
import { type Check, together, type Verdict } from './check.ts';
import { once } from './once.ts';

export type Stack = { status: string; drift: string };
export type StackInstance = { account: string; region: string; status: string; reason: string };

const SHOWN_INSTANCES = 10;
const NOT_DEPLOYED = 'Not deployed yet.';

/** The stacks that may be there already, and the bus. `isDeployed` says whether the hub stack is. */
export function stackChecks(
  {
    cloudFormation,
    eventBridge,
  }: { cloudFormation: (region: string) => CloudFormationClient; eventBridge: EventBridgeClient },
  deployment: Deployment,
): { checks: Check[]; isDeployed: () => Promise<boolean> } {
  const { organization, regions, hub } = deployment;
  const names = namesOf(deployment);
  const inHub = cloudFormation(hub.region);
  const hubStack = once(() => readStack(inHub, names.hubStack));
  const checks: Check[] = [
    {
      id: 'hub-stack',
      title: `Stack ${names.hubStack}`,
      look: async () => judgeStack(await hubStack(), names.hubStack),
    },
    {
      id: 'member-stacks',
      title: `Stacks ${names.memberStack}-<region> in the hub account`,
      async look() {
        if ((await hubStack()) === null) return { outcome: 'not-applicable', seen: NOT_DEPLOYED };
        const found = await Promise.all(
          regions.map(async (region) => {
            const name = `${names.memberStack}-${region}`;
            return judgeMemberStack(await readStack(cloudFormation(region), name), name);
          }),
        );
        return together(found, `${regions.length} stacks.`);
      },
    },
    {
      id: 'stackset-instances',
      title: `StackSet ${names.memberStack} is rolled out everywhere`,
      async look() {
        if (organization === undefined)
          return { outcome: 'not-applicable', seen: 'The deployment has no organization.' };
        const instances = await readStackInstances(inHub, names.memberStack, organization.callAs);
        if (instances === null && (await hubStack()) === null) return { outcome: 'not-applicable', seen: NOT_DEPLOYED };
        const { memberStack: stackSet, organizationStack } = names;
        return judgeStackInstances(instances, {
          ...{ regions, stackSet, organizationStack },
          callAs: organization.callAs,
        });
      },
    },
    {
      id: 'event-bus',
      title: `Event bus ${names.eventBus} takes events of every watched account`,
      async look() {
        const policy = await readBusPolicy(eventBridge, names.eventBus);
        if (policy === null && (await hubStack()) === null) return { outcome: 'not-applicable', seen: NOT_DEPLOYED };
        return judgeEventBus(policy, organization?.id ?? null, names.hubStack);
      },
    },
    {
      id: 'member-roles',
      title: `Roles ${names.readRole} and ${names.remediateRole} let the functions in`,
      look: () =>
        Promise.resolve({
          outcome: 'not-applicable',
          seen: 'Only the functions may assume them, so this cannot be seen from here. A role that lets nobody in shows as a finding "unknown", which names it.',
        }),
    },
  ];
  return { checks, isDeployed: async () => (await hubStack()) !== null };
}

export function judgeStack(stack: Stack | null, name: string): Verdict {
  if (stack === null) return { outcome: 'not-applicable', seen: `${NOT_DEPLOYED} npx cdk deploy ${name}` };
  const { status, drift } = stack;
  const seen = `${status}, drift ${drift}.`;
  if (!/^(CREATE|UPDATE|IMPORT)_COMPLETE(_CLEANUP_IN_PROGRESS)?$/.test(status)) {
    const isMoving = status.endsWith('_IN_PROGRESS');
    return {
      outcome: isMoving ? 'unchecked' : 'failed',
      seen,
      todo: isMoving
        ? 'A deployment is under way: look again when it has ended.'
        : `aws cloudformation describe-stack-events --stack-name ${name}, then: npx cdk deploy ${name}`,
    };
  }
  if (drift === 'DRIFTED') {
    return {
      outcome: 'failed',
      seen,
      todo: `Somebody changed it by hand: aws cloudformation describe-stack-resource-drifts --stack-name ${name}`,
    };
  }
  return { outcome: 'ok', seen };
}

/** A member stack in a deployment whose hub is there: without it nothing is heard from that Region. */
export function judgeMemberStack(stack: Stack | null, name: string): Verdict {
  if (stack === null) return { outcome: 'failed', seen: `${name} is not deployed.`, todo: `npx cdk deploy ${name}` };
  const verdict = judgeStack(stack, name);
  return { ...verdict, seen: `${name}: ${verdict.seen}` };
}

/** Null when there is no such StackSet. Accounts that joined and are not rolled out to yet have no instance at all. */
export function judgeStackInstances(
  instances: readonly StackInstance[] | null,
  {
    regions,
    stackSet,
    organizationStack,
    callAs,
  }: { regions: readonly string[]; stackSet: string; organizationStack: string; callAs: string },
): Verdict {
  const deploy = `npx cdk deploy ${organizationStack}`;
  if (instances === null) return { outcome: 'failed', seen: 'There is no such StackSet.', todo: deploy };
  const list = `aws cloudformation list-stack-instances --call-as ${callAs} --stack-set-name ${stackSet}`;
  const bad = instances.filter(({ status }) => status !== 'CURRENT');
  const lines = bad
    .slice(0, SHOWN_INSTANCES)
    .map(
      ({ account, region, status, reason }) => `${account} ${region}: ${status}${reason === '' ? '' : `, ${reason}`}`,
    );
  if (bad.length > SHOWN_INSTANCES) lines.push(`and ${bad.length - SHOWN_INSTANCES} more`);
  const accounts = [...new Set(instances.map(({ account }) => account))];
  const has = new Set(instances.map(({ account, region }) => `${account} ${region}`));
  const missing = regions.filter((region) => accounts.some((account) => !has.has(`${account} ${region}`)));
  if (missing.length > 0) lines.push(`Not rolled out to every account: ${missing.join(', ')}.`);
  if (instances.length === 0) lines.push('It is rolled out to no account.');
  if (lines.length === 0) {
    return { outcome: 'ok', seen: `${accounts.length} accounts in ${regions.length} Regions, all current.` };
  }
  return {
    outcome: 'failed',
    seen: lines.join('\n'),
    todo: `${list}, put right what it names, then deploy the StackSet again: ${deploy}`,
  };
}

const statement = z.object({
  Effect: z.string(),
  Action: z.union([z.string(), z.array(z.string())]),
  Condition: z.optional(z.record(z.string(), z.record(z.string(), z.union([z.string(), z.array(z.string())])))),
});
const busPolicy = z.object({ Statement: z.union([z.array(statement), statement]) });

/** `policy` is null when there is no such bus and `{ text: null }` when it has no policy. */
export function judgeEventBus(
  policy: { text: string | null } | null,
  organizationId: string | null,
  hubStack: string,
): Verdict {
  const todo = `npx cdk deploy ${hubStack}`;
  if (policy === null) return { outcome: 'failed', seen: 'There is no such bus.', todo };
  if (organizationId === null) return { outcome: 'ok', seen: 'It exists; the account needs no permission of its own.' };
  if (policy.text === null) return { outcome: 'failed', seen: 'The bus lets no other account in.', todo };
  const parsed = busPolicy.safeParse(parseJson(policy.text));
  if (!parsed.success)
    return { outcome: 'unchecked', seen: 'The policy of the bus has a form that is not known.', todo };
  const statements = [parsed.data.Statement].flat();
  const letsIn = statements.some(
    ({ Effect, Action, Condition = {} }) =>
      Effect === 'Allow' &&
      [Action].flat().some((action) => action === 'events:PutEvents' || action === 'events:*') &&
      Object.values(Condition).some((keys) => [keys['aws:PrincipalOrgID'] ?? []].flat().includes(organizationId)),
  );
  return letsIn
    ? { outcome: 'ok', seen: `Its policy lets ${organizationId} in.` }
    : { outcome: 'failed', seen: `The policy of the bus does not let ${organizationId} in.`, todo };
}

async function readStack(client: CloudFormationClient, name: string): Promise<Stack | null> {
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
    if (stack === undefined) return null;
    return { status: stack.StackStatus ?? '', drift: stack.DriftInformation?.StackDriftStatus ?? 'NOT_CHECKED' };
  } catch (error) {
    // CloudFormation has no code of its own for a stack that is not there.
    const isMissing =
      error instanceof CloudFormationServiceException &&
      error.name === 'ValidationError' &&
      error.message.includes('does not exist');
    if (isMissing) return null;
    throw error;
  }
}

async function readStackInstances(
  client: CloudFormationClient,
  name: string,
  callAs: 'SELF' | 'DELEGATED_ADMIN',
): Promise<StackInstance[] | null> {
  try {
    const found: StackInstance[] = [];
    for await (const { Summaries: page = [] } of paginateListStackInstances(
      { client },
      { StackSetName: name, CallAs: callAs },
    )) {
      for (const { Account = '', Region = '', Status = '', StatusReason = '', StackInstanceStatus } of page) {
        const detail = StackInstanceStatus?.DetailedStatus;
        const status = detail === undefined || Status === 'CURRENT' ? Status : `${Status} (${detail})`;
        found.push({ account: Account, region: Region, status, reason: StatusReason });
      }
    }
    return found;
  } catch (error) {
    if (error instanceof StackSetNotFoundException) return null;
    throw error;
  }
}

async function readBusPolicy(client: EventBridgeClient, name: string): Promise<{ text: string | null } | null> {
  try {
    return { text: (await client.send(new DescribeEventBusCommand({ Name: name }))).Policy ?? null };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
