import { type Action, authorise, fourEyesReason } from '../../functions/domain/authority.ts';
import type { PersonCommand } from '../../functions/domain/commands.ts';
import { decide } from '../../functions/domain/decide.ts';
import { evolve } from '../../functions/domain/evolve.ts';
import { type Finding, requestOf } from '../../functions/domain/finding.ts';
import type { FindingEvent } from '../../functions/domain/finding-events.ts';
import { culpritOf, type Policy } from '../../functions/domain/policy.ts';
import type { Refusal } from '../../functions/domain/refusal.ts';
import { patternRefusalSentence } from '../../functions/messages/pattern-event.ts';
import { refusalSentence } from '../../functions/messages/refusal-sentence.ts';
import { WORKSPACE } from '../../sandbox/world.ts';
import { aPolicy, someTerms } from '../builders.ts';
import {
  everyPatternCase,
  PATTERN_ACTIONS,
  PATTERN_SITUATIONS,
  type PatternCase,
  patternActionWords,
  patternOutcome,
} from './patterns.ts';
import { APPROVERS, groupsOf, KINDS, type Kind, slackPerson } from './people.ts';
import { keyNumber, SITUATIONS, type Situation } from './situations.ts';

const EVERY_ACTION: Record<Action, string> = {
  approve: 'approve',
  exempt: 'exempt',
  'confirm-request': 'confirm a request',
  'withdraw-request': 'withdraw a request',
  'back-out': 'back out',
  'renew-exemption': 'renew',
  'shorten-exemption': 'shorten',
  'let-exemption-end': 'let it end',
  'fix-now': 'fix now',
  'revoke-exemption': 'end the exemption',
  're-check': 're-check',
};
const isAction = (name: string): name is Action => name in EVERY_ACTION;
export const ACTIONS = Object.keys(EVERY_ACTION).filter(isAction);

export const WITH_TWO = 'two-people';
/** The policy under which everything here is decided: two routes that differ in whether they ask for two people. */
export function matrixPolicy(): Policy {
  const policy = aPolicy({ organisation: { teamIds: [WORKSPACE.teamId], enterpriseIds: [] } });
  const defaultRoute = { ...policy.defaultRoute, approvers: APPROVERS };
  const match = { aliases: ['no-key-has-this-alias'] };
  const patterns = { channel: 'C0SECURITY', approvers: APPROVERS };
  const exemptions = { ...policy.exemptions, patterns };
  return { ...policy, exemptions, defaultRoute, routes: [{ ...defaultRoute, name: WITH_TWO, fourEyes: true, match }] };
}

export type Outcome = { events: FindingEvent['type'][] } | { refusal: Refusal };
/** One question of the matrix, and everything needed to ask it for real. */
export type Case = { situation: Situation; kind: Kind; action: Action; events: [FindingEvent, ...FindingEvent[]] };

/** Every person, action and situation. `now` is when they act. */
export function everyCase(now: string): Case[] {
  const at = (minutesAgo: number) => new Date(Date.parse(now) - minutesAgo * 60_000).toISOString();
  return SITUATIONS.flatMap((situation, row) =>
    KINDS.flatMap((kind, column) =>
      ACTIONS.map((action, index) => {
        const key = keyNumber((row * KINDS.length + column) * ACTIONS.length + index);
        const [first, ...rest] = situation.events({ key, at, kind });
        if (first.type !== 'finding-opened') throw new Error('a story begins with finding-opened');
        const route = situation.fourEyes ? WITH_TWO : 'default';
        return { situation, kind, action, events: [{ ...first, route }, ...rest] as Case['events'] };
      }),
    ),
  );
}

/** What the domain says: `authorise`, then `decide`, as decide-finding asks them. */
export function outcomeOf({ kind, action, events, situation }: Case, now: string): Outcome {
  const policy = matrixPolicy();
  const [first, ...rest] = events;
  const finding = rest.reduce(evolve, evolve(undefined, first));
  const person = slackPerson(kind.userId);
  const question = {
    ...{ person, groups: groupsOf(kind), approvers: APPROVERS, ...culpritOf(policy, finding.trigger) },
    ...{ organisation: policy.organisation, selfExemption: policy.exemptions.selfExemption },
    exemptionOwner: finding.status === 'exempt' ? finding.exemption.owner.userId : null,
  };
  const because = fourEyesReason(question, situation.fourEyes);
  const command = commandOf(action, finding, {
    ...{ at: now, episode: finding.episode, verdict: authorise({ ...question, action }) },
    by: { userId: person.userId, teamId: person.teamId, name: person.name, email: person.email },
    fourEyes: because === null ? null : { because, confirmWithinHours: policy.fourEyes.confirmWithinHours },
    policy,
  });
  const decision = decide(command, finding);
  switch (decision.outcome) {
    case 'accepted':
      return { events: decision.events.map(({ type }) => type) };
    case 'refused':
      return { refusal: decision.refusal };
    case 'ignored':
      throw new Error(`a person is never ignored: ${decision.because}`);
  }
}

