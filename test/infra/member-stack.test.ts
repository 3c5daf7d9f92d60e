import { readFile } from 'node:fs/promises';
import { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import * as z from 'zod/mini';
import { FUNCTION_NAMES, type FunctionName } from '../../functions/contracts/functions.ts';
import { KMS_EVENT_PATTERN } from '../../functions/contracts/kms-event.ts';
import { READ_ACTIONS, REMEDIES } from '../../functions/contracts/remedies.ts';
import { type Deployment, namesOf, readDeployment } from '../../infra/deployment.ts';
import { MemberStack } from '../../infra/member-stack.ts';
import { type Place, type SimulatedResource, simulateDeployment } from './simulated-cloudformation.ts';
import { policyDocument, type SimulatedRequest, simulatePolicy } from './simulated-iam.ts';

const organization = await readDeployment('infra/examples/organization.yaml');
const singleAccount = await readDeployment('deployment.yaml');
const { hub, externalId } = organization;
const names = namesOf(organization);
const MEMBER = '444455556666';
const inHubRegion = { account: MEMBER, region: hub.region };
const elsewhere = { account: MEMBER, region: 'us-east-1' };

function synthesised(deployment: Deployment, region: string = hub.region, app = new App()): unknown {
  const stack = new MemberStack(app, `member-${region}`, { env: { account: hub.account, region }, deployment });
  const template: unknown = app.synth().getStackArtifact(stack.artifactId).template;
  return template;
}
const template = synthesised(organization);

const role = z.object({
  RoleName: z.string(),
  MaxSessionDuration: z.number(),
  AssumeRolePolicyDocument: policyDocument,
  Policies: z.array(z.object({ PolicyDocument: policyDocument })),
});
const rule = z.object({
  Name: z.string(),
  State: z.string(),
  EventPattern: z.unknown(),
  Targets: z.array(
    z.object({
      Arn: z.string(),
      RoleArn: z.string(),
      DeadLetterConfig: z.object({ Arn: z.string() }),
      RetryPolicy: z.object({ MaximumEventAgeInSeconds: z.number(), MaximumRetryAttempts: z.number() }),
    }),
  ),
});

const ofType = (type: string, place: Place, document: unknown = template): SimulatedResource['properties'][] =>
  Object.values(simulateDeployment(document, place)).flatMap((found) =>
    found.type === type ? [found.properties] : [],
  );
const roleNamed = (name: string, document: unknown = template, place: Place = inHubRegion) => {
  const roles = ofType('AWS::IAM::Role', place, document).map((properties) => role.parse(properties));
  const found = roles.find(({ RoleName }) => RoleName === name);
  if (found === undefined) throw new Error(`there is no role ${name}`);
  return found;
};
const ruleOf = (place: Place) => ofType('AWS::Events::Rule', place).map((properties) => rule.parse(properties));

describe('the template', () => {
  it('is small enough to be the body of a StackSet, and has no assets or parameters', () => {
    expect(JSON.stringify(template).length).toBeLessThan(51_200);
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(template)).sort()).toEqual([
      ...['Conditions', 'Description', 'Resources'],
    ]);
  });

  it('is the same in every Region, whatever the CDK CLI and cdk.json ask for', () => {
    const context = {
      'aws:cdk:enable-path-metadata': true,
      '@aws-cdk/core:checkSecretUsage': true,
      '@aws-cdk/aws-iam:minimizePolicies': true,
    };
    for (const region of ['eu-central-1', 'us-east-1', 'cn-north-1']) {
      expect(synthesised(organization, region, new App({ context, analyticsReporting: true }))).toEqual(template);
    }
  });

  it('makes the roles in the Region of the hub only, and the rule in each', () => {
    expect(ofType('AWS::IAM::Role', inHubRegion).map(({ RoleName }) => RoleName)).toEqual([
      ...[names.readRole, names.remediateRole, names.forwardRole],
    ]);
    expect(ofType('AWS::IAM::Role', elsewhere)).toEqual([]);
    for (const place of [inHubRegion, elsewhere]) expect(ruleOf(place)).toHaveLength(1);
  });

  it.each([
    ['AWS Solutions', AwsSolutionsChecks],
    ['NIST 800-53 Rev. 5', NIST80053R5Checks],
  ])('breaks no rule of %s', (_, Checks) => {
    const app = new App();
    for (const deployment of [organization, singleAccount]) {
      const stack = new MemberStack(app, deployment === organization ? 'o' : 's', { env: {}, deployment });
      expect(new Checks(app).validateScope(stack).violations).toEqual([]);
    }
  });
});

