import {
  type Deps,
  decideFinding,
  decideTerms,
  mayStateTerms,
  type Request,
} from '../../functions/decide-finding/decide-finding.ts';
import { detectFinding } from '../../functions/detect-finding/detect-finding.ts';
import type { Policy } from '../../functions/domain/policy.ts';
import {
  aKey,
  anActor,
  anObservation,
  anOpening,
  aPerson,
  aPolicy,
  aTrigger,
  HISTORY,
  KEY,
  later,
} from '../builders.ts';
import { createInMemoryFindings } from '../fakes/in-memory-findings.ts';

const APPROVER = aPerson({ userId: 'U0APPROVER' });
const LENIENT = aPerson({ userId: 'U0LENIENT' });

function aWorld(policy: Policy) {
  const findings = createInMemoryFindings(policy);
  const now = () => new Date(later({ hours: 2 }));
  const deps: Deps = {
    ...findings,
    person: (userId) => Promise.resolve([APPROVER, LENIENT].find((person) => person.userId === userId) ?? null),
    groupsOf: () => Promise.resolve({ known: false }),
    now,
  };
  return { findings, deps, now };
}

function from(userId: string, requestId: string): Request {
  return { userId, teamId: APPROVER.teamId, finding: { key: KEY.arn, episode: 1 }, requestId };
}

it('self-exemption, known by the identities of the policy', async () => {
  const session = 'arn:aws:sts::111122223333:assumed-role/Deploy/a-session-without-an-address';
  const policy = aPolicy({
    identities: [{ awsArn: 'arn:aws:sts::*:assumed-role/Deploy/*', slackUserId: 'U0APPROVER' }],
  });
  policy.defaultRoute.approvers = { users: [APPROVER.userId], userGroups: [] };
  const { findings, deps } = aWorld(policy);
  await findings.given([anOpening({ trigger: aTrigger({ actor: anActor({ arn: session }) }) })]);
  expect(await mayStateTerms('exempt', from('U0APPROVER', 'request-1'), deps)).toEqual({
    ...{ kind: 'refused', refusal: { reason: 'caused-the-finding' } },
  });
  expect((await decideFinding('approve', from('U0APPROVER', 'request-2'), deps)).kind).toBe('accepted');
});

it('self-exemption through a re-check that hides the cause', async () => {
  const policy = aPolicy();
  policy.defaultRoute.approvers = { users: [APPROVER.userId], userGroups: [] };
  for (const status of ['remediated', 'closed', 'exempt', 'approved'] as const) {
    const { findings, deps } = aWorld(policy);
    await findings.given(HISTORY[status]);
    // A message that is still shown as it was. What the look opened would have no cause, and anybody could exempt it.
    expect(await decideFinding('re-check', from('U0APPROVER', 'request-1'), deps)).toMatchObject({
      ...{ kind: 'refused', refusal: { reason: 'already-decided', status } },
    });
    expect(findings.eventTypes(KEY.arn)).not.toContain('recheck-requested');
  }
});

it('tags changed to choose other approvers', async () => {
  const policy = aPolicy();
  policy.defaultRoute.approvers = { users: [APPROVER.userId], userGroups: [] };
  const approvers = { users: [LENIENT.userId], userGroups: [] };
  const match = { tags: { team: ['lenient'] } };
  policy.routes.push({ ...policy.defaultRoute, name: 'lenient', channel: 'C0LENIENT', mode: 'auto', approvers, match });
  const { findings, deps, now } = aWorld(policy);
  await findings.given([anOpening()]);
  const tagged = aKey({ tags: [{ key: 'team', value: 'lenient' }] });
  const event = {
    ...{ version: '0', id: 'tagging', source: 'aws.kms', account: KEY.accountId, region: KEY.region },
    ...{ time: later({ hours: 1 }), resources: [], 'detail-type': 'AWS API Call via CloudTrail' },
    detail: {
      ...{ eventVersion: '1.11', eventID: 'tagging', eventName: 'TagResource', eventSource: 'kms.amazonaws.com' },
      ...{ eventTime: later({ hours: 1 }), awsRegion: KEY.region, userIdentity: { type: 'IAMUser' } },
      resources: [{ ARN: KEY.arn }],
    },
  };
  await detectFinding(event, { ...findings, now, observeKey: () => Promise.resolve(anObservation(tagged)) });
  expect((await findings.loadFinding(KEY.arn))?.facts?.tags).toEqual(tagged.tags);
  expect(await decideFinding('approve', from('U0LENIENT', 'request-1'), deps)).toEqual({
    ...{ kind: 'refused', refusal: { reason: 'not-an-approver' } },
  });
  expect((await decideFinding('approve', from('U0APPROVER', 'request-2'), deps)).kind).toBe('accepted');
});

describe('self-exemption through the sweep that is faster than the event', () => {
  it.each(['DisableKeyRotation', 'CreateKey'])('ends when %s names the person', async (eventName) => {
    const policy = aPolicy({
      identities: [{ awsArn: 'arn:aws:iam::111122223333:user/deployer', slackUserId: 'U0APPROVER' }],
    });
    policy.defaultRoute.approvers = { users: [APPROVER.userId], userGroups: [] };
    const { findings, deps, now } = aWorld(policy);
    const at = later({ hours: 1 });
    await findings.given([anOpening({ trigger: { kind: 'sweep', at } })]);
    const detail = {
      ...{ eventVersion: '1.11', eventID: 'event-1', eventName, eventSource: 'kms.amazonaws.com', eventTime: at },
      ...{ awsRegion: KEY.region, recipientAccountId: KEY.accountId, resources: [{ ARN: KEY.arn }] },
      userIdentity: { type: 'IAMUser', userName: 'deployer', arn: 'arn:aws:iam::111122223333:user/deployer' },
    };
    const message = {
      ...{ version: '0', id: 'envelope-1', source: 'aws.kms', account: KEY.accountId, region: KEY.region },
      ...{ time: at, resources: [], 'detail-type': 'AWS API Call via CloudTrail', detail },
    };
    await detectFinding(message, { ...findings, now, observeKey: () => Promise.resolve(anObservation()) });
    expect(await mayStateTerms('exempt', from('U0APPROVER', 'request-1'), deps)).toEqual({
      ...{ kind: 'refused', refusal: { reason: 'caused-the-finding' } },
    });
  });
});

it('self-exemption by somebody nobody can name', async () => {
  const policy = aPolicy({ identities: [] });
  policy.defaultRoute.approvers = { users: [APPROVER.userId], userGroups: [] };
  const { findings, deps } = aWorld(policy);
  const terms = { ownerId: APPROVER.userId, reason: 'Replaced in spring', ticket: null, until: later({ days: 20 }) };
  await findings.given([anOpening({ trigger: aTrigger({ actor: anActor({ type: 'AssumedRole' }) }) })]);
  await decideTerms('exempt', from('U0APPROVER', 'request-1'), terms, deps);
  const finding = { ...from('U0APPROVER', '').finding, request: later({ hours: 2 }) };
  expect(await decideFinding('confirm-request', { ...from('U0APPROVER', 'request-2'), finding }, deps)).toMatchObject({
    refusal: { reason: 'own-request' },
  });
  expect((await findings.loadFinding(KEY.arn))?.status).toBe('open');
});
