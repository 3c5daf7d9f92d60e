import { findingSort } from '../contracts/table.ts';
import type { AuditEvent, ChainHead } from '../domain/audit.ts';
import { type AuthorityRefusal, comparePeople } from '../domain/authority.ts';
import type { ExemptFinding, Finding, Status } from '../domain/finding.ts';
import { parseKeyArn } from '../domain/key.ts';
import { isWaiting, type PatternExemption } from '../domain/pattern-exemption.ts';
import type { SlackPerson } from '../domain/people.ts';
import type { Policy } from '../domain/policy.ts';
import { mayLook, verdictOn, verdictOnPattern } from '../domain/verdict.ts';
import type { Deps } from './decide-finding.ts';
import type { PatternDeps } from './decide-pattern.ts';
import { groupsAmong } from './groups-among.ts';

export type LookUpDeps = Pick<Deps, 'person' | 'groupsOf' | 'now'> & {
  loadPolicy: () => Promise<{ policy: Policy; version: string }>;
  loadChain: (keyArn: string) => Promise<ChainHead>;
  auditOf: (keyArn: string) => Promise<AuditEvent[]>;
  /** A part of the findings in a status, in the order in which they were opened; `next` is null at the end. */
  findingsPage: (
    status: Status,
    page: { after: string | null; limit: number },
  ) => Promise<{ findings: Finding[]; next: string | null }>;
  newestOfDay: (day: string, limit: number) => Promise<AuditEvent[]>;
  /** Exemptions of patterns that have not ended, those that were asked for last first. */
  currentPatterns: (limit: number) => Promise<PatternExemption[]>;
  coverage: PatternDeps['coverage'];
};

/** Who asks; `teamId` is the workspace that the payload names, null when it names none. */
export type Who = { userId: string; teamId: string | null };

/** A person who may look, and what they may decide about. */
export type Viewer = {
  person: SlackPerson;
  policy: Policy;
  policyVersion: string;
  mayDecide: (finding: Finding) => boolean;
  /** Whether the person may be the second one of a request for the exemption of a pattern, or of its renewal. */
  mayConfirm: (exemption: PatternExemption) => boolean;
  /** Slack would not say which user groups the person is in: what they may decide by a group alone is not known. */
  groupsUnavailable: boolean;
};

/** How many findings are read in one go, and how many pages for one answer: Slack waits three seconds. */
const PAGE = 100;
const MOST_PAGES = 5;
/** As many exemptions of patterns are looked at: they are made by hand, each by two people. */
export const CURRENT_PATTERNS = 100;
/** The order in which a search looks: what waits for somebody first. */
const SEARCHED: readonly Status[] = ['open', 'failed', 'approved', 'exempt', 'remediated', 'closed'];

/**
 * Who asks, and whether they may look at all. Findings are shown to whoever may ask for a re-check: full members of the
 * organisation.
 */
export async function viewerOf(
  { userId, teamId }: Who,
  deps: LookUpDeps,
): Promise<Viewer | { refused: AuthorityRefusal }> {
  const { policy, version } = await deps.loadPolicy();
  const maxAgeSeconds = policy.identity.cacheSeconds;
  const person = await deps.person(userId, teamId, maxAgeSeconds);
  if (person === null) return { refused: 'outside-organisation' };
  const { patterns } = policy.exemptions;
  const routes = [...policy.routes, policy.defaultRoute, ...(patterns === null ? [] : [patterns])];
  const verdict = mayLook(person, policy);
  if (!verdict.allowed) return { refused: verdict.reason };
  const approvers = routes.map((route) => route.approvers);
  const groups = await groupsAmong(approvers, userId, policy, deps);
  return {
    ...{ person, policy, policyVersion: version, groupsUnavailable: !groups.known },
    mayDecide: (finding) =>
      finding.mode !== 'observe' && verdictOn(finding, { action: 'approve', person, groups, policy }).allowed,
    mayConfirm: ({ request, grant }) =>
      request !== null &&
      isWaiting(request, deps.now().toISOString()) &&
      comparePeople(person, request.by) === 'different' &&
      verdictOnPattern('confirm-pattern', { grant }, { person, groups, policy }).allowed,
  };
}