describe('the forwarding rule', () => {
  it('lets through exactly the events that the functions understand', () => {
    for (const place of [inHubRegion, elsewhere]) {
      expect(ruleOf(place)).toEqual([
        expect.objectContaining({ Name: names.forwardRule, State: 'ENABLED', EventPattern: KMS_EVENT_PATTERN }),
      ]);
    }
  });

  it('sends to the bus of the hub, in its account and Region, as the forwarding role of its own account', () => {
    for (const place of [inHubRegion, elsewhere]) {
      const [target] = ruleOf(place)[0]?.Targets ?? [];
      expect(target).toMatchObject({
        Arn: `arn:aws:events:${hub.region}:${hub.account}:event-bus/${names.eventBus}`,
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
      });
    }
    expect(ruleOf(elsewhere)[0]?.Targets[0]?.RoleArn).toBe(`arn:aws:iam::${MEMBER}:role/${names.forwardRole}`);
    // There the role is part of the stack, and naming it so makes CloudFormation create it first.
    expect(ruleOf(inHubRegion)[0]?.Targets[0]?.RoleArn).toBe('<ForwardRole.Arn>');
  });

  it('keeps what cannot be delivered in an encrypted queue that only the rule may send to, over TLS', () => {
    const [queue] = ofType('AWS::SQS::Queue', elsewhere);
    expect(queue).toEqual({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
    const queueArn = ruleOf(elsewhere)[0]?.Targets[0]?.DeadLetterConfig.Arn;
    const [policy] = ofType('AWS::SQS::QueuePolicy', elsewhere);
    expect(policy?.['PolicyDocument']).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Action: 'sqs:*',
          Resource: queueArn,
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: queueArn,
          Condition: { ArnEquals: { 'aws:SourceArn': '<ForwardRule.Arn>' } },
        },
      ],
    });
  });
});

describe('who may assume the roles', () => {
  const asFunction = (fn: FunctionName, context: Record<string, string> = {}): SimulatedRequest => ({
    action: 'sts:AssumeRole',
    context: {
      'aws:PrincipalArn': `arn:aws:iam::${hub.account}:role/${names.functionRole(fn)}`,
      'aws:PrincipalOrgID': organization.organization?.id ?? '',
      'sts:ExternalId': externalId,
      ...context,
    },
  });
  const without = (key: string, { action, context }: SimulatedRequest): SimulatedRequest => ({
    action,
    context: Object.fromEntries(Object.entries(context).filter(([name]) => name !== key)),
  });
  const mayAssume = (roleName: string, request: SimulatedRequest, document: unknown = template) =>
    simulatePolicy(roleNamed(roleName, document).AssumeRolePolicyDocument, request) === 'Allow';

  it('reading: the functions that look at keys, and no other', () => {
    expect(FUNCTION_NAMES.filter((fn) => mayAssume(names.readRole, asFunction(fn)))).toEqual([
      ...['detect-finding', 'remediate-key', 'sweep-keys'],
    ]);
  });

  it('remediating: remediate-key alone', () => {
    expect(FUNCTION_NAMES.filter((fn) => mayAssume(names.remediateRole, asFunction(fn)))).toEqual(['remediate-key']);
  });

  it.each([
    ['another external id', { 'sts:ExternalId': 'another' }],
    ['another organization', { 'aws:PrincipalOrgID': 'o-anotherorgid' }],
    ['another account', { 'aws:PrincipalArn': `arn:aws:iam::${MEMBER}:role/${names.functionRole('remediate-key')}` }],
    ['another role of the hub', { 'aws:PrincipalArn': `arn:aws:iam::${hub.account}:role/Admin` }],
    ['the root user of the hub', { 'aws:PrincipalArn': `arn:aws:iam::${hub.account}:root` }],
  ])('not with %s', (_, difference) => {
    for (const roleName of [names.readRole, names.remediateRole]) {
      expect(mayAssume(roleName, asFunction('remediate-key'))).toBe(true);
      expect(mayAssume(roleName, asFunction('remediate-key', difference))).toBe(false);
    }
  });

  it('not without an external id', () => {
    expect(mayAssume(names.remediateRole, without('sts:ExternalId', asFunction('remediate-key')))).toBe(false);
  });

  it('names the account of the hub as principal, and no other', () => {
    for (const roleName of [names.readRole, names.remediateRole]) {
      const { Statement } = roleNamed(roleName).AssumeRolePolicyDocument;
      expect(Statement.map(({ Principal }) => Principal)).toEqual([{ AWS: [`arn:aws:iam::${hub.account}:root`] }]);
    }
  });

  it('asks for no organization where there is none', () => {
    const request = without('aws:PrincipalOrgID', asFunction('detect-finding'));
    expect(mayAssume(names.readRole, request, synthesised(singleAccount))).toBe(true);
    expect(mayAssume(names.readRole, request)).toBe(false);
  });

  it('forwarding: EventBridge for the forwarding rule of the account, in any Region', () => {
    const { Statement } = roleNamed(names.forwardRole).AssumeRolePolicyDocument;
    expect(Statement.map(({ Principal }) => Principal)).toEqual([{ Service: ['events.amazonaws.com'] }]);
    const forRule = (account: string, ruleName: string, sourceAccount = account): SimulatedRequest => ({
      action: 'sts:AssumeRole',
      context: {
        'aws:SourceAccount': sourceAccount,
        'aws:SourceArn': `arn:aws:events:us-east-1:${account}:rule/${ruleName}`,
      },
    });
    expect(mayAssume(names.forwardRole, forRule(MEMBER, names.forwardRule))).toBe(true);
    expect(mayAssume(names.forwardRole, forRule(MEMBER, 'another'))).toBe(false);
    expect(mayAssume(names.forwardRole, forRule('777788889999', names.forwardRule))).toBe(false);
    expect(mayAssume(names.forwardRole, forRule('777788889999', names.forwardRule, MEMBER))).toBe(false);
    expect(mayAssume(names.forwardRole, forRule(MEMBER, names.forwardRule, '777788889999'))).toBe(false);
  });

  it('holds a session for at most an hour', () => {
    for (const roleName of [names.readRole, names.remediateRole, names.forwardRole]) {
      expect(roleNamed(roleName).MaxSessionDuration).toBe(3600);
    }
  });

  it('works in the other partitions', () => {
    const china = roleNamed(names.remediateRole, template, { ...inHubRegion, partition: 'aws-cn' });
    const principal = `arn:aws-cn:iam::${hub.account}:role/${names.functionRole('remediate-key')}`;
    expect(
      simulatePolicy(china.AssumeRolePolicyDocument, asFunction('remediate-key', { 'aws:PrincipalArn': principal })),
    ).toBe('Allow');
  });
});

