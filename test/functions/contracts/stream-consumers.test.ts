import { STREAM_CONSUMER_NAMES, streamFilters } from '../../../functions/contracts/stream-consumers.ts';
import { matches } from '../../../sandbox/aws/event-bridge.ts';

function startedBy(sk: string, eventType?: string, eventName = 'INSERT'): string[] {
  const NewImage = eventType === undefined ? {} : { eventType: { S: eventType } };
  const record = { eventName, dynamodb: { Keys: { pk: { S: 'any' }, sk: { S: sk } }, NewImage } };
  return STREAM_CONSUMER_NAMES.filter((name) => streamFilters(name).some((filter) => matches(filter, record)));
}

it.each([
  ['an audit event', 'EVENT#0000000001', 'reminded', ['announce-finding']],
  ['an approval', 'EVENT#0000000002', 'remediation-approved', ['announce-finding', 'remediate-key']],
  ['an opening', 'EVENT#0000000001', 'finding-opened', ['announce-finding', 'detect-finding']],
  ['an order to render a digest', 'REFRESH#2026-03-02T09:00:00.000Z', undefined, ['announce-finding']],
  ['an "Approve all"', 'BATCH#a1b2', undefined, ['sweep-keys']],
  ['an order to go on with one', 'TURN#a1b2#2026-03-02T09:00:00.000Z', undefined, ['sweep-keys']],
  ['what somebody asked about a pattern', 'RECORD#0000000001', 'pattern-requested', ['announce-finding']],
  ['a confirmed pattern', 'RECORD#0000000002', 'pattern-confirmed', ['announce-finding', 'sweep-keys']],
  ['a revoked pattern', 'RECORD#0000000003', 'pattern-revoked', ['announce-finding', 'sweep-keys']],
  ['an exemption of a pattern', 'PATTERN', undefined, []],
  ['one of an account', '0b5e7a4e-0000-4000-8000-000000000001', undefined, []],
  ['a finding', 'FINDING', undefined, []],
  ['a claim', 'MESSAGE#1#root', undefined, []],
  ['a digest', 'DIGEST', undefined, []],
  ['a member', 'MEMBER#arn#1', undefined, []],
])('%s starts its functions, and only when it is new', (_, sk, eventType, consumers) => {
  expect(startedBy(sk, eventType)).toEqual(consumers);
  expect(startedBy(sk, eventType, 'MODIFY')).toEqual([]);
});
