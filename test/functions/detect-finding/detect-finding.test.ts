import type { KeyEventName } from '../../../functions/contracts/kms-event.ts';
import { type DetectDeps, detectFinding, lookAgain } from '../../../functions/detect-finding/detect-finding.ts';
import type { KeyObservation } from '../../../functions/domain/assessment.ts';
import type { FindingEvent } from '../../../functions/domain/finding-events.ts';
import type { KeyFacts } from '../../../functions/domain/key.ts';
import {
  anApproval,
  anObservation,
  anOpening,
  aPattern,
  aPersonRef,
  aPolicy,
  aTrigger,
  DAY_ONE,
  HISTORY,
  KEY,
  later,
} from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';

const REPLICA = { ...KEY, region: 'us-east-1', arn: KEY.arn.replace('eu-central-1', 'us-east-1') };
/** Long after every grace period. */
const NOW = later({ hours: 2 });
const OFF = anObservation();
const ON = anObservation({}, { kind: 'automatic', enabled: true, periodInDays: 365 });
const TOO_LONG = anObservation({}, { kind: 'automatic', enabled: true, periodInDays: 730 });

function message(
  eventName: KeyEventName,
  { id = 'event-1', at = later({ hours: 1 }), arn = KEY.arn, errorCode = '' } = {},
) {
  return {
    ...{ version: '0', id: 'envelope-1', source: 'aws.kms', account: KEY.accountId, region: KEY.region },
    ...{ time: at, resources: [], 'detail-type': 'AWS API Call via CloudTrail' },
    detail: {
      ...{ eventVersion: '1.11', eventID: id, eventName, eventSource: 'kms.amazonaws.com', eventTime: at },
      ...{ awsRegion: KEY.region, recipientAccountId: KEY.accountId },
      userIdentity: { type: 'IAMUser', userName: 'deployer' },
      resources: [{ ARN: arn }],
      ...(errorCode === '' ? {} : { errorCode }),
    },
  };
}

function createWorld(keys: Record<string, KeyObservation>, policy = aPolicy(), now = NOW) {
  const findings = createInMemoryFindings(policy);
  const looked: string[] = [];
  const deps: DetectDeps = {
    now: () => new Date(now),
    loadPolicy: findings.loadPolicy,
    loadFinding: findings.loadFinding,
    patternsOf: findings.patternsOf,
    observeKey: (key) => {
      looked.push(key.arn);
      return Promise.resolve(keys[key.arn] ?? { seen: 'no-key' });
    },
    carryOut: findings.carryOut,
  };
  const statusOf = async (arn = KEY.arn) => (await findings.loadFinding(arn))?.status;
  return { findings, looked, deps, statusOf };
}
const oneKey = (observation: KeyObservation, policy = aPolicy(), now = NOW) =>
  createWorld({ [KEY.arn]: observation }, policy, now);
const replicaOf = (changes: Partial<KeyFacts> = {}) =>
  anObservation({ ...REPLICA, multiRegionKeyType: 'REPLICA', primaryArn: KEY.arn, ...changes }, { kind: 'not-read' });

describe('an event that says the opposite of what KMS shows', () => {
  it.each([
    ['DisableKeyRotation', ON],
    ['EnableKeyRotation', OFF],
  ] as const)('%s waits until the key has settled', async (eventName, observation) => {
    const world = oneKey(observation, aPolicy(), later({ hours: 1, minutes: 2 }));
    await expect(detectFinding(message(eventName), world.deps)).resolves.toEqual({ waitSeconds: 30 });
    expect(world.findings.eventTypes(KEY.arn)).toEqual([]);
  });

  it('waits when KMS shows another period than the one that was asked for', async () => {
    const world = oneKey(ON, aPolicy(), later({ hours: 1, minutes: 2 }));
    const event = message('EnableKeyRotation');
    const asked = { ...event, detail: { ...event.detail, requestParameters: { rotationPeriodInDays: 900 } } };
    await expect(detectFinding(asked, world.deps)).resolves.toEqual({ waitSeconds: 30 });
  });

  it('is not waited for longer than KMS may take', async () => {
    const world = oneKey(OFF, aPolicy(), later({ hours: 1, minutes: 3 }));
    await expect(detectFinding(message('EnableKeyRotation'), world.deps)).resolves.toBe('done');
    expect(world.findings.eventTypes(KEY.arn)).toEqual(['finding-opened']);
  });
});

