import { CreateKeyCommand, EnableKeyRotationCommand, KMSClient } from '@aws-sdk/client-kms';
import aslValidator from 'asl-validator';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { StateMachine } from 'aws-local-stepfunctions';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import * as z from 'zod';
import { createFindingsTable } from '../../functions/adapters/findings-table.ts';
import { createPolicyStore } from '../../functions/adapters/policy-store.ts';
import { readDeployment } from '../../infra/deployment.ts';
import { KeySweep } from '../../infra/key-sweep.ts';
import type { OrganizationAccount } from '../../sandbox/aws/organizations.ts';
import { handlerModule } from '../../sandbox/functions.ts';
import { lambdaContext } from '../../sandbox/lambda/context.ts';
import { setEnvironment } from '../../sandbox/process-environment.ts';
import { sandboxPolicy } from '../../sandbox/sandbox-policy.ts';
import { ACCOUNTS, HUB_ACCOUNT, REGIONS } from '../../sandbox/world.ts';
import { type SimulatedServices, startServices } from '../support/simulated-services.ts';

const FUNCTION_ARN = `arn:aws:lambda:eu-central-1:${HUB_ACCOUNT.id}:function:kms-rotation-bot-sweep-keys`;

const app = new App();
const stack = new Stack(app, 'Hub', { env: { account: HUB_ACCOUNT.id, region: 'eu-central-1' } });
const key = new Key(stack, 'Key', { enableKeyRotation: true });
const sweep = new KeySweep(stack, 'KeySweep', {
  deployment: await readDeployment('deployment.yaml'),
  sweepKeys: LambdaFunction.fromFunctionArn(stack, 'SweepKeys', FUNCTION_ARN),
  key,
});
const template = Template.fromStack(stack);

const machines = z.record(z.string(), z.object({ Properties: z.object({ DefinitionString: z.string() }) }));
const policies = z.record(
  z.string(),
  z.object({
    Properties: z.object({
      PolicyDocument: z.object({
        Statement: z.array(z.object({ Action: z.union([z.string(), z.array(z.string())]) })),
      }),
    }),
  }),
);
const jsonValue = z.json();
/** A reference, as it stands in the template. */
const reference = (token: string): object => z.looseObject({}).parse(stack.resolve(token));
/** As far as the local runner's type names it. */
const runnable = z.custom<ConstructorParameters<typeof StateMachine>[0]>((value) => typeof value === 'object');

/** The definition as it is deployed. */
const [machine] = Object.values(machines.parse(template.findResources('AWS::StepFunctions::StateMachine')));
const definition: unknown = JSON.parse(machine?.Properties.DefinitionString ?? '');

describe('the stack', () => {
  it('sweeps once a day, within an hour after five', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0 5 * * ? *)',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 60 },
      State: 'ENABLED',
      Target: { Arn: reference(sweep.stateMachine.stateMachineArn) },
    });
  });

  it('traces each sweep and logs its course, encrypted, without what passes between the states', () => {
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      TracingConfiguration: { Enabled: true },
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
    });
    template.hasResourceProperties('AWS::Logs::LogGroup', {
      RetentionInDays: 365,
      KmsKeyId: reference(key.keyArn),
    });
  });

  it('may start one function and its own executions, and nothing else', () => {
    const actions = Object.values(policies.parse(template.findResources('AWS::IAM::Policy'))).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement.flatMap(({ Action }) => Action),
    );
    const beyondWatching = actions.filter((action) => !/^(logs|xray):/.test(action));
    expect([...new Set(beyondWatching)].sort()).toEqual([
      'lambda:InvokeFunction',
      'states:DescribeExecution',
      'states:RedriveExecution',
      'states:StartExecution',
      'states:StopExecution',
    ]);
  });

  it.each([
    ['AWS Solutions', AwsSolutionsChecks],
    ['NIST 800-53', NIST80053R5Checks],
  ])('breaks no rule of %s', (_, Checks) => {
    expect(new Checks(app).validateScope(sweep).violations).toEqual([]);
  });

  it('has a definition that Step Functions takes', () => {
    expect(aslValidator(structuredClone(definition)).errors).toEqual([]);
  });
});