type Common = Pick<PersonCommand, 'at' | 'episode' | 'by' | 'verdict'>;
type Asked = Common & { policy: Policy; fourEyes: Extract<PersonCommand, { type: 'exempt' }>['fourEyes'] };

function commandOf(type: Action, finding: Finding, { policy, fourEyes, ...common }: Asked): PersonCommand {
  const rules = { rules: policy.exemptions, ownerIsFullMember: true, backOutWindowDays: policy.backOut.windowDays };
  const requestedAt = requestOf(finding)?.at ?? null;
  const until = endOf(common.at);
  switch (type) {
    case 'approve':
    case 'fix-now':
      return { type, ...common, rotationPeriodInDays: policy.rotation.periodInDays };
    case 'exempt':
    case 'renew-exemption':
    case 'back-out':
      return { type, ...common, ...rules, terms: someTerms({ until }), fourEyes };
    case 'confirm-request':
      return { type, ...common, ...rules, requestedAt, requester: { allowed: true } };
    case 'withdraw-request':
      return { type, ...common, requestedAt };
    case 'shorten-exemption':
      return { type, ...common, until };
    case 'let-exemption-end':
    case 'revoke-exemption':
    case 're-check':
      return { type, ...common };
  }
}

/** The end that people ask for: the last moment of a day some days away. */
export function endOf(now: string): string {
  return `${new Date(Date.parse(now) + 10 * 86_400_000).toISOString().slice(0, 10)}T00:00:00.000Z`;
}

/** `docs/who-may-what.md`. */
export function renderMatrix(now: string): string {
  const cases = everyCase(now);
  // By reason: a sentence has the names and times of its case.
  const legend = new Map<string, string>();
  const numberOf = (reason: string, sentence: string): string => {
    if (!legend.has(reason)) legend.set(reason, sentence);
    return String([...legend.keys()].indexOf(reason) + 1);
  };
  const cell = (one: Case): string => {
    const outcome = outcomeOf(one, now);
    if ('events' in outcome) return outcome.events.includes('confirmation-requested') ? '**asks**' : '**yes**';
    return numberOf(outcome.refusal.reason, refusalSentence(outcome.refusal));
  };
  const tables = SITUATIONS.map((situation) => {
    const rows = ACTIONS.map((action) => {
      const cells = KINDS.map((kind) => cases.find((one) => isSame(one, { situation, kind, action }))).map((one) =>
        one === undefined ? '' : cell(one),
      );
      return `| ${[EVERY_ACTION[action], ...cells].join(' | ')} |`;
    });
    return [`## ${situation.name}`, '', ...tableHead(), ...rows];
  });
  const patternCases = everyPatternCase(now);
  const patternCell = (one: PatternCase): string => {
    const outcome = patternOutcome(one, matrixPolicy(), now);
    if ('events' in outcome) return outcome.events.includes('pattern-requested') ? '**asks**' : '**yes**';
    const { reason } = outcome.refusal;
    const isSaidOtherwise = reason === 'not-an-approver';
    return numberOf(isSaidOtherwise ? `${reason} of patterns` : reason, patternRefusalSentence(outcome.refusal));
  };
  const patternTables = PATTERN_SITUATIONS.map((situation) => {
    const rows = PATTERN_ACTIONS.map((action) => {
      const cells = patternCases
        .filter((one) => one.situation === situation && one.action === action)
        .map((one) => patternCell(one));
      return `| ${[patternActionWords(action), ...cells].join(' | ')} |`;
    });
    return [`### ${situation}`, '', ...tableHead(), ...rows];
  });
  return [
    '# Who may do what, and when',
    '',
    'Written by `npm run matrix` from the rules themselves; a test fails when it is out of date, and another one clicks through all',
    'of it with signed requests. **yes**: it is done. **asks**: it waits for a second person to confirm. A number: it is refused,',
    'recorded, and the person reads the sentence of that number below (with the names and times of the case).',
    '',
    ...KINDS.map(({ name, who }) => `- *${name}*: ${who}`),
    '',
    ...tables.flatMap((lines) => [...lines, '']),
    '## Exemptions of a tag or alias pattern',
    '',
    'Here an *approver* is one whom the policy names for them (`exemptions.patterns`). Who caused a finding may ask, and that finding',
    'is left out. It always takes two. Where nobody has asked there is no trail yet that a refusal could be recorded in.',
    '',
    ...patternTables.flatMap((lines) => [...lines, '']),
    '## The sentences',
    '',
    ...[...legend.values()].map((sentence, index) => `${index + 1}. ${sentence}`),
    '',
  ].join('\n');
}

function tableHead(): string[] {
  const head = ['', ...KINDS.map(({ name }) => name)];
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`];
}

function isSame(one: Case, { situation, kind, action }: Pick<Case, 'situation' | 'kind' | 'action'>): boolean {
  return one.situation === situation && one.kind === kind && one.action === action;
}