describe('an event about a key', () => {
  it('opens a finding when rotation is off', async () => {
    const world = oneKey(OFF);
    await expect(detectFinding(message('DisableKeyRotation'), world.deps)).resolves.toBe('done');
    expect(world.findings.auditOf(KEY.arn)).toMatchObject([
      {
        event: { type: 'finding-opened', route: 'default', assessment: { verdict: 'rotation-off' } },
        cause: { kind: 'cloudtrail', id: 'event-1' },
      },
    ]);
  });

  it('opens one finding however often it is delivered', async () => {
    const world = oneKey(OFF);
    for (const id of ['event-1', 'event-1', 'event-2']) {
      await detectFinding(message('DisableKeyRotation', { id }), world.deps);
    }
    expect(world.findings.eventTypes(KEY.arn)).toEqual(['finding-opened']);
  });

  it('opens none for a key that rotates, or cannot', async () => {
    for (const observation of [ON, anObservation({ keySpec: 'RSA_2048' }, { kind: 'not-read' })]) {
      const world = oneKey(observation);
      await expect(detectFinding(message('CreateKey'), world.deps)).resolves.toBe('done');
      expect(await world.statusOf()).toBeUndefined();
    }
  });

  it('opens one when rotation is switched on with too long a period', async () => {
    const world = oneKey(TOO_LONG);
    await detectFinding(message('EnableKeyRotation'), world.deps);
    expect(await world.findings.loadFinding(KEY.arn)).toMatchObject({ assessment: { verdict: 'period-too-long' } });
  });

  it('opens one that says so when the key cannot be read', async () => {
    const reason = { because: 'access-denied', operation: 'kms:DescribeKey' } as const;
    const world = oneKey({
      ...{ seen: 'refusal', facts: null },
      reason: { ...reason, deniedBy: 'key-policy', principal: 'arn' },
    });
    await detectFinding(message('CreateKey'), world.deps);
    expect(await world.findings.loadFinding(KEY.arn)).toMatchObject({ assessment: { verdict: 'unknown' } });
  });

  it('approves by itself on a route in auto mode', async () => {
    const { defaultRoute } = aPolicy();
    const world = oneKey(OFF, aPolicy({ defaultRoute: { ...defaultRoute, mode: 'auto' } }));
    await detectFinding(message('DisableKeyRotation'), world.deps);
    expect(await world.statusOf()).toBe('approved');
  });

  it('closes the finding when rotation is on again', async () => {
    const world = oneKey(ON);
    await world.findings.given(HISTORY.open);
    await detectFinding(message('EnableKeyRotation'), world.deps);
    expect(await world.statusOf()).toBe('closed');
  });

  it('changes nothing while a remediation is under way, so the bot’s own call has no echo', async () => {
    const world = oneKey(ON);
    await world.findings.given([anOpening(), anApproval()]);
    await detectFinding(message('EnableKeyRotation'), world.deps);
    expect(await world.statusOf()).toBe('approved');
  });

  it('is nothing when the call failed', async () => {
    const world = oneKey(OFF);
    await expect(detectFinding(message('DisableKeyRotation', { errorCode: 'AccessDenied' }), world.deps)).resolves.toBe(
      'done',
    );
    expect(world.looked).toEqual([]);
  });

  it('throws when it cannot be read', async () => {
    const world = oneKey(OFF);
    await expect(detectFinding({ source: 'aws.s3' }, world.deps)).rejects.toThrow('invalid');
    await expect(detectFinding('text', world.deps)).rejects.toThrow('"expected": "object"');
  });

  it('throws, and is tried again, when the key cannot be looked at now', async () => {
    const world = oneKey(OFF);
    const observeKey = () => Promise.reject(new Error('throttled'));
    await expect(detectFinding(message('CreateKey'), { ...world.deps, observeKey })).rejects.toThrow('throttled');
    await detectFinding(message('CreateKey'), world.deps);
    expect(await world.statusOf()).toBe('open');
  });
});

