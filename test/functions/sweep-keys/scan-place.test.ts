import type { Alert } from '../../../functions/contracts/notice.ts';
import type { Place } from '../../../functions/contracts/sweep.ts';
import type { KeyObservation, UnknownReason } from '../../../functions/domain/assessment.ts';
import type { KeyIdentity } from '../../../functions/domain/key.ts';
import { listPlaces } from '../../../functions/sweep-keys/list-places.ts';
import { type ScanDeps, scanPlace } from '../../../functions/sweep-keys/scan-place.ts';
import { anObservation, HISTORY, KEY, later } from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';

const NOTHING = { keys: 0, young: 0, changed: 0, failed: 0 };
const PLACE: Place = { accountId: KEY.accountId, region: KEY.region, marker: null, counts: NOTHING };
const OFF = anObservation();
const ON = anObservation({}, { kind: 'automatic', enabled: true, periodInDays: 365 });
const DENIED: UnknownReason = {
  ...{ because: 'access-denied', operation: 'kms:DescribeKey', deniedBy: 'key-policy', principal: 'role/read' },
};
const NO_ROLE: UnknownReason = { ...DENIED, operation: 'sts:AssumeRole' };

function createWorld(
  answers: Record<string, KeyObservation | 'fails'>,
  { now = later({ hours: 2 }), changes = {} }: { now?: string; changes?: Partial<ScanDeps> } = {},
) {
  const findings = createInMemoryFindings();
  const alerts: Alert[] = [];
  const looked: string[] = [];
  const keys = Object.keys(answers).map((arn): KeyIdentity => ({ ...KEY, arn }));
  const deps: ScanDeps = {
    now: () => new Date(now),
    loadPolicy: findings.loadPolicy,
    patternsOf: findings.patternsOf,
    listKeys: () => Promise.resolve({ listed: true, keys, nextMarker: null }),
    observeKey({ arn }) {
      looked.push(arn);
      const answer = answers[arn];
      if (answer === 'fails') return Promise.reject(new Error('throttled'));
      return Promise.resolve(answer ?? { seen: 'no-key' });
    },
    carryOut: findings.carryOut,
    alert: (alert) => {
      alerts.push(alert);
      return Promise.resolve();
    },
    home: { partition: 'aws', region: KEY.region, accountId: '999988887777' },
    regions: [KEY.region],
    pause: () => Promise.resolve(),
    hasTime: () => true,
    ...changes,
  };
  return { findings, alerts, looked, deps };
}

describe('a key that the sweep looks at', () => {
  it('gets a finding that says so when it does not rotate', async () => {
    const world = createWorld({ [KEY.arn]: OFF });
    const { place } = await scanPlace(PLACE, world.deps);
    expect(place).toMatchObject({ nextMarker: null, counts: { ...NOTHING, keys: 1, changed: 1 } });
    expect(await world.findings.loadFinding(KEY.arn)).toMatchObject({ status: 'open', trigger: { kind: 'sweep' } });
  });

  it('appends nothing when it rotates, or when the finding says already what it is like', async () => {
    const fine = createWorld({ [KEY.arn]: ON });
    await scanPlace(PLACE, fine.deps);
    expect(fine.findings.auditOf(KEY.arn)).toEqual([]);
    const known = createWorld({ [KEY.arn]: OFF });
    await scanPlace(PLACE, known.deps);
    const { place } = await scanPlace(PLACE, known.deps);
    expect(place.counts.changed).toBe(0);
    expect(known.findings.eventTypes(KEY.arn)).toEqual(['finding-opened']);
  });

  it('has its finding closed when it rotates by now, although no event came', async () => {
    const world = createWorld({ [KEY.arn]: ON });
    await world.findings.given(HISTORY.open);
    await scanPlace(PLACE, world.deps);
    expect(await world.findings.loadFinding(KEY.arn)).toMatchObject({ status: 'closed' });
  });

  it('is left to the event of its creation while it is young', async () => {
    const world = createWorld({ [KEY.arn]: OFF }, { now: later({ minutes: 1 }) });
    const { place } = await scanPlace(PLACE, world.deps);
    expect(place.counts).toEqual({ ...NOTHING, keys: 1, young: 1 });
    expect(world.findings.auditOf(KEY.arn)).toEqual([]);
  });

  it('is a finding of its own when it cannot be read', async () => {
    const world = createWorld({ [KEY.arn]: { seen: 'refusal', facts: null, reason: DENIED } });
    await scanPlace(PLACE, world.deps);
    expect(await world.findings.loadFinding(KEY.arn)).toMatchObject({ assessment: { verdict: 'unknown' } });
  });

  it('is tried again, and does not stop the others', async () => {
    const other = `${KEY.arn}-2`;
    const world = createWorld({ [other]: 'fails', [KEY.arn]: OFF });
    const { place, errors } = await scanPlace(PLACE, world.deps);
    expect(place.counts).toEqual({ ...NOTHING, keys: 2, changed: 1, failed: 1 });
    expect(errors.map(({ message }) => message)).toEqual([`key ${other}`]);
    expect(world.looked.filter((arn) => arn === other)).toHaveLength(2);
  });
});

