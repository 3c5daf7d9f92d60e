import type { MistakeName } from './aws/account/mistakes.ts';
import type { Faults } from './aws/faults.ts';
import type { Kms } from './aws/kms/kms.ts';
import type { BotRecords } from './bot-records.ts';
import type { SandboxClock } from './clock.ts';
import type { EmbeddedSlack } from './slack/slack.ts';
import type { Wiring } from './wiring.ts';

/** What the control interface works on. */
export type SandboxParts = {
  clock: SandboxClock;
  kms: Kms;
  faults: Faults;
  /** Sets the account up anew, with these mistakes and no other. */
  makeMistakes: (names: readonly MistakeName[]) => void;
  slack: EmbeddedSlack;
  wiring: Wiring;
  records: BotRecords;
  /** Does something in AWS that no event tells of. */
  unheard: <T>(work: () => T) => T;
};