describe('an event that can only settle something', () => {
  const NAMES = [
    ...(['TagResource', 'UntagResource', 'DisableKey', 'ScheduleKeyDeletion'] as const),
    ...(['CancelKeyDeletion', 'DeleteImportedKeyMaterial'] as const),
  ];

  it.each(NAMES)('costs no look at the key without a finding: %s', async (name) => {
    const world = oneKey(OFF);
    await expect(detectFinding(message(name), world.deps)).resolves.toBe('done');
    await world.findings.given(HISTORY.remediated);
    await detectFinding(message(name), world.deps);
    expect(world.looked).toEqual([]);
  });

  it('closes the finding of a key that was disabled', async () => {
    const world = oneKey(anObservation({ keyState: 'Disabled' }, { kind: 'not-read' }));
    await world.findings.given(HISTORY.open);
    await detectFinding(message('DisableKey'), world.deps);
    expect(await world.findings.loadFinding(KEY.arn)).toMatchObject({
      closing: { reason: 'disabled', by: 'deployer' },
    });
  });

  it('brings new tags into the finding', async () => {
    const tags = [{ key: 'team', value: 'ledger' }];
    const world = oneKey(anObservation({ tags }));
    await world.findings.given(HISTORY.open);
    await detectFinding(message('TagResource'), world.deps);
    expect(await world.findings.loadFinding(KEY.arn)).toMatchObject({ status: 'open', facts: { tags } });
  });
});

describe('patience', () => {
  it.each([
    ['CreateKey', 1, 179],
    ['CreateKey', 179.5, 1],
    ['DisableKeyRotation', 10, 20],
  ] as const)('%s after %d s waits %d s more', async (name, seconds, waitSeconds) => {
    const now = later({ milliseconds: seconds * 1000 });
    const world = oneKey(OFF, aPolicy(), now);
    await expect(detectFinding(message(name, { at: DAY_ONE }), world.deps)).resolves.toEqual({ waitSeconds });
    expect(world.looked).toEqual([]);
  });

  it('ends with the grace period', async () => {
    const world = oneKey(OFF, aPolicy(), later({ minutes: 3 }));
    await expect(detectFinding(message('CreateKey', { at: DAY_ONE }), world.deps)).resolves.toBe('done');
    expect(await world.statusOf()).toBe('open');
  });

  it('keeps other events from opening a finding about a key that is still being made', async () => {
    const young = anObservation({ createdAt: DAY_ONE });
    const world = oneKey(young, aPolicy(), later({ minutes: 1 }));
    const event = message('EnableKey', { at: later({ milliseconds: 5000 }) });
    await expect(detectFinding(event, world.deps)).resolves.toEqual({ waitSeconds: 120 });
    expect(await world.statusOf()).toBeUndefined();
  });

  it('lasts ten minutes for a key that KMS does not know yet', async () => {
    const event = message('CreateKey', { at: DAY_ONE });
    const early = createWorld({}, aPolicy(), later({ minutes: 9 }));
    await expect(detectFinding(event, early.deps)).resolves.toEqual({ waitSeconds: 30 });
    const late = createWorld({}, aPolicy(), later({ minutes: 10 }));
    await late.findings.given(HISTORY.open);
    await expect(detectFinding(event, late.deps)).resolves.toBe('done');
    expect(await late.findings.loadFinding(KEY.arn)).toMatchObject({ closing: { reason: 'key-deleted' } });
  });
});

describe('a replica', () => {
  it('is judged by its primary', async () => {
    const primary = anObservation({ multiRegionKeyType: 'PRIMARY', primaryArn: KEY.arn });
    const world = createWorld({ [REPLICA.arn]: replicaOf(), [KEY.arn]: primary });
    await detectFinding(message('ReplicateKey', { arn: REPLICA.arn }), world.deps);
    expect(await world.statusOf(KEY.arn)).toBe('open');
    expect(await world.statusOf(REPLICA.arn)).toBeUndefined();
  });

  it('that was the primary loses its finding to the new primary', async () => {
    const primary = anObservation({ multiRegionKeyType: 'PRIMARY', primaryArn: KEY.arn });
    const world = createWorld({ [REPLICA.arn]: replicaOf(), [KEY.arn]: primary });
    await world.findings.given([anOpening({ key: REPLICA })]);
    await detectFinding(message('UpdatePrimaryRegion', { arn: REPLICA.arn }), world.deps);
    expect(await world.findings.loadFinding(REPLICA.arn)).toMatchObject({ closing: { reason: 'replica-key' } });
    expect(await world.statusOf(KEY.arn)).toBe('open');
  });
});