describe('a sweep of an organization', () => {
  const SECOND_PAGE = 10;
  const WITHOUT_ROLE = { id: '999900001111', name: 'made-after-the-rollout' };
  const SUSPENDED = { id: '999900002222', name: 'closed', state: 'SUSPENDED' as const };
  let services: SimulatedServices;
  let restore: () => void;
  let looks: string[] = [];
  /** Keys looked at by the run of the function that is under way. */
  let looksOfRun = 0;
  const organization: { accounts: OrganizationAccount[]; pageSize: number } = { accounts: [...ACCOUNTS], pageSize: 1 };
  const keys: { off: string[]; all: string[] } = { off: [], all: [] };

  beforeAll(async () => {
    services = await startServices({
      organization,
      onKmsCall({ eventName, resources }) {
        if (eventName !== 'DescribeKey') return;
        looks.push(resources?.[0]?.ARN ?? '');
        looksOfRun += 1;
      },
    });
    restore = setEnvironment({ ...services.environment, AWS_LAMBDA_LOG_LEVEL: 'FATAL' });
    for (const { id } of ACCOUNTS) for (const region of REGIONS) await makeKeys(id, region, 2);
    // More than a page of them in one place.
    await makeKeys(HUB_ACCOUNT.id, 'us-east-1', 50 + SECOND_PAGE - 2);
    // Old enough for the sweep: the policy's grace is over.
    const policy = sandboxPolicy({ creations: 0, changes: 0 });
    await createPolicyStore({ table: services.table, now: () => new Date() }).putPolicy(policy);
  }, 60_000);
  afterAll(async () => {
    restore();
    await services.close();
  });

  /** Half of them rotate. */
  async function makeKeys(account: string, region: string, count: number): Promise<void> {
    const client = new KMSClient({
      ...{ region, endpoint: services.environment['AWS_ENDPOINT_URL'] ?? '' },
      credentials: { accessKeyId: account, secretAccessKey: 'simulated' },
    });
    for (let made = 0; made < count; made += 1) {
      const { KeyMetadata: key } = await client.send(new CreateKeyCommand({}));
      const arn = key?.Arn ?? '';
      keys.all.push(arn);
      if (made % 2 === 0) keys.off.push(arn);
      else await client.send(new EnableKeyRotationCommand({ KeyId: arn }));
    }
    client.destroy();
  }

  /** Runs the deployed definition; its tasks call the real handler, which has time for one page of keys. */
  async function run(): Promise<{ tasks: unknown[] }> {
    const { handler } = handlerModule.parse(await import('../../functions/sweep-keys/handler.ts'));
    const tasks: unknown[] = [];
    looks = [];
    let turn: Promise<unknown> = Promise.resolve();
    const invoke = (event: unknown) => {
      tasks.push(event);
      // One at a time, so that it can be said whose time is up.
      const answered = turn.then(async () => {
        looksOfRun = 0;
        const context = lambdaContext({
          ...{ functionName: 'sweep-keys', functionArn: FUNCTION_ARN, memoryLimitInMB: 512, awsRequestId: 'simulated' },
          remainingMs: () => (looksOfRun >= 50 ? 1000 : 60_000),
        });
        return jsonValue.parse(JSON.parse(JSON.stringify(await handler(event, context))));
      });
      turn = answered.catch(() => null);
      return answered;
    };
    const machine = new StateMachine(runnable.parse(structuredClone(definition)));
    await machine.run(
      {},
      {
        overrides: {
          taskResourceLocalHandlers: { ListPlaces: invoke, ScanPlace: invoke },
          retryIntervalOverrides: { ListPlaces: 1, ScanPlace: 1 },
        },
      },
    ).result;
    return { tasks };
  }

  it('looks at every key of every account and Region exactly once, however many runs a place takes', async () => {
    const { tasks } = await run();
    expect([...looks].sort()).toEqual([...keys.all].sort());
    const scans = tasks.filter((task) => JSON.stringify(task).includes('scan-place'));
    const places = ACCOUNTS.length * REGIONS.length;
    expect(scans).toHaveLength(places + 1);
    expect(scans.filter((scan) => !JSON.stringify(scan).includes('"marker":null'))).toHaveLength(1);
  }, 60_000);

  it('has opened a finding for each that does not rotate, and none for the others', async () => {
    const findings = createFindingsTable(services.table);
    const found = await Promise.all(keys.all.map(async (arn) => [arn, (await findings.load(arn)).finding] as const));
    const open = found.filter(([, finding]) => finding?.status === 'open' && finding.trigger.kind === 'sweep');
    expect(open.map(([arn]) => arn).sort()).toEqual([...keys.off].sort());
    expect(found.filter(([, finding]) => finding !== undefined)).toHaveLength(keys.off.length);
  });

  it('goes on past an account without the role, and fails in the end', async () => {
    organization.accounts.unshift(WITHOUT_ROLE, SUSPENDED);
    await expect(run()).rejects.toHaveProperty('cause.name', 'SomePlacesFailed');
    expect([...looks].sort()).toEqual([...keys.all].sort());
  }, 60_000);
});