describe('what the roles may do', () => {
  const KEY = `arn:aws:kms:us-east-1:${MEMBER}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
  const may = (roleName: string, action: string, resource: string, context: Record<string, string> = {}) =>
    roleNamed(roleName).Policies.some(
      ({ PolicyDocument }) => simulatePolicy(PolicyDocument, { action, resource, context }) === 'Allow',
    );
  const actionsOf = (roleName: string) =>
    roleNamed(roleName)
      .Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement.flatMap(({ Action }) => Action))
      .sort();

  it.each([
    ['kms.ts', names.readRole],
    ['kms-changes.ts', names.remediateRole],
  ])('covers every call to KMS that functions/adapters/%s makes', async (file, roleName) => {
    const source = await readFile(`functions/adapters/${file}`, 'utf8');
    const calls = [...source.matchAll(/'(kms:[A-Z]\w+)'/g)].map(([, action]) => action);
    expect(calls.length).toBeGreaterThan(2);
    expect(actionsOf(roleName)).toEqual(expect.arrayContaining(calls));
  });

  it('reading takes the read actions and listing keys, nothing else', () => {
    expect(actionsOf(names.readRole)).toEqual([...new Set([...READ_ACTIONS, 'kms:ListKeys'])].sort());
    for (const action of READ_ACTIONS) {
      expect(may(names.readRole, action, action === 'kms:ListAliases' ? '*' : KEY)).toBe(true);
    }
  });

  it('remediating takes what the remedies say, nothing else', () => {
    expect(actionsOf(names.remediateRole)).toEqual(
      Object.values(REMEDIES)
        .flatMap((remedy) => remedy.iamActions)
        .sort(),
    );
  });

  it.each(Object.entries(REMEDIES))('%s works on the keys that it is for, and on no others', (_, remedy) => {
    const allowed = { 'kms:KeySpec': 'SYMMETRIC_DEFAULT', 'kms:KeyOrigin': remedy.keyOrigin };
    for (const action of remedy.iamActions) {
      expect(may(names.remediateRole, action, KEY, allowed)).toBe(true);
      expect(may(names.remediateRole, action, KEY, { ...allowed, 'kms:KeySpec': 'RSA_2048' })).toBe(false);
      for (const origin of ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE']) {
        expect(may(names.remediateRole, action, KEY, { ...allowed, 'kms:KeyOrigin': origin })).toBe(
          origin === remedy.keyOrigin,
        );
      }
      expect(may(names.remediateRole, action, KEY.replace(MEMBER, '777788889999'), allowed)).toBe(false);
      expect(may(names.remediateRole, action, KEY.replace(/key\/.*/, 'alias/orders'), allowed)).toBe(false);
    }
  });

  it('forwarding is to put events on the bus of the hub', () => {
    expect(actionsOf(names.forwardRole)).toEqual(['events:PutEvents']);
    const bus = `arn:aws:events:${hub.region}:${hub.account}:event-bus/${names.eventBus}`;
    expect(may(names.forwardRole, 'events:PutEvents', bus)).toBe(true);
    expect(may(names.forwardRole, 'events:PutEvents', `arn:aws:events:${hub.region}:${MEMBER}:event-bus/default`)).toBe(
      false,
    );
  });
});
