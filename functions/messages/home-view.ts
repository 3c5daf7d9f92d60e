import { HOME_ACTION, type HomeMetadata } from '../contracts/slack-requests.ts';
import type { AuditEvent } from '../domain/audit.ts';
import type { ExemptFinding, Finding } from '../domain/finding.ts';
import type { KeyFacts } from '../domain/key.ts';
import type { CoveredKeys } from '../domain/key-pattern.ts';
import type { PatternExemption } from '../domain/pattern-exemption.ts';
import { auditLine } from './audit-line.ts';
import { type Block, header, type PlainText, plainText, type RichTextBlock } from './block.ts';
import type { FindingContext } from './finding-message.ts';
import { renderFindingRow } from './finding-row.ts';
import { keyName } from './key-facts.ts';
import { renderPatternRow } from './pattern-row.ts';
import { type Phrase, richText } from './phrase.ts';
import { plain } from './plain.ts';

/** What one person's Home tab shows. */
export type HomeModel = {
  /** The answer to the last click, if it has one. */
  notice: string | null;
  /** Why the list may lack something. */
  caution: string | null;
  /** Those that the person may decide about, in the order in which they were opened. */
  open: { findings: Finding[]; isFirstPage: boolean; next: string | null };
  /** What was found for the words that the person searched for. */
  search: { words: string; findings: Finding[]; isComplete: boolean } | null;
  /** Requests for exemptions of patterns that the person may confirm, with what each would cover. */
  patternRequests: { exemption: PatternExemption; covered: CoveredKeys }[];
  /** Exemptions of patterns that the person answers for. */
  patterns: PatternExemption[];
  /** Those of single keys that the person answers for, the next to end first. */
  exemptions: ExemptFinding[];
  /** Failed remediations that wait for their decision again. */
  failed: Finding[];
  /** Newest first, each with what is known about its key. */
  today: { record: AuditEvent; facts: KeyFacts | null }[];
};

type SearchInput = {
  type: 'input';
  block_id: typeof HOME_ACTION.search;
  dispatch_action: true;
  optional: true;
  label: PlainText;
  element: {
    type: 'plain_text_input';
    action_id: typeof HOME_ACTION.search;
    placeholder: PlainText;
    max_length: number;
    initial_value?: string;
    dispatch_action_config: { trigger_actions_on: ['on_enter_pressed'] };
  };
};
type HomeButton = { type: 'button'; action_id: 'home-more' | 'home-first'; text: PlainText; value: string };
type Paging = { type: 'actions'; elements: HomeButton[] };

/** The Home tab in the shape of views.publish; assignable to Slack's `HomeView`. */
export type HomeView = {
  type: 'home';
  private_metadata: string;
  blocks: (Block | SearchInput | Paging | { type: 'divider' })[];
};

/** Rows of one list: two blocks each, and a view may have 100 (Slack, "Views"). */
export const HOME_PAGE = 10;
const SHOWN_EXEMPTIONS = 10;
const SHOWN_FAILED = 5;
/** What each of them covers is looked up while the person waits. */
export const SHOWN_PATTERN_REQUESTS = 3;
const SHOWN_PATTERNS = 3;
export const SHOWN_EVENTS = 8;
export const LONGEST_SEARCH = 200;

/** One person's Home tab: what waits for their decision, what they answer for, and what happened today. */
export function renderHome(model: HomeModel, metadata: HomeMetadata, context: FindingContext): HomeView {
  return {
    type: 'home',
    private_metadata: JSON.stringify(metadata),
    blocks: [
      ...(model.notice === null ? [] : [sentence({ bold: plain(model.notice, 500) })]),
      ...(model.caution === null ? [] : [sentence(model.caution)]),
      searchInput(metadata.search),
      ...(model.search === null ? [] : searchBlocks(model.search, context)),
      ...failedBlocks(model.failed, context),
      ...openBlocks(model.open, context),
      ...patternRequestBlocks(model.patternRequests, context),
      ...patternBlocks(model.patterns, context),
      ...exemptionBlocks(model.exemptions, context),
      ...todayBlocks(model.today),
    ],
  };
}

/** For a person who may not look. */
export function renderClosedHome(why: string): HomeView {
  return { type: 'home', private_metadata: '', blocks: [sentence(why)] };
}

function searchInput(words: string | null): SearchInput {
  return {
    type: 'input',
    block_id: HOME_ACTION.search,
    dispatch_action: true,
    optional: true,
    label: plainText('Find a key'),
    element: {
      type: 'plain_text_input',
      action_id: HOME_ACTION.search,
      placeholder: plainText('Part of an alias, an ARN, or an account id; then Enter'),
      max_length: LONGEST_SEARCH,
      ...(words === null ? {} : { initial_value: plain(words, LONGEST_SEARCH) }),
      dispatch_action_config: { trigger_actions_on: ['on_enter_pressed'] },
    },
  };
}

