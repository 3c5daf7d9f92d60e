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
  ['a finding', 'FINDING', undefined, []],
  ['a claim', 'MESSAGE#1#root', undefined, []],
  ['a digest', 'DIGEST', undefined, []],
  ['a member', 'MEMBER#arn#1', undefined, []],
])('%s starts its functions, and only when it is new', (_, sk, eventType, consumers) => {
  expect(startedBy(sk, eventType)).toEqual(consumers);
  expect(startedBy(sk, eventType, 'MODIFY')).toEqual([]);
});
