import { judgeConcurrency, judgeIdentity } from '../../../cli/doctor/account.ts';
import { together } from '../../../cli/doctor/check.ts';
import { judgeManagement } from '../../../cli/doctor/organization.ts';
import { runChecks } from '../../../cli/doctor/run-checks.ts';
import { judgeScopes, judgeSecret } from '../../../cli/doctor/slack-credentials.ts';
import { judgeApprover } from '../../../cli/doctor/slack-policy.ts';
import { judgeEventBus, judgeStack, judgeStackInstances } from '../../../cli/doctor/stacks.ts';
import { deploymentSchema } from '../../../infra/deployment.ts';

const containing = (text: string): unknown => expect.stringContaining(text);

const { operations, hub } = deploymentSchema.parse({
  version: 1,
  hub: { account: '111122223333', region: 'eu-central-1' },
  regions: ['eu-central-1'],
  externalId: 'made-up',
  operations: { runbookUrl: 'https://git.example.com/runbook.md' },
});

it('credentials of another account are named', () => {
  const verdict = judgeIdentity({ account: '444455556666', arn: 'arn:aws:iam::444455556666:user/a' }, '111122223333');
  expect(verdict).toMatchObject({ outcome: 'failed', seen: containing('444455556666') });
});

it.each([
  [125, false, 'ok'],
  [124, false, 'failed'],
  [100, true, 'ok'],
])('with %i concurrent executions left, deployed %s: %s', (unreserved, isDeployed, outcome) => {
  expect(judgeConcurrency({ limit: 1000, unreserved }, { operations, hub }, isDeployed).outcome).toBe(outcome);
});

it.each([
  ['CREATE_COMPLETE', 'NOT_CHECKED', 'ok'],
  ['UPDATE_COMPLETE', 'DRIFTED', 'failed'],
  ['UPDATE_IN_PROGRESS', 'NOT_CHECKED', 'unchecked'],
  ['ROLLBACK_COMPLETE', 'NOT_CHECKED', 'failed'],
  ['DELETE_FAILED', 'NOT_CHECKED', 'failed'],
])('a stack in %s, drift %s: %s', (status, drift, outcome) => {
  expect(judgeStack({ status, drift }, 'hub').outcome).toBe(outcome);
});

it('lists ten bad stack instances and says how many more there are', () => {
  const instances = Array.from({ length: 12 }, (_, index) => ({
    ...{ account: String(index).padStart(12, '0'), region: 'eu-central-1', status: 'INOPERABLE', reason: '' },
  }));
  const places = { regions: ['eu-central-1'], stackSet: 'member', organizationStack: 'organization', callAs: 'SELF' };
  expect(judgeStackInstances(instances, places)).toMatchObject({ seen: containing('and 2 more') });
  expect(judgeStackInstances([], places)).toMatchObject({ outcome: 'failed', seen: 'It is rolled out to no account.' });
  expect(judgeStackInstances(null, places)).toMatchObject({ outcome: 'failed', todo: 'npx cdk deploy organization' });
});

it('an event bus in one account alone needs no policy; one that is not understood is not called right', () => {
  expect(judgeEventBus({ text: null }, null, 'hub').outcome).toBe('ok');
  expect(judgeEventBus({ text: '{"Statement": 1}' }, 'o-a', 'hub').outcome).toBe('unchecked');
  const denied = {
    Effect: 'Deny',
    Action: ['events:PutEvents'],
    Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a' } },
  };
  expect(judgeEventBus({ text: JSON.stringify({ Statement: denied }) }, 'o-a', 'hub').outcome).toBe('failed');
});

it('who deploys has to be who the deployment says', () => {
  const [hubAccount, other] = ['111122223333', '999999999999'];
  expect(judgeManagement({ managementAccount: hubAccount, hubAccount, callAs: 'SELF' }).outcome).toBe('ok');
  expect(judgeManagement({ managementAccount: hubAccount, hubAccount, callAs: 'DELEGATED_ADMIN' })).toMatchObject({
    todo: containing('SELF'),
  });
  expect(judgeManagement({ managementAccount: other, hubAccount, callAs: 'SELF' })).toMatchObject({
    outcome: 'failed',
  });
});

it('what is wrong with a secret is told without what it holds', () => {
  const verdict = judgeSecret(JSON.stringify({ botToken: 'xoxb-made-up', signingSecret: 'short' }), true);
  expect(verdict.outcome).toBe('failed');
  expect(JSON.stringify(verdict)).not.toMatch(/xoxb|short/);
  expect(judgeSecret('{ broken: xoxb-made-up', true).seen).not.toContain('xoxb');
});

it('scopes that Slack does not tell are not called missing', () => {
  expect(judgeScopes(null).outcome).toBe('unchecked');
});

it('an approver of another workspace, a guest and a bot cannot decide', () => {
  const person = { userId: 'U1', teamId: 'T1', name: 'Engineer', email: null, enterpriseId: null };
  const nothing = { isBot: false, isGuest: false, isStranger: false, isDeactivated: false };
  const judge = (change: object, teamIds = ['T1']) =>
    judgeApprover('U1', { ...person, ...nothing, ...change }, { teamIds, enterpriseIds: [] });
  expect(judge({}).outcome).toBe('ok');
  expect(judge({}, ['T2']).seen).toContain('workspace T1');
  expect(judge({ isGuest: true }).seen).toContain('guest');
  expect(judge({ isBot: true }).seen).toContain('bot');
});

it('one failure outweighs what could not be looked at', () => {
  const unchecked = { outcome: 'unchecked', seen: 'b', todo: 'look' } as const;
  const failed = { outcome: 'failed', seen: 'a', todo: 'act' } as const;
  expect(together([unchecked, failed], '')).toEqual(failed);
  expect(together([unchecked], '')).toEqual(unchecked);
});

it('a check that never answers, and one that throws, stop no other', async () => {
  const results = await runChecks(
    [
      { id: 'a', title: '', look: () => new Promise(() => undefined) },
      { id: 'b', title: '', look: () => Promise.reject(new Error('broken')) },
      { id: 'c', title: '', look: () => Promise.resolve({ outcome: 'ok', seen: '' }) },
    ],
    50,
  );
  expect(results.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['a', 'unchecked'],
    ['b', 'unchecked'],
    ['c', 'ok'],
  ]);
});