function searchBlocks(
  { words, findings, isComplete }: NonNullable<HomeModel['search']>,
  context: FindingContext,
): Block[] {
  const shown = findings.slice(0, HOME_PAGE);
  const rest = findings.length - shown.length;
  const tail = [
    ...(findings.length === 0 ? ['No finding is about such a key.'] : []),
    ...(rest > 0 ? [`And ${rest} more: search more exactly.`] : []),
    ...(isComplete ? [] : ['There are too many findings to look through all of them here; an ARN finds any.']),
  ].join(' ');
  return [
    header(plain(`Found for "${plain(words, 60)}"`, 150)),
    ...shown.flatMap((finding) => renderFindingRow(finding, context)),
    ...(tail === '' ? [] : [sentence(tail)]),
  ];
}

function openBlocks({ findings, isFirstPage, next }: HomeModel['open'], context: FindingContext): HomeView['blocks'] {
  const shown = findings.slice(0, HOME_PAGE);
  const paging: HomeButton[] = [
    ...(isFirstPage ? [] : [homeButton('home-first', 'Back to the first', 'first')]),
    ...(next === null ? [] : [homeButton('home-more', 'Next', next)]),
  ];
  return [
    header('Waiting for your decision'),
    ...(shown.length === 0
      ? [sentence(isFirstPage ? 'Nothing waits for you.' : 'Nothing more waits for you here.')]
      : shown.flatMap((finding) => renderFindingRow(finding, context))),
    ...(paging.length === 0 ? [] : [{ type: 'actions' as const, elements: paging }]),
  ];
}

function homeButton(action: HomeButton['action_id'], label: string, value: string): HomeButton {
  return { type: 'button', action_id: action, text: plainText(label), value };
}

function patternRequestBlocks(requests: HomeModel['patternRequests'], context: FindingContext): Block[] {
  if (requests.length === 0) return [];
  const rows = requests
    .slice(0, SHOWN_PATTERN_REQUESTS)
    .flatMap(({ exemption, covered }) => renderPatternRow(exemption, { ...context, covered }));
  return [header('Exemptions of many keys, waiting for a second person'), ...rows];
}

function patternBlocks(patterns: readonly PatternExemption[], context: FindingContext): Block[] {
  if (patterns.length === 0) return [];
  const rest = patterns.length - SHOWN_PATTERNS;
  const rows = patterns
    .slice(0, SHOWN_PATTERNS)
    .flatMap((exemption) => renderPatternRow(exemption, { ...context, covered: null }));
  return [
    header('Exemptions of many keys that you own'),
    ...rows,
    ...(rest > 0 ? [sentence(`And ${rest} more; "/kms-rotation exemptions" lists them.`)] : []),
  ];
}

function exemptionBlocks(exemptions: readonly ExemptFinding[], context: FindingContext): Block[] {
  if (exemptions.length === 0) return [];
  const rest = exemptions.length - SHOWN_EXEMPTIONS;
  return [
    header('Exemptions that you own'),
    ...exemptions.slice(0, SHOWN_EXEMPTIONS).flatMap((finding) => renderFindingRow(finding, context)),
    ...(rest > 0 ? [sentence(`And ${rest} that end later.`)] : []),
  ];
}

function failedBlocks(failed: readonly Finding[], context: FindingContext): Block[] {
  if (failed.length === 0) return [];
  const rest = failed.length - SHOWN_FAILED;
  return [
    header('Failed, and waiting for you again'),
    ...failed.slice(0, SHOWN_FAILED).flatMap((finding) => renderFindingRow(finding, context)),
    ...(rest > 0 ? [sentence(`And ${rest} more.`)] : []),
  ];
}

function todayBlocks(events: HomeModel['today']): Block[] {
  return [
    header('Today (UTC)'),
    events.length === 0
      ? sentence('Nothing has happened yet.')
      : {
          type: 'rich_text',
          elements: [
            {
              type: 'rich_text_list',
              style: 'bullet',
              elements: events
                .slice(0, SHOWN_EVENTS)
                .map(({ record, facts }) => richText({ bold: keyName(record.key, facts) }, ' ', ...auditLine(record))),
            },
          ],
        },
  ];
}

function sentence(...phrases: Phrase[]): RichTextBlock {
  return { type: 'rich_text', elements: [richText(...phrases)] };
}
