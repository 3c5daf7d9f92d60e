import { SLASH_COMMAND } from '../contracts/slack-requests.ts';
import type { AuditEvent, ChainVerdict } from '../domain/audit.ts';
import type { ExemptFinding, Finding, Status } from '../domain/finding.ts';
import type { PatternExemption } from '../domain/pattern-exemption.ts';
import { auditLine } from './audit-line.ts';
import { type Block, header } from './block.ts';
import { type FindingContext, renderFinding } from './finding-message.ts';
import { renderFindingRow } from './finding-row.ts';
import { keyName } from './key-facts.ts';
import { renderPatternRow } from './pattern-row.ts';
import { shortPatternWords } from './pattern-words.ts';
import { type Phrase, richText, spoken } from './phrase.ts';
import { escaped, plain } from './plain.ts';

/** The private answer to a slash command. */
export type CommandAnswer = { response_type: 'ephemeral'; text: string; blocks: Block[] };

/** Counts stop here: whoever has more wants the list, not the number. */
export type Count = { atLeast: number } | { exactly: number };

/** Rows of exemptions of patterns, above the others. */
const SHOWN_PATTERNS = 5;
/** Rows of a list, and lines of a trail: a message has at most 50 blocks (Slack, "Reference: blocks"). */
export const COMMAND_PAGE = 15;
export const TRAIL_LINES = 20;

const HELP: readonly (readonly [string, string])[] = [
  ['status', 'how many findings wait, are under way, failed or are exempt'],
  ['open', 'the findings that wait for your decision'],
  ['show <alias or ARN>', 'the finding of one key'],
  [
    'exempt <account> alias:<pattern> or tag:<Key>=<value>',
    'asks to exempt all keys of an account with such an alias or tag (* stands for any text); a second person confirms',
  ],
  ['exemptions', 'all exemptions; "exemptions expiring" those that end within the reminder days of the policy'],
  ['audit <alias or ARN>', 'what was decided about a key, by whom and when'],
];

export function helpAnswer(unknown: string | null): CommandAnswer {
  const lines = HELP.map(([words, what]) => richText({ bold: `${SLASH_COMMAND} ${words}` }, ` ${what}`));
  const first = unknown === null ? 'What you can ask:' : `"${plain(unknown, 80)}" is not understood. What you can ask:`;
  return answer([first], [sentence(first), { type: 'rich_text', elements: [list(lines)] }]);
}

export function statusAnswer(counts: Record<Exclude<Status, 'closed'>, Count>, policyVersion: string): CommandAnswer {
  const lines: [string, Count][] = [
    ['waiting for a decision', counts.open],
    ['failed, waiting for a decision', counts.failed],
    ['remediation under way', counts.approved],
    ['exempt', counts.exempt],
    ['remediated', counts.remediated],
  ];
  const words = lines.map(([what, count]) => `${countText(count)} ${what}`);
  return answer(
    [`${words.join(', ')}.`],
    [
      header('KMS key rotation'),
      { type: 'rich_text', elements: [list(words.map((text) => richText(text)))] },
      sentence(`Policy version ${plain(policyVersion, 64)}.`),
    ],
  );
}

/** `nothing` is the sentence for an empty list, `more` the one when there is more than was looked at. */
export function listAnswer(
  title: string,
  findings: readonly Finding[],
  { nothing, more }: { nothing: string; more: string | null },
  context: FindingContext,
): CommandAnswer {
  const shown = findings.slice(0, COMMAND_PAGE);
  const rest = findings.length - shown.length;
  if (shown.length === 0) return sentenceAnswer(more === null ? nothing : `${nothing} ${more}`);
  const tail = [
    ...(rest > 0 ? [`And ${rest} more; the Home tab of the app shows all of them.`] : []),
    ...(more === null ? [] : [more]),
  ];
  return answer(
    [`${title}: ${shown.map(({ key, facts }) => keyName(key, facts)).join(', ')}`],
    [
      header(title),
      ...shown.flatMap((finding) => renderFindingRow(finding, context)),
      ...(tail.length === 0 ? [] : [sentence(tail.join(' '))]),
    ],
  );
}

export function exemptionsAnswer(
  findings: readonly ExemptFinding[],
  patterns: readonly PatternExemption[],
  { expiringOnly, more }: { expiringOnly: boolean; more: string | null },
  context: FindingContext,
): CommandAnswer {
  const title = expiringOnly ? 'Exemptions that end soon' : 'Exemptions, the next to end first';
  const nothing = expiringOnly ? 'No exemption ends soon.' : 'No key is exempt.';
  const ofKeys = listAnswer(title, findings, { nothing, more }, context);
  if (patterns.length === 0) return ofKeys;
  const rest = patterns.length - SHOWN_PATTERNS;
  const rows = patterns
    .slice(0, SHOWN_PATTERNS)
    .flatMap((exemption) => renderPatternRow(exemption, { ...context, covered: null }));
  const words = patterns.slice(0, SHOWN_PATTERNS).map(({ pattern }) => shortPatternWords(pattern, context.policy));
  return {
    ...ofKeys,
    text: plain(`${escaped(`Exemptions of many keys: ${words.join(', ')}`)}. ${ofKeys.text}`, 3000),
    blocks: [
      header('Exemptions of many keys'),
      ...rows,
      ...(rest > 0 ? [sentence(`And ${rest} more.`)] : []),
      ...ofKeys.blocks,
    ],
  };
}

export function showAnswer(finding: Finding, context: FindingContext): CommandAnswer {
  return { response_type: 'ephemeral', ...renderFinding(finding, context) };
}

/** The newest lines of a trail, and whether the whole of it proves to be unaltered. */
export function auditAnswer(finding: Finding, trail: readonly AuditEvent[], verdict: ChainVerdict): CommandAnswer {
  const shown = trail.slice(-TRAIL_LINES).reverse();
  const proof: Phrase[] = verdict.intact
    ? [`All ${verdict.events} events are there and unaltered.`]
    : [{ bold: 'The trail is not intact: ' }, plain(verdict.problem, 200)];
  const title = plain(`Audit trail of ${keyName(finding.key, finding.facts)}`, 150);
  const older = trail.length - shown.length;
  return answer(
    [`${title}. `, ...proof],
    [
      header(title),
      sentence(...proof),
      { type: 'rich_text', elements: [list(shown.map((record) => richText(...auditLine(record))))] },
      ...(older > 0 ? [sentence(`And ${older} older.`)] : []),
    ],
  );
}

/** One sentence and nothing else. */
export function sentenceAnswer(text: string): CommandAnswer {
  return answer([text], [sentence(text)]);
}

function answer(text: Phrase[], blocks: Block[]): CommandAnswer {
  return { response_type: 'ephemeral', text: plain(spoken(...text), 3000), blocks };
}

function sentence(...phrases: Phrase[]): Block {
  return { type: 'rich_text', elements: [richText(...phrases)] };
}

function list(elements: ReturnType<typeof richText>[]) {
  return { type: 'rich_text_list' as const, style: 'bullet' as const, elements };
}

function countText(count: Count): string {
  return 'exactly' in count ? String(count.exactly) : `more than ${count.atLeast}`;
}