/** The next findings, at most `limit`, that wait for this person's decision. `next` is null when there are no more. */
export async function openFor(
  viewer: Viewer,
  { after, limit }: { after: string | null; limit: number },
  deps: LookUpDeps,
): Promise<{ findings: Finding[]; next: string | null }> {
  const found: Finding[] = [];
  let from = after;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await deps.findingsPage('open', { after: from, limit: PAGE });
    for (const finding of page.findings) {
      if (!viewer.mayDecide(finding)) continue;
      if (found.length === limit) return { findings: found, next: pageKeyOf(found.at(-1)) };
      found.push(finding);
    }
    if (page.next === null) return { findings: found, next: null };
    from = page.next;
  }
  // The rest is looked through when the person asks for more.
  return { findings: found, next: from };
}

/** All findings in a status, up to a bound; `isComplete` says whether there are no others. */
export async function findingsIn(
  status: Status,
  deps: LookUpDeps,
): Promise<{ findings: Finding[]; isComplete: boolean }> {
  const found: Finding[] = [];
  let after: string | null = null;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await deps.findingsPage(status, { after, limit: PAGE });
    found.push(...page.findings);
    if (page.next === null) return { findings: found, isComplete: true };
    after = page.next;
  }
  return { findings: found, isComplete: false };
}

/** Exemptions, the next to end first. */
export async function exemptions(
  isWanted: (finding: ExemptFinding) => boolean,
  deps: LookUpDeps,
): Promise<{ findings: ExemptFinding[]; isComplete: boolean }> {
  const { findings, isComplete } = await findingsIn('exempt', deps);
  const wanted = findings.filter((finding) => finding.status === 'exempt').filter(isWanted);
  return { findings: wanted.sort((a, b) => a.exemption.until.localeCompare(b.exemption.until)), isComplete };
}

/** Findings of keys that the words fit: an ARN or key id exactly, an account, or a part of an alias. */
export async function search(words: string, deps: LookUpDeps): Promise<{ findings: Finding[]; isComplete: boolean }> {
  const key = parseKeyArn(words);
  if (key !== null) {
    const { finding } = await deps.loadChain(key.arn);
    return { findings: finding === undefined ? [] : [finding], isComplete: true };
  }
  const isMeant = matcherOf(words);
  const parts = await Promise.all(SEARCHED.map((status) => findingsIn(status, deps)));
  return {
    findings: parts.flatMap(({ findings }) => findings.filter(isMeant)),
    isComplete: parts.every(({ isComplete }) => isComplete),
  };
}

/** The finding of the one key that is called so: by ARN, by key id, or by its whole alias. */
export async function findingOf(
  name: string,
  deps: LookUpDeps,
): Promise<{ finding: Finding } | { candidates: number; isComplete: boolean }> {
  const { findings, isComplete } = await search(name, deps);
  const alias = aliasName(name);
  const exact = findings.filter(
    ({ key, facts }) => key.arn === name || key.keyId === name || facts?.aliases.includes(alias) === true,
  );
  const [only, ...others] = exact;
  return only !== undefined && others.length === 0 ? { finding: only } : { candidates: exact.length, isComplete };
}

/** Where the page after this finding begins. */
function pageKeyOf(finding: Finding | undefined): string | null {
  return finding === undefined ? null : findingSort(finding.openedAt, finding.key.arn);
}

function matcherOf(words: string): (finding: Finding) => boolean {
  if (/^\d{12}$/.test(words)) return ({ key }) => key.accountId === words;
  const alias = aliasName(words).toLowerCase();
  return ({ key, facts }) =>
    key.keyId === words || (facts?.aliases.some((name) => name.toLowerCase().includes(alias)) ?? false);
}

function aliasName(words: string): string {
  return words.replace(/^alias\//, '');
}
