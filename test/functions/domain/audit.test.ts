import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { type AuditEvent, EMPTY_CHAIN, GENESIS_HASH, seal, verifyChain } from '../../../functions/domain/audit.ts';
import { aFinding, HISTORY, KEY } from '../../builders.ts';

const digest = (value: unknown): string =>
  createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');

function sealed() {
  let count = 0;
  const newId = () => `event-${++count}`;
  const cause = { kind: 'slack', id: 'trigger-1' } as const;
  const [opened, ...rest] = HISTORY.remediated;
  const first = seal(EMPTY_CHAIN, [opened], { cause, policyVersion: 'v1', newId }, digest);
  const second = seal(first.head, rest, { cause, policyVersion: 'v1', newId }, digest);
  return { records: [...first.records, ...second.records], head: second.head };
}

function without(records: AuditEvent[], index: number): AuditEvent[] {
  return records.filter((_, position) => position !== index);
}

describe('seal', () => {
  it('numbers the events of a key and ties each to the one before', () => {
    const { records, head } = sealed();
    expect(
      records.map(({ id, sequence, statusBefore, statusAfter }) => [id, sequence, statusBefore, statusAfter]),
    ).toEqual([
      ['event-1', 1, 'none', 'open'],
      ['event-2', 2, 'open', 'approved'],
      ['event-3', 3, 'approved', 'approved'],
      ['event-4', 4, 'approved', 'remediated'],
    ]);
    expect(records.map(({ previousHash }) => previousHash)).toEqual([
      GENESIS_HASH,
      ...records.slice(0, -1).map(({ hash }) => hash),
    ]);
    expect(GENESIS_HASH).toMatch(/^0{64}$/);
    expect(records[0]).toMatchObject({ schema: 1, key: KEY, episode: 1, policyVersion: 'v1' });
    expect(head).toEqual({ sequence: 4, hash: records.at(-1)?.hash, finding: aFinding('remediated') });
  });
});

describe('verifyChain', () => {
  const { records, head } = sealed();

  it('finds a whole chain intact, with or without its head, from anywhere it was stored', () => {
    expect(verifyChain(records, digest, head)).toEqual({ intact: true, events: 4 });
    expect(verifyChain(records, digest)).toEqual({ intact: true, events: 4 });
    expect(verifyChain(records.map(shuffled), digest, head)).toEqual({ intact: true, events: 4 });
    expect(verifyChain([], digest, EMPTY_CHAIN)).toEqual({ intact: true, events: 0 });
  });

  it.each([0, 1, 2, 3])('finds event %d altered', (index) => {
    const forged = records.map((record, position) =>
      position === index ? { ...record, cause: { ...record.cause, id: 'somebody else' } } : record,
    );
    expect(verifyChain(forged, digest, head)).toEqual({
      ...{ intact: false, sequence: index + 1, problem: `event ${index + 1} was altered` },
    });
  });

  it('finds an event altered and hashed anew', () => {
    const forged = records.map(({ hash, ...rest }) => {
      if (rest.sequence !== 2) return { ...rest, hash };
      const changed = { ...rest, policyVersion: 'v0' };
      return { ...changed, hash: digest(changed) };
    });
    expect(verifyChain(forged, digest)).toEqual({
      ...{ intact: false, sequence: 3, problem: 'event 3 does not follow the event before it' },
    });
  });

  it.each([0, 1, 2])('finds event %d removed', (index) => {
    expect(verifyChain(without(records, index), digest, head)).toEqual({
      ...{ intact: false, sequence: index + 1, problem: `event ${index + 1} is missing, found ${index + 2}` },
    });
  });

  it('finds an event inserted', () => {
    const [first, ...rest] = records;
    if (first === undefined) throw new Error('no records');
    expect(verifyChain([first, first, ...rest], digest, head)).toMatchObject({ intact: false, sequence: 2 });
  });

  it('finds the end missing, with the help of the snapshot', () => {
    expect(verifyChain(without(records, 3), digest)).toEqual({ intact: true, events: 3 });
    expect(verifyChain(without(records, 3), digest, head)).toEqual({
      ...{ intact: false, sequence: 4, problem: 'event 4 is missing: the snapshot stands at event 4' },
    });
  });

  it.each([
    { of: 'another chain', snapshot: { sequence: 4, hash: GENESIS_HASH } },
    { of: 'an earlier event', snapshot: { sequence: 3, hash: records[2]?.hash ?? '' } },
    { of: 'the last event, numbered wrongly', snapshot: { sequence: 3, hash: head.hash } },
  ])('finds a snapshot of $of', ({ snapshot }) => {
    expect(verifyChain(records, digest, { ...head, ...snapshot })).toEqual({
      ...{ intact: false, sequence: 4, problem: 'the snapshot does not follow from event 4' },
    });
  });

  it('finds a stored finding that its events do not lead to', () => {
    expect(verifyChain(records, digest, { ...head, finding: aFinding('approved') })).toEqual({
      ...{ intact: false, sequence: 4, problem: 'the stored finding is not what its events lead to' },
    });
  });

  it('finds a history that cannot have happened, however well it is sealed', () => {
    const [opened] = records;
    if (opened === undefined) throw new Error('no events');
    const { hash: previousHash, ...unsealed } = opened;
    const twice = { ...unsealed, sequence: 2, previousHash };
    const again = { ...twice, hash: digest(twice) };
    const forged = { ...head, sequence: 2, hash: again.hash };
    expect(verifyChain([opened, again], digest, forged)).toMatchObject({ intact: false, sequence: 2 });
  });
});

/** As a store that does not keep the order of fields gives it back. */
function shuffled(record: AuditEvent): AuditEvent {
  const { hash, previousHash, ...rest } = record;
  return { hash, previousHash, ...rest };
}
