import * as z from 'zod/mini';
import type { Batch, DigestMember, DigestSummary } from '../domain/digest.ts';

/*
 * The stored form of digests. Each schema is checked against the domain's type. Rows live for some months, so what is added
 * later must be optional here, as in records.ts.
 */
const at = z.iso.datetime();
const count = z.int().check(z.minimum(0));
const reason = z.enum(['rotation-off', 'period-too-long', 'manual-rotation-due', 'unknown']);

export const digestMemberSchema = z.object({
  key: z.object({
    arn: z.string(),
    partition: z.string(),
    region: z.string(),
    accountId: z.string(),
    keyId: z.string(),
  }),
  episode: z.int().check(z.minimum(1)),
  alias: z.nullable(z.string()),
  status: z.enum(['open', 'approved', 'remediated', 'failed', 'exempt', 'closed', 'observed', 'moved']),
  reason,
  severity: z.enum(['LOW', 'MEDIUM', 'HIGH']),
  causedBy: z.nullable(z.string()),
  comesFirst: z.boolean(),
  isApprovable: z.boolean(),
  approvedBy: z.nullable(z.object({ userId: z.string(), at })),
}) satisfies z.ZodMiniType<DigestMember>;

const counts = z.array(z.object({ of: z.string(), count }));
export const digestSummarySchema = z.object({
  total: count,
  moved: count,
  byStatus: z.object({
    open: count,
    approved: count,
    remediated: count,
    failed: count,
    exempt: count,
    closed: count,
    observed: count,
  }),
  byAccount: counts,
  byReason: z.array(z.object({ of: reason, count })),
  byCause: counts,
}) satisfies z.ZodMiniType<DigestSummary>;

export const batchSchema = z.object({
  digest: z.string(),
  requestId: z.string(),
  at,
  person: z.object({
    userId: z.string(),
    teamId: z.string(),
    name: z.string(),
    email: z.nullable(z.string()),
    enterpriseId: z.nullable(z.string()),
    isBot: z.boolean(),
    isGuest: z.boolean(),
    isStranger: z.boolean(),
    isDeactivated: z.boolean(),
  }),
  groups: z.discriminatedUnion('known', [
    z.object({ known: z.literal(true), groupIds: z.array(z.string()), gone: z._default(z.array(z.string()), []) }),
    z.object({ known: z.literal(false) }),
  ]),
  policyVersion: z.string(),
  upTo: at,
  count,
}) satisfies z.ZodMiniType<Batch>;
