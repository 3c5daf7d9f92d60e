import * as z from 'zod/mini';
import type { AuditEvent } from '../domain/audit.ts';
import type { Finding } from '../domain/finding.ts';
import type { FindingEvent } from '../domain/finding-events.ts';

/*
 * The stored form of findings and audit events. Each schema is checked against the domain's type, so that neither can
 * change without the other. Fields that are added later must be optional here: old rows stay in the table for ever.
 */
/** UTF-8 has no lone surrogates: they would be stored as something else than what was hashed. */
export const text = z.string().check(z.overwrite((value) => value.toWellFormed()));
export const at = z.iso.datetime();
export const count = z.int().check(z.minimum(0));

const key = z.object({ arn: text, partition: text, region: text, accountId: text, keyId: text });
const facts = z.extend(key, {
  aliases: z.array(text),
  description: text,
  tags: z.array(z.object({ key: text, value: text })),
  keyManager: text,
  keyState: text,
  keySpec: text,
  keyUsage: text,
  origin: text,
  customKeyStoreId: z.nullable(text),
  multiRegionKeyType: z.nullable(z.enum(['PRIMARY', 'REPLICA'])),
  primaryArn: z.nullable(text),
  createdAt: at,
});
const deniedBy = z.enum(['key-policy', 'identity-policy', 'service-control-policy', 'unspecified']);
const unknownReason = z.discriminatedUnion('because', [
  z.object({ because: z.literal('access-denied'), operation: text, deniedBy, principal: text }),
  z.object({ because: z.literal('unrecognised-key-state'), keyState: text }),
  z.object({ because: z.literal('unrecognised-origin'), origin: text }),
  z.object({ because: z.literal('rotation-not-read') }),
  z.object({ because: z.literal('period-not-reported') }),
  z.object({ because: z.literal('kms-refused'), operation: text, code: text }),
]);
const notApplicableReason = z.enum([
  'aws-managed-key',
  'asymmetric-key',
  'hmac-key',
  'unrecognised-key-spec',
  'key-usage',
  'custom-key-store',
  'replica-key',
  'disabled',
  'pending-deletion',
  'pending-import',
  'key-deleted',
]);
const problems = [
  z.object({ verdict: z.literal('rotation-off') }),
  z.object({ verdict: z.literal('period-too-long'), periodInDays: count, maximumPeriodInDays: count }),
  z.object({
    verdict: z.literal('manual-rotation-due'),
    pendingKeyMaterialId: z.nullable(text),
    lastRotatedAt: z.nullable(at),
  }),
  z.object({ verdict: z.literal('unknown'), reason: unknownReason }),
] as const;
const problem = z.discriminatedUnion('verdict', problems);
const assessment = z.discriminatedUnion('verdict', [
  ...problems,
  z.object({ verdict: z.literal('compliant') }),
  z.object({ verdict: z.literal('not-applicable'), reason: notApplicableReason }),
]);
export const person = z.object({ userId: text, teamId: text, name: text, email: z.nullable(text) });
const decider = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('person'), person }),
  z.object({ kind: z.literal('policy'), route: text }),
]);
const actor = z.object({
  type: text,
  name: text,
  arn: z.nullable(text),
  accountId: z.nullable(text),
  email: z.nullable(text),
  invokedBy: z.nullable(text),
});
const trigger = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('cloudtrail'),
    eventId: text,
    eventName: text,
    at,
    actor,
    tool: text,
    sourceIp: z.nullable(text),
  }),
  z.object({ kind: z.literal('kms-event'), eventId: text, eventName: text, at }),
  z.object({ kind: z.literal('exemption-end'), at }),
  z.object({ kind: z.literal('recheck'), at, by: person }),
  z.object({ kind: z.literal('second-look'), at }),
  z.object({ kind: z.literal('sweep'), at }),
]);
const accountId = text;
export const keyPattern = z.discriminatedUnion('by', [
  z.object({ accountId, by: z.literal('tag'), key: text, value: text }),
  z.object({ accountId, by: z.literal('alias'), alias: text }),
]);
export const terms = z.object({ owner: person, reason: text, ticket: z.nullable(text), until: at });
const exemption = z.extend(terms, {
  grantedBy: person,
  confirmedBy: z.optional(person),
  grantedAt: at,
  remindedDays: z.array(count),
  since: z.optional(at),
  endAcceptedBy: z.optional(person),
  pattern: z.optional(z.object({ id: text, means: keyPattern })),
});
const request = z.object({
  action: z.enum(['exempt', 'renew-exemption', 'back-out']),
  by: person,
  at,
  terms,
  because: z.enum(['route-asks', 'cause-not-told']),
  lapsesAt: at,
});
const remedy = z.discriminatedUnion('id', [
  z.object({ id: z.literal('enable-rotation'), rotationPeriodInDays: count }),
  z.object({ id: z.literal('rotate-on-demand'), keyMaterialId: text }),
  z.object({ id: z.literal('disable-rotation') }),
]);
const failure = z.discriminatedUnion('because', [
  z.object({ because: z.literal('policy-denies'), operation: text, deniedBy, principal: text }),
  z.object({ because: z.literal('not-confirmed'), expected: text, lastRead: text }),
  z.object({ because: z.literal('key-changed'), found: problem }),
  z.object({ because: z.literal('rotation-limit-reached') }),
  z.object({ because: z.literal('kms-refused'), operation: text, code: text }),
  z.object({ because: z.literal('no-result'), attempts: count }),
]);
const approval = z.object({ by: decider, at, confirmedBy: z.optional(person) });
const proof = z.object({
  readAt: at,
  agreeingReads: count,
  rotationEnabled: z.nullable(z.boolean()),
  rotationPeriodInDays: z.nullable(count),
  nextRotationAt: z.nullable(at),
  currentKeyMaterialId: z.nullable(text),
});
const closing = z.discriminatedUnion('because', [
  z.object({ because: z.literal('compliant'), by: z.nullable(text) }),
  z.object({ because: z.literal('not-applicable'), reason: notApplicableReason, by: z.nullable(text) }),
]);
const mode = z.enum(['ask', 'auto', 'observe']);
const statuses = ['open', 'approved', 'remediated', 'failed', 'exempt', 'closed'] as const;
const kmsRequestId = z.nullable(text);