describe('a replica', () => {
  const REPLICA = { ...KEY, region: 'us-east-1', arn: KEY.arn.replace(KEY.region, 'us-east-1') };
  const replica = anObservation(
    { ...REPLICA, multiRegionKeyType: 'REPLICA', primaryArn: KEY.arn },
    { kind: 'not-read' },
  );

  it('leads to its primary when nobody looks there', async () => {
    const world = createWorld({ [REPLICA.arn]: replica }, { changes: { regions: ['us-east-1'] } });
    const observeKey = ({ arn }: KeyIdentity) => Promise.resolve(arn === KEY.arn ? OFF : replica);
    await scanPlace({ ...PLACE, region: 'us-east-1' }, { ...world.deps, observeKey });
    expect(world.findings.eventTypes(KEY.arn)).toEqual(['finding-opened']);
    expect(world.findings.eventTypes(REPLICA.arn)).toEqual([]);
  });

  it('leaves its primary to the sweep of that Region when it is watched', async () => {
    const world = createWorld({ [REPLICA.arn]: replica }, { changes: { regions: ['us-east-1', KEY.region] } });
    await scanPlace({ ...PLACE, region: 'us-east-1' }, world.deps);
    expect(world.looked).toEqual([REPLICA.arn]);
  });
});

describe('an account whose role cannot be assumed', () => {
  const changes = { listKeys: () => Promise.resolve({ listed: false as const, reason: NO_ROLE }) };

  it('is told once, from the Region of the hub, and counts as failed everywhere', async () => {
    const world = createWorld({}, { changes });
    const here = await scanPlace(PLACE, world.deps);
    const there = await scanPlace({ ...PLACE, region: 'us-east-1' }, world.deps);
    expect([here, there].map(({ place }) => place.counts.failed)).toEqual([1, 1]);
    expect(world.alerts).toMatchObject([{ alert: 'account-unreachable', keyArn: null }]);
    expect(world.alerts[0]?.message).toContain(KEY.accountId);
  });

  it('makes no findings when the role goes away in the middle', async () => {
    const world = createWorld({ [KEY.arn]: { seen: 'refusal', facts: null, reason: NO_ROLE } });
    const { place } = await scanPlace(PLACE, world.deps);
    expect(place.counts).toEqual({ ...NOTHING, keys: 1, failed: 1 });
    expect(world.findings.auditOf(KEY.arn)).toEqual([]);
  });
});

describe('a run whose time is up', () => {
  it('answers where to go on, and the next run goes on there', async () => {
    const markers: (string | null)[] = [];
    const listKeys: ScanDeps['listKeys'] = (_, marker) => {
      markers.push(marker);
      return Promise.resolve({ listed: true, keys: [], nextMarker: marker === null ? 'second' : null });
    };
    const world = createWorld({}, { changes: { listKeys, hasTime: () => false } });
    const { place } = await scanPlace(PLACE, world.deps);
    expect(place.nextMarker).toBe('second');
    const { nextMarker: marker, ...rest } = place;
    expect((await scanPlace({ ...rest, marker }, world.deps)).place.nextMarker).toBeNull();
    expect(markers).toEqual([null, 'second']);
  });

  it('fails when not even one page was done, rather than going round in circles', async () => {
    const world = createWorld({ [KEY.arn]: OFF }, { changes: { hasTime: () => false } });
    await expect(scanPlace(PLACE, world.deps)).rejects.toMatchObject({ name: 'ScanTooSlow' });
  });
});

describe('the list of places', () => {
  const accounts = Array.from({ length: 700 }, (_, index) => String(100_000_000_000 + index));
  const deps = {
    loadPolicy: () => Promise.resolve(null),
    listAccounts: () => Promise.resolve(accounts),
    regions: ['eu-central-1', 'us-east-1'],
  };

  it('has every account in every Region once, over as many pages as it takes', async () => {
    const seen: string[] = [];
    let marker: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listPlaces>> = await listPlaces(marker, deps);
      expect(JSON.stringify(page).length).toBeLessThan(256 * 1024);
      seen.push(...page.places.map(({ accountId, region }) => `${accountId} ${region}`));
      marker = page.nextMarker;
    } while (marker !== null);
    expect(seen).toHaveLength(1400);
    expect(new Set(seen).size).toBe(1400);
  });

  it('is not made while the policy cannot be read', async () => {
    const loadPolicy = () => Promise.reject(new Error('policy'));
    await expect(listPlaces(null, { ...deps, loadPolicy })).rejects.toThrow('policy');
  });
});
