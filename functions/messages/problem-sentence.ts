import type { NotApplicableReason, Problem, UnknownReason } from '../domain/assessment.ts';
import type { Closing, FindingBase } from '../domain/finding.ts';
import { isDriftLoop } from '../domain/finding.ts';
import type { Phrase } from './phrase.ts';
import { plain } from './plain.ts';
import { policyName } from './policy-statement.ts';

/** What is wrong with a key, in one sentence. */
export function problemSentence(problem: Problem): Phrase[] {
  switch (problem.verdict) {
    case 'rotation-off':
      return ['Automatic rotation is off.'];
    case 'period-too-long':
      return [
        `The key rotates every ${problem.periodInDays} days; the policy allows at most ${problem.maximumPeriodInDays}.`,
      ];
    case 'manual-rotation-due':
      return problem.pendingKeyMaterialId === null
        ? [
            'The key uses imported key material, which never rotates by itself; it ',
            ...sinceRotation(problem.lastRotatedAt),
            ', and no new key material is waiting.',
          ]
        : [
            'New imported key material is waiting, but KMS does not use it before the key is rotated on demand; the key ',
            ...sinceRotation(problem.lastRotatedAt),
            '.',
          ];
    case 'unknown':
      return [`Nobody can say whether this key rotates: ${unknownSentence(problem.reason)}`];
  }
}

/** What is wrong in the light of what the bot did before: a drift loop is told as such. */
export function findingSentence(finding: Pick<FindingBase, 'assessment' | 'history'>): Phrase[] {
  if (!isDriftLoop(finding)) return problemSentence(finding.assessment);
  const isOff = finding.assessment.verdict === 'rotation-off';
  return isOff ? driftSentence(finding) : [...problemSentence(finding.assessment), ' ', ...driftSentence(finding)];
}

/** How often rotation was switched off after the bot had switched it on, and who did it last, with what. */
export function driftSentence({ history }: Pick<FindingBase, 'history'>): Phrase[] {
  const times = history.switchedOffAgain.length;
  const last = history.switchedOffAgain.at(-1);
  const switchedOn = `Drift: the bot had switched rotation on${times === 1 ? '' : ` ${count(history.switchedOnByBot.length)}`}`;
  if (last === undefined) return [`${switchedOn}.`];
  return [
    `${switchedOn}, and it was switched off again${times === 1 ? '' : ` ${count(times)}, last`} `,
    ...(last.by === 'unknown'
      ? ['by somebody unknown, ']
      : [`by ${plain(last.by, 120)} with ${plain(last.tool, 80)}, `]),
    { time: last.at },
    '. Unless its source changes, the next remediation is likely to be undone as well.',
  ];
}

/** Why a finding needs nobody any more. */
export function closingSentence(closing: Closing): Phrase[] {
  const by = closing.by === null ? '' : `, settled by ${plain(closing.by, 120)}`;
  switch (closing.because) {
    case 'compliant':
      return [`The key rotates as the policy asks${by}.`];
    case 'not-applicable':
      return [`${notApplicableSentence(closing.reason)}${by}.`];
  }
}

/** Why rotation cannot be asked of a key; without a full stop. */
export function notApplicableSentence(reason: NotApplicableReason): string {
  switch (reason) {
    case 'aws-managed-key':
      return 'AWS manages and rotates this key itself';
    case 'asymmetric-key':
      return 'KMS does not rotate asymmetric keys';
    case 'hmac-key':
      return 'KMS does not rotate HMAC keys';
    case 'unrecognised-key-spec':
      return 'KMS is not known to rotate keys of this key spec';
    case 'key-usage':
      return 'KMS rotates encryption keys only';
    case 'custom-key-store':
      return 'KMS does not rotate keys in a custom key store';
    case 'replica-key':
      return 'A replica key rotates with its primary key';
    case 'disabled':
      return 'The key is disabled';
    case 'pending-deletion':
      return 'The key is scheduled for deletion';
    case 'pending-import':
      return 'The key has no usable key material';
    case 'key-deleted':
      return 'The key no longer exists';
  }
}

function unknownSentence(reason: UnknownReason): string {
  switch (reason.because) {
    case 'access-denied':
      return `${policyName(reason.deniedBy)} refuses ${plain(reason.operation, 80)} to ${plain(reason.principal, 300)}.`;
    case 'unrecognised-key-state':
      return `the key is in state "${plain(reason.keyState, 80)}", which the bot does not know.`;
    case 'unrecognised-origin':
      return `its key material has the origin "${plain(reason.origin, 80)}", which the bot does not know.`;
    case 'rotation-not-read':
      return 'its rotation status was not read.';
    case 'period-not-reported':
      return 'KMS reports rotation as on, but not its period.';
    case 'kms-refused':
      return `KMS refused ${plain(reason.operation, 80)} with ${plain(reason.code, 80)}.`;
  }
}

function sinceRotation(lastRotatedAt: string | null): Phrase[] {
  return lastRotatedAt === null ? ['was never rotated'] : ['was last rotated ', { time: lastRotatedAt }];
}

function count(times: number): string {
  if (times === 1) return 'once';
  return times === 2 ? 'twice' : `${times} times`;
}
