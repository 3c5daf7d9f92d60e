import type { HomeMetadata } from '../contracts/slack-requests.ts';
import type { AuditEvent } from '../domain/audit.ts';
import type { PatternExemption } from '../domain/pattern-exemption.ts';
import {
  HOME_PAGE,
  type HomeModel,
  type HomeView,
  renderClosedHome,
  renderHome,
  SHOWN_EVENTS,
  SHOWN_PATTERN_REQUESTS,
} from '../messages/home-view.ts';
import { lookRefusalSentence } from '../messages/refusal-sentence.ts';
import { COUNTED_KEYS } from './decide-pattern.ts';
import {
  CURRENT_PATTERNS,
  exemptions,
  findingsIn,
  type LookUpDeps,
  openFor,
  search,
  type Viewer,
  viewerOf,
  type Who,
} from './look-up.ts';

export type HomeDeps = LookUpDeps & { publishHome: (userId: string, view: HomeView) => Promise<void> };

/** The answer to a person's last click, and the key that it decided about: the lists may not know of it yet. */
export type News = { notice: string | null; decided: string | null };

/** Read newest first until there are enough that tell of a decision or its result. */
const LOOKED_AT_TODAY = 100;

/** Draws a person's Home tab as it has to be now. Who may not look sees why. */
export async function showHome(who: Who, metadata: HomeMetadata, news: News, deps: HomeDeps): Promise<void> {
  const viewer = await viewerOf(who, deps);
  const view =
    'refused' in viewer
      ? renderClosedHome(lookRefusalSentence(viewer.refused))
      : renderHome(await homeModel(viewer, metadata, news, deps), metadata, {
          policy: viewer.policy,
          now: deps.now().toISOString(),
        });
  await deps.publishHome(who.userId, view);
}

async function homeModel(
  viewer: Viewer,
  { search: words, after }: HomeMetadata,
  { notice, decided }: News,
  deps: LookUpDeps,
): Promise<HomeModel> {
  const day = deps.now().toISOString().slice(0, 10);
  const [open, failed, owned, found, today, patterns] = await Promise.all([
    openFor(viewer, { after, limit: HOME_PAGE }, deps),
    findingsIn('failed', deps),
    exemptions(({ exemption }) => exemption.owner.userId === viewer.person.userId, deps),
    words === null ? null : search(words, deps),
    newsOf(day, deps),
    patternsOf(viewer, deps),
  ]);
  const isNews = (keyArn: string) => keyArn !== decided;
  return {
    notice,
    caution: viewer.groupsUnavailable
      ? 'Slack could not say which user groups you are in, so findings that you may decide about may be missing.'
      : null,
    open: {
      findings: open.findings.filter(({ key }) => isNews(key.arn)),
      isFirstPage: after === null,
      next: open.next,
    },
    search: words === null || found === null ? null : { words, ...found },
    exemptions: owned.findings,
    failed: failed.findings.filter((finding) => viewer.mayDecide(finding) && isNews(finding.key.arn)),
    today,
    ...patterns,
  };
}

/** Exemptions of patterns: those that wait for this person, with what they would cover, and those the person owns. */
async function patternsOf(viewer: Viewer, deps: LookUpDeps): Promise<Pick<HomeModel, 'patterns' | 'patternRequests'>> {
  const current = await deps.currentPatterns(CURRENT_PATTERNS);
  const waiting = current.filter(viewer.mayConfirm).slice(0, SHOWN_PATTERN_REQUESTS);
  const patternRequests = await Promise.all(
    waiting.map(async (exemption) => ({
      exemption,
      covered: await deps.coverage(exemption.pattern, { atMost: COUNTED_KEYS }),
    })),
  );
  const isOwned = ({ grant }: PatternExemption) => grant?.owner.userId === viewer.person.userId;
  return { patternRequests, patterns: current.filter(isOwned) };
}

/** What is told of a day, with the names of the keys, which their events do not carry. */
async function newsOf(day: string, deps: LookUpDeps): Promise<HomeModel['today']> {
  const told = (await deps.newestOfDay(day, LOOKED_AT_TODAY)).filter(isTold).slice(0, SHOWN_EVENTS);
  const arns = [...new Set(told.map(({ key }) => key.arn))];
  const facts = new Map(
    await Promise.all(arns.map(async (arn) => [arn, (await deps.loadChain(arn)).finding?.facts ?? null] as const)),
  );
  return told.map((record) => ({ record, facts: facts.get(record.key.arn) ?? null }));
}

/** What a person wants to hear of a day; the rest is in the trail. */
function isTold({ event }: AuditEvent): boolean {
  switch (event.type) {
    case 'remediation-approved':
    case 'back-out-approved':
    case 'remediated':
    case 'backed-out':
    case 'remediation-failed':
    case 'exemption-granted':
    case 'exemption-renewed':
    case 'exemption-revoked':
    case 'exemption-shortened':
    case 'confirmation-requested':
    case 'exemption-expired':
    case 'finding-opened':
    case 'finding-closed':
    case 'escalated':
      return true;
    case 'finding-reassessed':
    case 'mode-changed':
    case 'request-withdrawn':
    case 'request-lapsed':
    case 'exemption-end-accepted':
    case 'recheck-requested':
    case 'rechecked':
    case 'remediation-started':
    case 'remediation-overdue':
    case 'exemption-reminded':
    case 'reminded':
    case 'command-refused':
      return false;
  }
}
