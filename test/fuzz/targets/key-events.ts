import { readdirSync, readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { ForeignKey, KeyNotNamed, parseKeyEvent } from '../../../functions/contracts/kms-event.ts';
import { auditEventSchema, findingSchema } from '../../../functions/contracts/records.ts';
import { type DetectDeps, detectFinding } from '../../../functions/detect-finding/detect-finding.ts';
import { aKey, anObservation } from '../../builders.ts';
import { createInMemoryFindings } from '../../fakes/in-memory-findings.ts';
import { jsonInput, jsonSeeds } from '../json-input.ts';
import { check, checkPrototypes, onlyRejects, onlyThrows } from '../properties.ts';

/*
 * The body of an SQS message: an EventBridge event, or anything that somebody with access to the bus or the queue
 * puts there. What cannot be read is thrown, so that SQS keeps it and hands it to the dead-letter queue.
 */
const FOLDER = new URL('../../fixtures/', import.meta.url);
const SEEDS: unknown[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => json(readFileSync(new URL(name, FOLDER), 'utf8')));

export async function fuzz(data: Buffer): Promise<void> {
  const input = jsonInput(data, SEEDS);
  if (input === undefined) return;
  const event = onlyThrows([z.core.$ZodError, KeyNotNamed, ForeignKey], () => parseKeyEvent(input.value));
  const findings = createInMemoryFindings();
  const deps: DetectDeps = {
    ...findings,
    now: () => new Date('2030-01-01T00:00:00.000Z'),
    observeKey: (key) => Promise.resolve(anObservation(aKey(key))),
  };
  const result = await onlyRejects([z.core.$ZodError, KeyNotNamed, ForeignKey], () => detectFinding(input.value, deps));
  check('same-twice', (event === undefined) === (result === undefined), () => JSON.stringify({ event, result }));
  if (event !== undefined) {
    const finding = await findings.loadFinding(event.key.arn);
    const rows = findings.auditOf(event.key.arn).map((record) => auditEventSchema.safeParse(stored(record)));
    check(
      'readable',
      rows.every(({ success }) => success),
      () => JSON.stringify(rows),
    );
    const snapshot = finding === undefined ? undefined : findingSchema.safeParse(stored(finding));
    check('readable', snapshot?.success !== false, () => JSON.stringify(snapshot));
  }
  checkPrototypes();
}

function stored(value: unknown): unknown {
  return json(JSON.stringify(value));
}

function json(text: string): unknown {
  return JSON.parse(text);
}

export function seeds(): Buffer[] {
  return jsonSeeds(SEEDS);
}
