/**
 * The table's keys, in one place. One partition per KMS key holds its finding (the snapshot), its events and the
 * claims on its Slack messages, so that one stream shard sees them in order. Two overloaded indexes answer the rest:
 *
 * | question                                | where                                             |
 * |-----------------------------------------|---------------------------------------------------|
 * | the finding of a key                    | pk = KEY#arn, sk = FINDING                        |
 * | its events in order                     | pk = KEY#arn, sk begins with EVENT#               |
 * | the Slack message of an episode         | pk = KEY#arn, sk = MESSAGE#episode#part           |
 * | findings by status                      | byGroup, groupKey = STATUS#status                 |
 * | audit events of a day                   | byGroup, groupKey = DAY#yyyy-mm-dd                |
 * | findings whose deadline has passed      | byTime, timeKey = DUE                             |
 * | audit events of a person                | byTime, timeKey = PERSON#team#user                |
 * | the policy                              | pk = POLICY, sk = CURRENT                         |
 * | the policies that were stored before    | pk = POLICY, sk begins with VERSION#              |
 *
 * What many findings become when they come at once has a partition of its own, with the claim on its message too:
 *
 * | question                                | where                                             |
 * |-----------------------------------------|---------------------------------------------------|
 * | findings of a channel in a minute       | pk = ARRIVALS#channel#minute                      |
 * | the digest that takes findings now      | pk = CHANNEL#channel, sk = DIGEST                 |
 * | a digest, its members, its batches      | pk = DIGEST#id, sk = DIGEST, MEMBER#…, BATCH#…    |
 * | orders to render it, to go on with it   | pk = DIGEST#id, sk = REFRESH#…, TURN#…            |
 * | a page of members, in order             | byGroup, groupKey = DIGEST#id                     |
 * | digests that show an earlier state      | byTime, timeKey = STALE-DIGEST                    |
 * | batches that are not done               | byTime, timeKey = OPEN-BATCH                      |
 *
 * An exemption of a pattern has a partition with a snapshot, a trail and claims, as a key has. What an account has of them
 * stands in one more place, which can be read consistently:
 *
 * | question                                | where                                             |
 * |-----------------------------------------|---------------------------------------------------|
 * | an exemption of a pattern               | pk = PATTERN#id, sk = PATTERN                     |
 * | its events in order                     | pk = PATTERN#id, sk begins with RECORD#           |
 * | those of an account                     | pk = PATTERNS#account                             |
 * | all that have not ended                 | byGroup, groupKey = PATTERNS                      |
 * | all that have                           | byGroup, groupKey = ENDED-PATTERNS                |
 * | events of patterns of a day             | byGroup, groupKey = PATTERN-DAY#yyyy-mm-dd        |
 * | those whose deadline has passed         | byTime, timeKey = PATTERN-DUE                     |
 * | events of patterns of a person          | byTime, timeKey = PATTERN-PERSON#team#user        |
 */
export const INDEX_BY_GROUP = 'byGroup';
export const INDEX_BY_TIME = 'byTime';

export const SNAPSHOT_SORT_KEY = 'FINDING';
export const EVENT_SORT_KEY_PREFIX = 'EVENT#';

/** Attribute names that CDK, sandbox and code have to agree on. */
export const TABLE_ATTRIBUTES = {
  partitionKey: 'pk',
  sortKey: 'sk',
  groupKey: 'groupKey',
  groupSort: 'groupSort',
  timeKey: 'timeKey',
  timeSort: 'timeSort',
  timeToLive: 'ttl',
} as const;

export const partitionOf = (keyArn: string): string => `KEY#${keyArn}`;
export const keyArnOf = (partition: string): string => partition.slice(partitionOf('').length);
/** Zero-padded, so that text order is number order. */
export const eventSortKey = (sequence: number): string =>
  `${EVENT_SORT_KEY_PREFIX}${String(sequence).padStart(10, '0')}`;
/**
 * `root` is the message itself; a number is the thread reply for the event of that sequence, `owner-` with a number what
 * the owner of an exemption was told of it, and `escalation-` with a number what the second channel was.
 */
export type MessagePart = 'root' | number | `owner-${number}` | `escalation-${number}`;
export const messageSortKey = (episode: number, part: MessagePart): string => `MESSAGE#${episode}#${part}`;
/** The order of findings within their status: by opening time; also where a page of them begins. */
export const findingSort = (openedAt: string, keyArn: string): string => `${openedAt}#${keyArn}`;
export const statusGroup = (status: string): string => `STATUS#${status}`;
export const dayGroup = (at: string): string => `DAY#${at.slice(0, 10)}`;
export const DUE = 'DUE';
export const personTime = (teamId: string, userId: string): string => `PERSON#${teamId}#${userId}`;
/** A cause that must be acted upon once: a CloudTrail eventID, a Slack request. */
export const oncePartition = (id: string): string => `ONCE#${id}`;
export const POLICY_PARTITION = 'POLICY';
export const CURRENT_POLICY_SORT_KEY = 'CURRENT';
/** Every policy that was ever stored, in order of time. */
export const POLICY_VERSION_SORT_KEY_PREFIX = 'VERSION#';
export const policyVersionSortKey = (storedAt: string, version: string): string =>
  `${POLICY_VERSION_SORT_KEY_PREFIX}${storedAt}#${version}`;

export const arrivalsPartition = (channel: string, minute: string): string => `ARRIVALS#${channel}#${minute}`;
export const arrivalSortKey = (keyArn: string, episode: number): string => `${keyArn}#${episode}`;
export const channelPartition = (channel: string): string => `CHANNEL#${channel}`;
export const digestPartition = (digest: string): string => `DIGEST#${digest}`;
export const DIGEST_SORT_KEY = 'DIGEST';
export const MEMBER_SORT_KEY_PREFIX = 'MEMBER#';
export const memberSortKey = (keyArn: string, episode: number): string =>
  `${MEMBER_SORT_KEY_PREFIX}${keyArn}#${episode}`;
/** An order to render a digest. */
export const REFRESH_SORT_KEY_PREFIX = 'REFRESH#';
/** An "Approve all", and an order to go on with one. */
export const BATCH_SORT_KEY_PREFIX = 'BATCH#';
export const TURN_SORT_KEY_PREFIX = 'TURN#';
/** `root` is the digest's message itself, anything else a reply below it. */
export const digestMessageSortKey = (part: string): string => `MESSAGE#${part}`;
export const STALE_DIGEST = 'STALE-DIGEST';
export const OPEN_BATCH = 'OPEN-BATCH';

export const patternPartition = (id: string): string => `PATTERN#${id}`;
export const PATTERN_SORT_KEY = 'PATTERN';
/** Not as those of a key: what the stream starts for them is something else. */
export const PATTERN_RECORD_SORT_KEY_PREFIX = 'RECORD#';
export const patternRecordSortKey = (sequence: number): string =>
  `${PATTERN_RECORD_SORT_KEY_PREFIX}${String(sequence).padStart(10, '0')}`;
/** `root` is the message itself, anything else a reply below it or what the owner was told. */
export const patternMessageSortKey = (part: string): string => `MESSAGE#${part}`;
export const accountPatternsPartition = (accountId: string): string => `PATTERNS#${accountId}`;
export const CURRENT_PATTERNS = 'PATTERNS';
export const ENDED_PATTERNS = 'ENDED-PATTERNS';
export const PATTERN_DUE = 'PATTERN-DUE';
export const patternDayGroup = (at: string): string => `PATTERN-${dayGroup(at)}`;
export const patternPersonTime = (teamId: string, userId: string): string => `PATTERN-${personTime(teamId, userId)}`;
