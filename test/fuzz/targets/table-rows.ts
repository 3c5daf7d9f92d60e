import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { tableOverSdk } from '../../../functions/adapters/dynamodb-sdk.ts';
import { createFindingsTable, parseEventImage } from '../../../functions/adapters/findings-table.ts';
import { createMessageClaims } from '../../../functions/adapters/message-claims.ts';
import { createPolicyStore, PolicyUnreadable } from '../../../functions/adapters/policy-store.ts';
import { offsetAt } from '../../../functions/adapters/time-zone.ts';
import type { AuditEvent } from '../../../functions/domain/audit.ts';
import { dueWork, nextDeadline } from '../../../functions/domain/deadlines.ts';
import { decide } from '../../../functions/domain/decide.ts';
import type { Finding } from '../../../functions/domain/finding.ts';
import { deadlineRules, routeOf } from '../../../functions/domain/policy.ts';
import { renderFinding } from '../../../functions/messages/finding-message.ts';
import { renderReply } from '../../../functions/messages/thread-reply.ts';
import { aFinding, aPolicy, commandsOfEveryType, HISTORY, KEY, later } from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';
import { jsonInput, jsonSeeds } from '../json-input.ts';
import { check, checkPrototypes, onlyRejects, onlyThrows } from '../properties.ts';

/*
 * Rows of the table that an older or newer version wrote, or that somebody edited by hand. Each is read as every kind
 * of row there is, and what can be read is used as the bot uses it: decided upon, rendered, scheduled.
 */
/** DynamoDB's own limit, "Item attributes" in its Developer Guide. */
const DEEPEST = 32;
const POLICY = aPolicy();
const NOW = later({ hours: 3 });
const MENTION = /<[!@#]/;
const COMMANDS = Object.values(commandsOfEveryType(NOW));
const SEEDS = await rowsOfEveryKind();

let row: unknown;
const client = DynamoDBDocumentClient.from(
  new DynamoDBClient({ region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 's' } }),
);
// The row comes as the document client hands it on: nothing is sent.
client.middlewareStack.add(
  () => () => Promise.resolve({ output: { $metadata: {}, Item: row, Items: [row] }, response: {} }),
  { step: 'initialize', priority: 'high' },
);
const table = tableOverSdk({ client, tableName: 'findings' });
const findings = createFindingsTable(table);
const claims = createMessageClaims(table);

export async function fuzz(data: Buffer): Promise<void> {
  const input = jsonInput(data, SEEDS);
  if (input === undefined) return;
  row = input.value;
  if (typeof row !== 'object' || row === null || Array.isArray(row) || depthOf(row) > DEEPEST) return;
  const head = await onlyRejects([z.core.$ZodError], () => findings.load(KEY.arn));
  if (head?.finding !== undefined) useFinding(head.finding);
  const trail = await onlyRejects([z.core.$ZodError], () => findings.auditOf(KEY.arn));
  trail?.forEach(useRecord);
  await onlyRejects([z.core.$ZodError], () => claims.read({ keyArn: KEY.arn, episode: 1, part: 'root' }));
  await onlyRejects([PolicyUnreadable], () => createPolicyStore({ table, now: () => new Date(NOW) }).loadPolicy());
  const image = imageOf(row);
  if (image !== undefined) onlyThrows([z.core.$ZodError], () => parseEventImage(image));
  // What is not an attribute map at all: the conversion's own errors are good enough.
  onlyThrows([Error], () => parseEventImage(row));
  checkPrototypes();
}

function depthOf(value: unknown): number {
  let level: unknown[] = [value];
  let depth = 0;
  for (; level.length > 0 && depth <= DEEPEST; depth += 1) {
    level = level.flatMap((one): unknown[] => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return depth;
}

/** Undefined for what DynamoDB could not hold in the first place. */
function imageOf(value: object): unknown {
  try {
    return marshall(value, { removeUndefinedValues: true });
  } catch {
    return undefined;
  }
}

function useFinding(finding: Finding): void {
  onlyThrows([], () => {
    for (const command of COMMANDS) decide(command, finding);
    routeOf(POLICY, finding);
    nextDeadline(finding, deadlineRules(POLICY, finding, offsetAt));
    dueWork(finding, deadlineRules(POLICY, finding, offsetAt), NOW);
    const { text } = renderFinding(finding, { policy: POLICY, now: NOW });
    check('nobody-is-called', !MENTION.test(text), () => text);
  });
}

function useRecord(record: AuditEvent): void {
  onlyThrows([], () => {
    const reply = renderReply(record, { policy: POLICY, now: NOW, finding: aFinding('open') });
    check('nobody-is-called', reply === null || !MENTION.test(reply.text), () => reply?.text ?? '');
  });
}

async function rowsOfEveryKind(): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (const history of Object.values(HISTORY)) {
    const world = createInMemoryFindings();
    await world.given(history);
    const { sequence, hash, finding } = await world.load(KEY.arn);
    rows.push({ pk: `KEY#${KEY.arn}`, sk: 'FINDING', sequence, hash, finding, groupKey: 'STATUS#open' });
    rows.push(...world.auditOf(KEY.arn).map((record) => ({ pk: `KEY#${KEY.arn}`, sk: 'EVENT#1', record })));
  }
  const message = { pk: `KEY#${KEY.arn}`, sk: 'MESSAGE#1#root', postId: 'p', channel: 'C0123456789' };
  rows.push({ ...message, state: 'claimed', claimedAt: NOW }, { ...message, state: 'released', refusedWith: 'no' });
  rows.push({ ...message, state: 'posted', ts: '1.1', renderedVersion: 3 });
  rows.push({ pk: 'POLICY', sk: 'CURRENT', document: POLICY, storedAt: NOW, version: 'v' });
  return rows;
}

export function seeds(): Buffer[] {
  return jsonSeeds(SEEDS);
}
