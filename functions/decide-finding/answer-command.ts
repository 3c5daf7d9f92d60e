import type { LookUp } from '../contracts/slack-requests.ts';
import type { AuditEvent, ChainHead, ChainVerdict } from '../domain/audit.ts';
import { daysLeft } from '../domain/exemption.ts';
import type { Finding, Status } from '../domain/finding.ts';
import {
  auditAnswer,
  COMMAND_PAGE,
  type CommandAnswer,
  type Count,
  exemptionsAnswer,
  helpAnswer,
  listAnswer,
  sentenceAnswer,
  showAnswer,
  statusAnswer,
} from '../messages/command-answer.ts';
import type { FindingContext } from '../messages/finding-message.ts';
import { lookRefusalSentence } from '../messages/refusal-sentence.ts';
import {
  CURRENT_PATTERNS,
  exemptions,
  findingOf,
  findingsIn,
  type LookUpDeps,
  openFor,
  type Viewer,
  viewerOf,
  type Who,
} from './look-up.ts';

export type CommandDeps = LookUpDeps & { verify: (records: AuditEvent[], head: ChainHead) => ChainVerdict };

const TOO_MANY = 'There are too many to look through all of them here.';

/** Answers a slash command that looks something up, for the person alone; it changes nothing. */
export async function answerCommand(who: Who, asked: LookUp, deps: CommandDeps): Promise<CommandAnswer> {
  const viewer = await viewerOf(who, deps);
  return 'refused' in viewer ? sentenceAnswer(lookRefusalSentence(viewer.refused)) : await answer(asked, viewer, deps);
}

async function answer(subcommand: LookUp, viewer: Viewer, deps: CommandDeps): Promise<CommandAnswer> {
  const context: FindingContext = { policy: viewer.policy, now: deps.now().toISOString() };
  switch (subcommand.name) {
    case 'help':
      return helpAnswer(subcommand.unknown);
    case 'status':
      return await status(viewer, deps);
    case 'open': {
      const { findings, next } = await openFor(viewer, { after: null, limit: COMMAND_PAGE }, deps);
      const more = next === null ? null : 'There are more; the Home tab of the app shows all of them.';
      return listAnswer('Waiting for your decision', findings, { nothing: 'Nothing waits for you.', more }, context);
    }
    case 'exemptions': {
      const { expiringOnly } = subcommand;
      const soon = Math.max(0, ...viewer.policy.exemptions.reminderDays);
      const isWanted = (exemption: { until: string }) => !expiringOnly || daysLeft(exemption, context.now) <= soon;
      const [{ findings, isComplete }, patterns] = await Promise.all([
        exemptions(({ exemption }) => isWanted(exemption), deps),
        deps.currentPatterns(CURRENT_PATTERNS),
      ]);
      const wanted = patterns.filter(({ grant }) => (grant === null ? !expiringOnly : isWanted(grant)));
      return exemptionsAnswer(findings, wanted, { expiringOnly, more: isComplete ? null : TOO_MANY }, context);
    }
    case 'show': {
      const found = await findingOf(subcommand.key, deps);
      return 'finding' in found ? showAnswer(found.finding, context) : notFound(found);
    }
    case 'audit': {
      const found = await findingOf(subcommand.key, deps);
      return 'finding' in found ? await audit(found.finding, deps) : notFound(found);
    }
  }
}

async function status(viewer: Viewer, deps: CommandDeps): Promise<CommandAnswer> {
  const count = async (of: Status): Promise<Count> => {
    const { findings, isComplete } = await findingsIn(of, deps);
    return isComplete ? { exactly: findings.length } : { atLeast: findings.length };
  };
  const [open, approved, failed, exempt, remediated] = await Promise.all([
    count('open'),
    count('approved'),
    count('failed'),
    count('exempt'),
    count('remediated'),
  ]);
  return statusAnswer({ open, approved, failed, exempt, remediated }, viewer.policyVersion);
}

async function audit(finding: Finding, deps: CommandDeps): Promise<CommandAnswer> {
  const { arn } = finding.key;
  // The head first: what is appended meanwhile is then in the trail and beyond the head, and read once more.
  for (let attempt = 0; ; attempt += 1) {
    const head = await deps.loadChain(arn);
    const trail = await deps.auditOf(arn);
    const verdict = deps.verify(trail, head);
    if (verdict.intact || attempt === 1) return auditAnswer(head.finding ?? finding, trail, verdict);
  }
}

function notFound({ candidates, isComplete }: { candidates: number; isComplete: boolean }): CommandAnswer {
  if (candidates > 1)
    return sentenceAnswer(`${candidates} keys are called so, in different places; please give the ARN.`);
  return sentenceAnswer(
    isComplete
      ? 'There is no finding about such a key. A key that rotates as the policy asks never had one.'
      : `No such key was found. ${TOO_MANY} An ARN finds any.`,
  );
}
