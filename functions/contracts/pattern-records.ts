import * as z from 'zod/mini';
import type { PatternRecord } from '../domain/pattern-audit.ts';
import type { PatternEvent, PatternExemption } from '../domain/pattern-exemption.ts';
import { at, cause, count, event, keyPattern, person, sharedRefusals, terms, text } from './records.ts';

/*
 * The stored form of exemptions of a pattern and their trail. Each schema is checked against the domain's type. Fields
 * that are added later must be optional here, as in records.ts.
 */
const request = z.object({ by: person, at, terms, lapsesAt: at });
const coverage = z.object({ exempt: count, leftOut: count });

export const patternSchema = z.object({
  id: text,
  pattern: keyPattern,
  request: z.nullable(request),
  grant: z.nullable(
    z.extend(terms, {
      grantedBy: person,
      confirmedBy: person,
      grantedAt: at,
      since: at,
      remindedDays: z.array(count),
      endAcceptedBy: z.optional(person),
    }),
  ),
  ended: z.nullable(
    z.object({
      at,
      by: z.nullable(person),
      because: z.enum(['expired', 'revoked', 'never-confirmed', 'withdrawn']),
    }),
  ),
  coverage: z.nullable(coverage),
  isApplied: z.boolean(),
}) satisfies z.ZodMiniType<PatternExemption>;

/** Every event passes through it before it is stored too, so that the table holds nothing that cannot be read again. */
export const patternEventSchema = z.discriminatedUnion('type', [
  event('pattern-requested', { id: text, pattern: keyPattern, request }),
  event('pattern-confirmed', { by: person, until: at }),
  event('pattern-withdrawn', { by: person }),
  event('pattern-lapsed', {}),
  event('pattern-applied', { coverage, isLast: z.boolean() }),
  event('pattern-reminded', { daysLeft: count, owner: person }),
  event('pattern-end-accepted', { by: person }),
  event('pattern-revoked', { by: person }),
  event('pattern-expired', {}),
  event('pattern-refused', {
    command: z.enum(['request-pattern', 'confirm-pattern', 'withdraw-pattern', 'revoke-pattern', 'let-pattern-end']),
    by: person,
    refusal: z.discriminatedUnion('reason', [
      ...sharedRefusals,
      z.object({ reason: z.enum(['pattern-too-broad', 'pattern-ended', 'pattern-not-granted']) }),
    ]),
  }),
]) satisfies z.ZodMiniType<PatternEvent>;

export const patternRecordSchema = z.object({
  schema: z.literal(1),
  id: text.check(z.minLength(1)),
  sequence: z.int().check(z.minimum(1)),
  patternId: text,
  event: patternEventSchema,
  cause,
  policyVersion: text,
  previousHash: text,
  hash: text,
}) satisfies z.ZodMiniType<PatternRecord>;
