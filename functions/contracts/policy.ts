import * as z from 'zod/mini';
import type { Policy } from '../domain/policy.ts';
import { minutesOf } from '../domain/working-hours.ts';
import { KEY_EVENTS } from './kms-event.ts';

const accountId = z.string().check(z.regex(/^\d{12}$/, 'expected a 12-digit account id in quotes'));
const channelId = z
  .string()
  .check(z.regex(/^[CG][A-Z0-9]+$/, 'expected a Slack channel id such as C0123456789, not its name'));
const userId = z.string().check(z.regex(/^[UW][A-Z0-9]+$/, 'expected a Slack user id such as U0123456789'));
const userGroupId = z.string().check(z.regex(/^S[A-Z0-9]+$/, 'expected a Slack user group id such as S0123456789'));
const enterpriseId = z
  .string()
  .check(z.regex(/^E[A-Z0-9]+$/, 'expected a Slack Enterprise organisation id such as E0123456789'));
const eventNames: readonly string[] = KEY_EVENTS;
// A misspelt name would silently have the default grace.
const eventName = z
  .string()
  .check(z.refine((text) => eventNames.includes(text), `expected one of ${eventNames.join(', ')}`));
const period = z.int().check(z.minimum(90), z.maximum(2560));
const wholeDays = z.int().check(z.minimum(1), z.maximum(3650));
const nonEmpty = <T extends z.ZodMiniType>(item: T) => z.array(item).check(z.minLength(1));

