import type { AuthorityVerdict } from '../../functions/domain/authority.ts';
import {
  decidePattern,
  evolvePattern,
  type PatternAction,
  type PatternEvent,
  type PatternExemption,
  type PatternPersonCommand,
  type PatternRefusal,
} from '../../functions/domain/pattern-exemption.ts';
import type { PersonRef } from '../../functions/domain/people.ts';
import type { Policy } from '../../functions/domain/policy.ts';
import { verdictOnPattern } from '../../functions/domain/verdict.ts';
import { DEV_KEYS, someTerms } from '../builders.ts';
import { groupsOf, KINDS, type Kind, slackPerson } from './people.ts';

const EVERY_ACTION: Record<PatternAction, string> = {
  'request-pattern': 'ask for it, or for its renewal',
  'confirm-pattern': 'confirm the request',
  'withdraw-pattern': 'withdraw the request',
  'revoke-pattern': 'end the exemption',
  'let-pattern-end': 'let it run out',
};
const isAction = (name: string): name is PatternAction => name in EVERY_ACTION;
export const PATTERN_ACTIONS = Object.keys(EVERY_ACTION).filter(isAction);

export const PATTERN_SITUATIONS = [
  'nobody has asked',
  'a request waits',
  'in force',
  'in force, a renewal waits',
  'ended',
] as const;
type PatternSituation = (typeof PATTERN_SITUATIONS)[number];

/** One question of the tables of patterns, and what had happened when it is asked. */
export type PatternCase = {
  id: string;
  situation: PatternSituation;
  kind: Kind;
  action: PatternAction;
  events: PatternEvent[];
};
export type PatternOutcome = { events: PatternEvent['type'][] } | { refusal: PatternRefusal };

/** Every person, action and situation. `now` is when they act. */
export function everyPatternCase(now: string): PatternCase[] {
  return PATTERN_SITUATIONS.flatMap((situation, row) =>
    KINDS.flatMap((kind, column) =>
      PATTERN_ACTIONS.map((action, index) => {
        const id = `pattern-${row}-${column}-${index}`;
        return { id, situation, kind, action, events: storyOf(situation, { id, kind, now }) };
      }),
    ),
  );
}

/** What the domain says: authority, then `decidePattern`, as decide-finding asks them. */
export function patternOutcome({ kind, action, events }: PatternCase, policy: Policy, now: string): PatternOutcome {
  const current = events.reduce<PatternExemption | undefined>(evolvePattern, undefined);
  const person = slackPerson(kind.userId);
  const by = refOf(kind.userId);
  const asking = { person, groups: groupsOf(kind), policy };
  const verdict = verdictOnPattern(action, { grant: current?.grant ?? null }, asking);
  const decision = decidePattern(commandOf(action, { at: now, by, verdict }, current, policy), current);
  switch (decision.outcome) {
    case 'accepted':
      return { events: decision.events.map(({ type }) => type) };
    case 'refused':
      return { refusal: decision.refusal };
    case 'ignored':
      throw new Error('a person is never ignored');
  }
}

/** A row of the table: the words for what is done. */
export function patternActionWords(action: PatternAction): string {
  return EVERY_ACTION[action];
}

function storyOf(
  situation: PatternSituation,
  { id, kind, now }: { id: string; kind: Kind; now: string },
): PatternEvent[] {
  const at = (minutesAgo: number) => new Date(Date.parse(now) - minutesAgo * 60_000).toISOString();
  const owner = refOf(kind.ownsExemption ? kind.userId : 'U0ENGINEER');
  const request = {
    ...{ by: refOf(kind.requestedBy), at: at(60), lapsesAt: at(-600) },
    terms: someTerms({ owner, until: at(-43_200) }),
  };
  const requested: PatternEvent = { type: 'pattern-requested', at: at(60), id, pattern: DEV_KEYS, request };
  const confirmed: PatternEvent = {
    type: 'pattern-confirmed',
    at: at(50),
    by: refOf('U0ENGINEER'),
    until: at(-43_200),
  };
  const renewal: PatternEvent = { ...requested, at: at(40), request: { ...request, at: at(40) } };
  const revoked: PatternEvent = { type: 'pattern-revoked', at: at(30), by: refOf('U0ENGINEER') };
  const stories: Record<PatternSituation, PatternEvent[]> = {
    'nobody has asked': [],
    'a request waits': [requested],
    'in force': [requested, confirmed],
    'in force, a renewal waits': [requested, confirmed, renewal],
    ended: [requested, confirmed, revoked],
  };
  return stories[situation];
}

function commandOf(
  type: PatternAction,
  common: { at: string; by: PersonRef; verdict: AuthorityVerdict },
  current: PatternExemption | undefined,
  { exemptions: rules, fourEyes }: Policy,
): PatternPersonCommand {
  const requestedAt = current?.request?.at ?? '';
  const until = new Date(Date.parse(common.at) + 10 * 86_400_000).toISOString();
  const { confirmWithinHours } = fourEyes;
  switch (type) {
    case 'request-pattern': {
      const wish = { id: 'pattern', pattern: DEV_KEYS, terms: someTerms({ until }), confirmWithinHours };
      return { type, ...common, ...wish, rules, ownerIsFullMember: true };
    }
    case 'confirm-pattern':
      return { type, ...common, rules, ownerIsFullMember: true, requestedAt, requester: { allowed: true } };
    case 'withdraw-pattern':
      return { type, ...common, requestedAt };
    case 'revoke-pattern':
    case 'let-pattern-end':
      return { type, ...common };
  }
}

function refOf(userId: string): PersonRef {
  const { teamId, name, email } = slackPerson(userId);
  return { userId, teamId, name, email };
}