const base = {
  key,
  facts: z.nullable(facts),
  assessment: problem,
  trigger,
  episode: z.int().check(z.minimum(1)),
  openedAt: at,
  route: text,
  mode,
  history: z.object({
    switchedOnByBot: z.array(z.object({ at, approvedBy: decider })),
    switchedOffAgain: z.array(z.object({ at, by: text, tool: text })),
  }),
  exemptSince: z.optional(at),
  leftPatterns: z.optional(z.array(text)),
};
const mayHaveRequest = { request: z.optional(request) };
const unanswered = { remindersSent: count, escalatedAt: z.nullable(at) };

export const findingSchema = z.discriminatedUnion('status', [
  z.object({ ...base, ...mayHaveRequest, status: z.literal('open'), askedAt: at, ...unanswered }),
  z.object({
    ...base,
    status: z.literal('approved'),
    approval,
    remedy,
    startedAt: z.nullable(at),
    overdueReports: count,
    lastActivityAt: at,
    thenExempt: z.nullable(exemption),
  }),
  z.object({
    ...base,
    ...mayHaveRequest,
    status: z.literal('remediated'),
    approval,
    remedy,
    remediatedAt: at,
    proof,
    kmsRequestId,
  }),
  z.object({
    ...base,
    ...mayHaveRequest,
    status: z.literal('failed'),
    approval,
    remedy,
    failedAt: at,
    failure,
    kmsRequestId,
    ...unanswered,
  }),
  z.object({ ...base, ...mayHaveRequest, status: z.literal('exempt'), exemption }),
  z.object({ ...base, status: z.literal('closed'), closedAt: at, closing }),
]) satisfies z.ZodMiniType<Finding>;

