import type { ExemptFinding, Finding } from '../../../functions/domain/finding.ts';
import {
  auditAnswer,
  type CommandAnswer,
  exemptionsAnswer,
  helpAnswer,
  listAnswer,
  showAnswer,
  statusAnswer,
} from '../../../functions/messages/command-answer.ts';
import { renderClosedHome, renderHome } from '../../../functions/messages/home-view.ts';
import { lookRefusalSentence } from '../../../functions/messages/refusal-sentence.ts';
import { given, later } from '../../builders.ts';
import {
  APPROVER,
  approval,
  approves,
  driftLoop,
  exemption,
  exempts,
  facts,
  fixes,
  key,
  opens,
  POLICY,
  REQUEST_ID,
  SECOND_APPROVER,
  trailOf,
  VIEWER,
} from '../cast.ts';
import type { Picture, Section } from '../picture.ts';

const NOW = later({ days: 1, minutes: 30 });
const CONTEXT = { policy: POLICY, now: NOW };

const orders = key(11);
const invoices = key(12);
const reports = key(13);
const statements = key(14);
const opensAs = (of: typeof orders, alias: string) => opens({ key: of, facts: facts(of, { aliases: [alias] }) });

const waiting: Finding[] = [given([opensAs(orders, 'payments/orders')]), given(driftLoop())];
const failed = given([
  opensAs(invoices, 'payments/invoices'),
  approves(),
  {
    ...{ type: 'remediation-failed', at: later({ minutes: 6 }), kmsRequestId: REQUEST_ID },
    failure: { because: 'kms-refused', operation: 'EnableKeyRotation', code: 'KMSInvalidStateException' },
  },
]);
const exempt = exemptFinding(
  given([
    opensAs(statements, 'payments/statements'),
    exempts(exemption({ owner: APPROVER, grantedBy: SECOND_APPROVER })),
  ]),
);
const trail = trailOf(driftLoop());

function exemptFinding(finding: Finding): ExemptFinding {
  if (finding.status !== 'exempt') throw new Error(`not exempt but ${finding.status}`);
  return finding;
}

function answers(command: string, name: string, words: string, message: CommandAnswer): Picture {
  return { name, title: `\`${command}\``, words, shows: { place: 'private', to: VIEWER, message } };
}

const commands: Section = {
  title: 'Answers of /kms-rotation',
  words:
    'Only the person who typed it sees the answer. Every full member may look; what they may not decide about has the buttons too, and refuses them.',
  pictures: [
    answers(
      '/kms-rotation help',
      'command-help',
      'What can be asked. The same for words that are not understood.',
      helpAnswer(null),
    ),
    answers(
      '/kms-rotation status',
      'command-status',
      'Counts of all findings.',
      statusAnswer(
        {
          open: { exactly: 40 },
          failed: { exactly: 1 },
          approved: { exactly: 2 },
          exempt: { exactly: 7 },
          remediated: { atLeast: 1000 },
        },
        'b3f1c2d4',
      ),
    ),
    answers(
      '/kms-rotation open',
      'command-open',
      'What waits for the decision of whoever asks.',
      listAnswer('Waiting for your decision', waiting, { nothing: '', more: null }, CONTEXT),
    ),
    answers(
      '/kms-rotation show <alias or ARN>',
      'command-show',
      'The finding of one key, as its own message shows it, with the same buttons.',
      showAnswer(given([opensAs(orders, 'payments/orders'), approves(), ...fixes()]), CONTEXT),
    ),
    answers(
      '/kms-rotation exemptions',
      'command-exemptions',
      'All exemptions, or with "expiring" those that end soon.',
      exemptionsAnswer([exempt], [], { expiringOnly: false, more: null }, CONTEXT),
    ),
    answers(
      '/kms-rotation audit <alias or ARN>',
      'command-audit',
      'Who decided what about a key, when, and what came of it; and whether the trail is whole.',
      auditAnswer(trail.finding, trail.records, trail.verdict),
    ),
    answers(
      '/kms-rotation show, of a key that is only observed',
      'command-show-observed',
      'A route in mode "observe" records findings and posts nothing: no message, no reminder. This answer and the audit trail are where they can be seen.',
      showAnswer(given([opens({ mode: 'observe' })]), CONTEXT),
    ),
  ],
};

const today = trailOf([
  opens({ key: reports, facts: facts(reports, { aliases: ['payments/reports'] }), at: later({ days: 1 }) }),
  approves(approval(APPROVER, later({ days: 1, minutes: 5 }))),
  ...fixes(later({ days: 1, minutes: 6 })),
]).records.filter(({ event }) => event.type !== 'remediation-started');

const home: Section = {
  title: 'The Home tab',
  words: 'Each person has their own: what waits for their decision, the exemptions they own, and what happened today.',
  pictures: [
    {
      name: 'home',
      title: 'Home',
      words:
        'The buttons decide as those of the messages do; the field finds a key by a part of its alias, by ARN or by account.',
      shows: {
        place: 'home',
        view: renderHome(
          {
            ...{ notice: null, caution: null, search: null, exemptions: [exempt], failed: [failed] },
            ...{ patterns: [], patternRequests: [] },
            open: { findings: waiting, isFirstPage: true, next: '2026-03-02#next' },
            today: today
              .map((record) => ({ record, facts: facts(reports, { aliases: ['payments/reports'] }) }))
              .reverse(),
          },
          { search: null, after: null },
          CONTEXT,
        ),
      },
    },
    {
      name: 'home-found',
      title: 'After a search and a click',
      words: 'The answer to the click stands on top, then what was found. Lists have pages of ten.',
      shows: {
        place: 'home',
        view: renderHome(
          {
            ...{ caution: null, exemptions: [], failed: [], today: [], patterns: [], patternRequests: [] },
            notice:
              'You are not an approver for this key, so nothing was changed. The rotation policy names the approvers.',
            search: { words: 'orders', findings: waiting.slice(0, 1), isComplete: true },
            open: { findings: waiting.slice(1), isFirstPage: false, next: null },
          },
          { search: 'orders', after: '2026-03-02#next' },
          CONTEXT,
        ),
      },
    },
    {
      name: 'home-closed',
      title: 'For a guest',
      words: 'Guests and people of other organisations see no findings.',
      shows: { place: 'home', view: renderClosedHome(lookRefusalSentence('guest')) },
    },
  ],
};

const audit: Section = {
  title: 'The audit trail in the sandbox',
  words:
    "A dialog of the sandbox's page, not of Slack. In operation `npm run audit` and `/kms-rotation audit` read the same trail.",
  pictures: [
    {
      name: 'audit-trail',
      title: 'Audit trail of a key',
      words: 'Who did what, when and why, and whether the hash chain holds.',
      shows: { place: 'audit trail', events: trail.records, chain: trail.verdict },
    },
  ],
};

export const looking: readonly Section[] = [home, commands, audit];
