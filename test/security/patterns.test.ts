import { digest } from '../../functions/adapters/digest.ts';
import { type DetectDeps, detectFinding } from '../../functions/detect-finding/detect-finding.ts';
import { verifyPatternChain } from '../../functions/domain/pattern-audit.ts';
import type { PatternCommand } from '../../functions/domain/pattern-exemption.ts';
import {
  anObservation,
  aPatternConfirmation,
  aPatternRequest,
  aPersonRef,
  aPolicy,
  DEV_KEYS,
  KEY,
  later,
} from '../builders.ts';
import { createInMemoryFindings } from '../fakes/in-memory-findings.ts';
import { createInMemoryPatterns } from '../fakes/in-memory-patterns.ts';

const FIRST = aPersonRef({ userId: 'U0FIRST', email: 'first@corp.example' });

function aWorld() {
  const policy = aPolicy();
  policy.exemptions.patterns = { channel: 'C0PATTERNS', approvers: { users: [], userGroups: ['S0PATTERNS'] } };
  const findings = createInMemoryFindings(policy);
  const patterns = createInMemoryPatterns(policy);
  const deps: DetectDeps = {
    now: () => new Date(later({ hours: 2 })),
    loadPolicy: findings.loadPolicy,
    loadFinding: findings.loadFinding,
    observeKey: () => Promise.resolve(anObservation({ aliases: ['dev-cache'] })),
    patternsOf: patterns.ofAccount,
    carryOut: findings.carryOut,
  };
  const attempt = async (command: PatternCommand): Promise<string> => {
    const cause = { kind: 'slack' as const, id: 'click' };
    const { decision } = await patterns.carryOut({ id: 'pattern-1', cause, onceId: null, command: () => command });
    return decision.outcome === 'refused' ? decision.refusal.reason : decision.outcome;
  };
  /** A key with an alias that the pattern means is made, by somebody with this session e-mail. */
  const keyIsMade = async (email = 'somebody@corp.example'): Promise<string | undefined> => {
    const at = later({ hours: 1 });
    const detail = {
      ...{ eventVersion: '1.11', eventID: 'event-1', eventName: 'CreateKey', eventSource: 'kms.amazonaws.com' },
      ...{ eventTime: at, awsRegion: KEY.region, recipientAccountId: KEY.accountId, resources: [{ ARN: KEY.arn }] },
      userIdentity: { type: 'AssumedRole', arn: `arn:aws:sts::${KEY.accountId}:assumed-role/Developer/${email}` },
    };
    await detectFinding(
      {
        ...{ version: '0', id: 'envelope-1', source: 'aws.kms', account: KEY.accountId, region: KEY.region },
        ...{ time: at, resources: [], 'detail-type': 'AWS API Call via CloudTrail', detail },
      },
      deps,
    );
    return (await findings.loadFinding(KEY.arn))?.status;
  };
  return { policy, patterns, attempt, keyIsMade };
}

it('exemption of a pattern by one person alone', async () => {
  const { attempt, keyIsMade } = aWorld();
  expect(await attempt(aPatternRequest({ by: FIRST }))).toBe('accepted');
  expect(await attempt(aPatternConfirmation({ by: FIRST }))).toBe('own-request');
  const otherAccount = aPersonRef({ userId: 'U0FIRST2', email: 'FIRST@corp.example' });
  expect(await attempt(aPatternConfirmation({ by: otherAccount }))).toBe('own-request');
  const withoutAddress = aPersonRef({ userId: 'U0FIRST3', email: null });
  expect(await attempt(aPatternConfirmation({ by: withoutAddress }))).toBe('second-person-not-told');
  expect(await keyIsMade()).toBe('open');
});

it('exemption of a pattern for what one of the two caused', async () => {
  for (const [email, status] of [
    ['First@corp.example', 'open'],
    ['second@corp.example', 'open'],
    ['third@corp.example', 'exempt'],
  ]) {
    const { attempt, keyIsMade } = aWorld();
    await attempt(aPatternRequest());
    await attempt(aPatternConfirmation());
    expect(await keyIsMade(email)).toBe(status);
  }
});

it('exemption of a pattern that means nearly every key', async () => {
  const { attempt } = aWorld();
  for (const alias of ['*', '**', 'a*', '*/*', '']) {
    expect(await attempt(aPatternRequest({ pattern: { ...DEV_KEYS, by: 'alias', alias } }))).toBe('pattern-too-broad');
  }
});

it('exemption of a pattern after the policy has taken that right away', async () => {
  const { attempt, keyIsMade, policy } = aWorld();
  await attempt(aPatternRequest());
  await attempt(aPatternConfirmation());
  policy.exemptions.patterns = null;
  expect(await keyIsMade()).toBe('open');
});

it('event of a pattern altered, removed or inserted', async () => {
  const { attempt, patterns } = aWorld();
  await attempt(aPatternRequest());
  await attempt(aPatternConfirmation());
  const head = await patterns.load('pattern-1');
  const trail = await patterns.auditOf('pattern-1');
  const [asked, confirmed] = trail;
  if (asked === undefined || confirmed === undefined) throw new Error('expected two events');
  expect(verifyPatternChain(trail, digest, head)).toEqual({ intact: true, events: 2 });
  const alone = { ...confirmed, event: { ...confirmed.event, by: FIRST } };
  const edited = { ...head, pattern: head.pattern && { ...head.pattern, pattern: { ...DEV_KEYS, accountId: '1' } } };
  for (const [records, stored] of [
    [[asked, alone], head],
    [[asked], head],
    [[confirmed], head],
    [[asked, asked, confirmed], head],
    [trail, edited],
  ] as const) {
    expect(verifyPatternChain(records, digest, stored)).toMatchObject({ intact: false });
  }
});