/** Those that an exemption of a pattern may meet as well. */
export const sharedRefusals = [
  z.object({ reason: z.literal('reason-too-short'), minimumLength: count }),
  z.object({ reason: z.literal('until-beyond-maximum'), maximumDays: count }),
  z.object({ reason: z.literal('until-beyond-total'), maximumTotalDays: count, latest: at }),
  z.object({ reason: z.literal('end-accepted'), by: text }),
  z.object({ reason: z.literal('request-pending'), by: text, at }),
  z.object({ reason: z.literal('requester-may-not'), by: text }),
  z.object({
    reason: z.enum([
      'outside-organisation',
      'guest',
      'bot',
      'deactivated',
      'not-an-approver',
      'groups-unavailable',
      'group-gone',
      'caused-the-finding',
      'ticket-missing',
      'until-not-in-future',
      'owner-not-a-full-member',
      'no-request',
      'request-lapsed',
      'request-changed',
      'own-request',
      'second-person-not-told',
    ]),
  }),
] as const;
const refusal = z.discriminatedUnion('reason', [
  ...sharedRefusals,
  z.object({ reason: z.literal('not-shorter'), until: at }),
  z.object({
    reason: z.literal('already-decided'),
    status: z.enum(statuses),
    by: z.nullable(text),
    at: z.nullable(at),
  }),
  z.object({ reason: z.enum(['not-exempt', 'not-remediated']), status: z.enum(statuses) }),
  z.object({ reason: z.literal('back-out-window-over'), days: count }),
  z.object({
    reason: z.enum(['only-observed', 'no-finding', 'earlier-episode', 'nothing-to-approve', 'not-switched-on-by-bot']),
  }),
]);

const action = z.enum([
  'approve',
  'exempt',
  'renew-exemption',
  'revoke-exemption',
  'shorten-exemption',
  'let-exemption-end',
  'fix-now',
  'back-out',
  're-check',
  'confirm-request',
  'withdraw-request',
]);
export const event = <T extends string, S extends z.core.$ZodShape>(type: T, shape: S) =>
  z.object({ type: z.literal(type), at, ...shape });

/** Every event passes through it before it is stored too, so that the table holds nothing that cannot be read again. */
export const findingEventSchema = z.discriminatedUnion('type', [
  event('finding-opened', {
    key,
    facts: z.nullable(facts),
    assessment: problem,
    trigger,
    episode: z.int().check(z.minimum(1)),
    route: text,
    mode,
  }),
  event('finding-reassessed', { facts: z.nullable(facts), assessment: problem, trigger }),
  event('finding-closed', { closing, trigger }),
  event('mode-changed', { from: mode, to: mode }),
  event('recheck-requested', { by: person }),
  event('rechecked', { by: person, assessment }),
  event('remediation-approved', { approval, remedy }),
  event('back-out-approved', { approval, remedy, thenExempt: exemption }),
  event('remediation-started', { remedy }),
  event('remediated', { remedy, proof, kmsRequestId }),
  event('backed-out', { exemption, proof, kmsRequestId }),
  event('remediation-failed', { failure, kmsRequestId }),
  event('remediation-overdue', { report: count }),
  event('confirmation-requested', { request }),
  event('request-withdrawn', { by: person }),
  event('request-lapsed', {}),
  event('exemption-granted', { exemption }),
  event('exemption-renewed', { exemption, by: person }),
  event('exemption-shortened', { by: person, until: at, owner: person }),
  event('exemption-end-accepted', { by: person }),
  event('exemption-revoked', { by: person, withPattern: z.optional(z.literal(true)) }),
  event('exemption-expired', { facts: z.nullable(facts), assessment }),
  event('exemption-reminded', { daysLeft: count, owner: person }),
  event('reminded', { reminder: count }),
  event('escalated', {}),
  event('command-refused', { command: action, by: decider, refusal }),
]) satisfies z.ZodMiniType<FindingEvent>;

export const cause = z.object({
  kind: z.enum(['cloudtrail', 'kms-event', 'slack', 'clock', 'remediation', 'second-look', 'sweep']),
  id: text,
});

export const auditEventSchema = z.object({
  schema: z.literal(1),
  id: text.check(z.minLength(1)),
  sequence: z.int().check(z.minimum(1)),
  key,
  episode: z.int().check(z.minimum(1)),
  statusBefore: z.enum([...statuses, 'none']),
  statusAfter: z.enum(statuses),
  event: findingEventSchema,
  cause,
  policyVersion: text,
  previousHash: text,
  hash: text,
}) satisfies z.ZodMiniType<AuditEvent>;