const wallClock = z.string().check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'expected a time such as "08:30"'));
const workingHours = z
  .strictObject({
    timeZone: z.string().check(z.refine(isTimeZone, 'expected an IANA time zone such as Europe/Berlin')),
    days: nonEmpty(z.enum(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'])),
    from: wallClock,
    to: wallClock,
  })
  .check(z.refine(({ from, to }) => minutesOf(from) < minutesOf(to), 'expected from to be before to'));
/** A year; longer would be no reminder, and beyond what a date can hold. */
const hours = z.number().check(z.positive(), z.maximum(8760));

const approvers = z.strictObject({
  users: z._default(z.array(userId), []),
  userGroups: z._default(z.array(userGroupId), []),
});

const routeFields = {
  name: z.string().check(z.minLength(1), z.maxLength(80)),
  channel: channelId,
  approvers,
  mode: z._default(z.enum(['ask', 'auto', 'observe']), 'ask'),
  fourEyes: z._default(z.boolean(), false),
  workingHours: z._default(z.nullable(workingHours), null),
  escalationChannel: z._default(z.nullable(channelId), null),
};

const match = z
  .strictObject({
    accounts: z.optional(nonEmpty(accountId)),
    organizationalUnits: z.optional(nonEmpty(z.string().check(z.minLength(1)))),
    regions: z.optional(nonEmpty(z.string().check(z.minLength(1)))),
    // A record skips `__proto__`, and a map without conditions would match every key.
    tags: z.optional(
      z
        .record(z.string().check(z.minLength(1)), nonEmpty(z.string()))
        .check(z.refine((tags) => Object.keys(tags).length > 0, 'expected at least one tag')),
    ),
    aliases: z.optional(nonEmpty(z.string().check(z.minLength(1)))),
  })
  .check(z.refine((conditions) => Object.keys(conditions).length > 0, 'expected at least one condition'));

const DEFAULT_DIGEST = {
  threshold: 20,
  firstTags: { environment: ['prod', 'production'], exposure: ['internet', 'public'] },
};

/** The policy file. Every key is documented in the example at the root, `rotation-policy.yaml`. */
export const policySchema = z
  .strictObject({
    version: z.literal(1),
    rotation: z.strictObject({ periodInDays: period, maximumPeriodInDays: period }),
    graceSeconds: z._default(
      z.strictObject({
        default: z.int().check(z.minimum(0), z.maximum(43_200)),
        byEventName: z._default(z.record(eventName, z.int().check(z.minimum(0), z.maximum(43_200))), {}),
      }),
      { default: 30, byEventName: { CreateKey: 180 } },
    ),
    organisation: z.strictObject({
      teamIds: nonEmpty(z.string().check(z.regex(/^T[A-Z0-9]+$/, 'expected a Slack workspace id such as T0123456789'))),
      enterpriseIds: z._default(z.array(enterpriseId), []),
    }),
    accounts: z._default(
      z.record(
        accountId,
        z.strictObject({
          name: z.string().check(z.minLength(1), z.maxLength(80)),
          organizationalUnit: z.optional(z.string()),
        }),
      ),
      {},
    ),
    identities: z._default(
      z.array(z.strictObject({ awsArn: z.string().check(z.minLength(1)), slackUserId: z.nullable(userId) })),
      [],
    ),
    routes: z._default(z.array(z.strictObject({ ...routeFields, match })), []),
    defaultRoute: z.strictObject({ ...routeFields, name: z._default(routeFields.name, 'default') }),
    exemptions: z.strictObject({
      maximumDays: wholeDays,
      maximumTotalDays: z._default(wholeDays, 730),
      reminderDays: z._default(z.array(z.int().check(z.minimum(1))), [14, 7, 1]),
      minimumReasonLength: z._default(z.int().check(z.minimum(1), z.maximum(500)), 10),
      ticketRequired: z._default(z.boolean(), false),
      selfExemption: z._default(z.boolean(), false),
      patterns: z._default(z.nullable(z.strictObject({ channel: channelId, approvers })), null),
    }),
    unanswered: z._default(
      z.strictObject({
        remindAfterHours: z._default(z.array(hours), [4, 24, 72]),
        escalateAfterHours: z._default(z.nullable(hours), 48),
        escalationChannel: z._default(z.nullable(channelId), null),
      }),
      { remindAfterHours: [4, 24, 72], escalateAfterHours: 48, escalationChannel: null },
    ),
    backOut: z._default(z.strictObject({ windowDays: wholeDays }), { windowDays: 14 }),
    identity: z._default(z.strictObject({ cacheSeconds: z.int().check(z.minimum(0), z.maximum(300)) }), {
      cacheSeconds: 60,
    }),
    fourEyes: z._default(z.strictObject({ confirmWithinHours: z.int().check(z.minimum(1), z.maximum(168)) }), {
      confirmWithinHours: 24,
    }),
    digest: z._default(
      z.strictObject({
        threshold: z._default(z.nullable(z.int().check(z.minimum(1), z.maximum(1000))), DEFAULT_DIGEST.threshold),
        firstTags: z._default(
          z.record(z.string().check(z.minLength(1)), nonEmpty(z.string())),
          DEFAULT_DIGEST.firstTags,
        ),
      }),
      DEFAULT_DIGEST,
    ),
  })
  .check(({ value: policy, issues }) => {
    const complain = (path: (string | number)[], message: string) => {
      issues.push({ code: 'custom', path, message, input: policy });
    };
    if (policy.rotation.periodInDays > policy.rotation.maximumPeriodInDays) {
      const { maximumPeriodInDays } = policy.rotation;
      complain(['rotation', 'periodInDays'], `expected at most maximumPeriodInDays (${maximumPeriodInDays})`);
    }
    const names = new Set<string>([policy.defaultRoute.name]);
    for (const [index, route] of policy.routes.entries()) {
      if (names.has(route.name)) complain(['routes', index, 'name'], `"${route.name}" is used by another route`);
      names.add(route.name);
    }
    for (const [path, route] of [
      ...policy.routes.map((route, index) => [['routes', index], route] as const),
      [['defaultRoute'], policy.defaultRoute] as const,
    ]) {
      const nobody = route.approvers.users.length + route.approvers.userGroups.length === 0;
      // Even a route that acts by itself asks when a key is in a drift loop or a remediation fails.
      if (route.mode !== 'observe' && nobody) {
        complain([...path, 'approvers'], 'expected at least one user or user group: somebody must be able to decide');
      }
    }
    const { maximumDays, maximumTotalDays, patterns } = policy.exemptions;
    if (patterns !== null && patterns.approvers.userGroups.length === 0 && patterns.approvers.users.length < 2) {
      complain(['exemptions', 'patterns', 'approvers'], 'expected two users or a user group: it takes two people');
    }
    if (maximumTotalDays < maximumDays) {
      complain(['exemptions', 'maximumTotalDays'], `expected at least maximumDays (${maximumDays})`);
    }
    for (const [index, days] of policy.exemptions.reminderDays.entries()) {
      if (days >= maximumDays) {
        complain(['exemptions', 'reminderDays', index], `expected fewer days than maximumDays (${maximumDays})`);
      }
    }
    const { remindAfterHours } = policy.unanswered;
    for (const [index, hour] of remindAfterHours.entries()) {
      if (index > 0 && hour <= (remindAfterHours[index - 1] ?? 0)) {
        complain(['unanswered', 'remindAfterHours', index], 'expected hours in rising order');
      }
    }
  }) satisfies z.ZodMiniType<Policy>;

export type PolicyProblem = { path: string; problem: string };

/** The policy is not usable; nothing may be remediated under it. */
export class InvalidPolicy extends Error {
  public override readonly name = 'InvalidPolicy';
  public readonly problems: PolicyProblem[];
  public constructor(problems: PolicyProblem[]) {
    super(
      `the rotation policy is not valid:\n${problems.map(({ path, problem }) => `  ${path}: ${problem}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/**
 * Checks a policy document (parsed from YAML or JSON). `positionOf` says where a part of it stands in the file that it
 * came from; that is added to its path.
 * @throws InvalidPolicy with one line per problem: where, what, and what is allowed.
 */
export function parsePolicy(
  document: unknown,
  positionOf: (path: readonly PropertyKey[]) => string | null = () => null,
): Policy {
  const result = policySchema.safeParse(document, { reportInput: true });
  if (result.success) return result.data;
  throw new InvalidPolicy(
    result.error.issues.map((issue) => {
      const position = positionOf(issue.path);
      const path = pathText(issue.path);
      return { path: position === null ? path : `${position}, ${path}`, problem: problemText(issue) };
    }),
  );
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(document)';
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

function problemText(issue: z.core.$ZodIssue): string {
  const got = shown(issue.input);
  switch (issue.code) {
    case 'unrecognized_keys':
      return `unknown ${issue.keys.map((key) => `"${key}"`).join(', ')}; see rotation-policy.yaml for the keys that exist`;
    case 'invalid_type':
      return `expected ${issue.expected === 'int' ? 'a whole number' : issue.expected}, got ${got}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}, got ${got}`;
    case 'too_small':
      return `expected at least ${issue.minimum}${unit(issue.origin)}, got ${got}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${unit(issue.origin)}, got ${got}`;
    case 'invalid_format':
      return `${issue.message}, got ${got}`;
    case 'invalid_key':
      return issue.issues.map(({ message }) => message).join('; ');
    case 'custom':
    case 'invalid_element':
    case 'invalid_union':
    case 'not_multiple_of':
      return issue.message;
  }
}

/** Lists and maps by their kind only: they may be long, and deeper than JSON.stringify can follow. */
function shown(input: unknown): string {
  if (input === undefined) return 'nothing';
  if (typeof input !== 'object' || input === null) return JSON.stringify(input).slice(0, 60);
  if (Object.keys(input).length === 0) return JSON.stringify(input);
  return Array.isArray(input) ? 'a list' : 'a map';
}

function unit(origin: string): string {
  return origin === 'array' ? ' entries' : origin === 'string' ? ' characters' : '';
}