describe('a look that a person asked for', () => {
  const asked: FindingEvent = { type: 'recheck-requested', at: later({ hours: 1 }), by: aPersonRef() };
  const revoked: FindingEvent = { type: 'exemption-revoked', at: later({ hours: 1 }), by: aPersonRef() };

  it('is answered in the trail when nothing changed, once', async () => {
    const world = oneKey(OFF);
    const record = await world.findings.given([...HISTORY.open, asked]);
    await lookAgain(record, world.deps);
    await lookAgain(record, world.deps);
    expect(world.findings.eventTypes(KEY.arn)).toEqual(['finding-opened', 'recheck-requested', 'rechecked']);
  });

  it('closes the finding when the key is fine, without a grace period', async () => {
    const world = oneKey(ON);
    await lookAgain(await world.findings.given([...HISTORY.open, asked]), world.deps);
    expect(await world.statusOf()).toBe('closed');
  });

  it('follows an exemption that was taken back', async () => {
    const world = oneKey(ON);
    await lookAgain(await world.findings.given([...HISTORY.exempt, revoked]), world.deps);
    expect(await world.statusOf()).toBe('closed');
  });

  it('brings a finding up to date that was true when it was looked at and not when it was written', async () => {
    const world = oneKey(ON);
    await lookAgain(await world.findings.given([anOpening({ trigger: aTrigger() })]), world.deps);
    expect(world.findings.eventTypes(KEY.arn)).toEqual(['finding-opened', 'finding-closed']);
  });

  it('leaves a finding alone when the second look cannot see the key', async () => {
    const reason = { because: 'rotation-not-read' as const };
    const world = oneKey({ seen: 'refusal', facts: null, reason });
    await lookAgain(await world.findings.given([...HISTORY.failed]), world.deps);
    expect(await world.statusOf()).toBe('failed');
  });

  it('writes nothing when the second look sees what the finding says', async () => {
    const world = oneKey(OFF);
    await lookAgain(await world.findings.given([anOpening({ trigger: aTrigger() })]), world.deps);
    expect(world.findings.eventTypes(KEY.arn)).toEqual(['finding-opened']);
  });
});

describe('a key that an exemption of a pattern means', () => {
  const policy = aPolicy();
  policy.exemptions.patterns = { channel: 'C0PATTERNS', approvers: { users: [], userGroups: ['S0PATTERNS'] } };
  const dev = anObservation({ aliases: ['dev-cache'] });
  const withPatterns = (world: ReturnType<typeof createWorld>) => {
    const asked: string[] = [];
    const patternsOf: DetectDeps['patternsOf'] = (accountId) => {
      asked.push(accountId);
      return Promise.resolve([aPattern()]);
    };
    return { asked, deps: { ...world.deps, patternsOf } };
  };

  it('is exempt when its finding opens', async () => {
    const world = oneKey(dev, policy);
    const { asked, deps } = withPatterns(world);
    await expect(detectFinding(message('CreateKey'), deps)).resolves.toBe('done');
    expect(world.findings.eventTypes(KEY.arn)).toEqual(['finding-opened', 'exemption-granted']);
    expect(asked).toEqual([KEY.accountId]);
  });

  it('costs no read where nothing is wrong, or where the policy knows no patterns', async () => {
    const on = anObservation({ aliases: ['dev-cache'] }, { kind: 'automatic', enabled: true, periodInDays: 365 });
    for (const world of [oneKey(on, policy), oneKey(dev)]) {
      const { asked, deps } = withPatterns(world);
      await detectFinding(message('CreateKey'), deps);
      expect(asked).toEqual([]);
    }
  });
});
