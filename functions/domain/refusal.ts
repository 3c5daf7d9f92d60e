import type { AuthorityRefusal } from './authority.ts';
import type { ExemptionRefusal } from './exemption.ts';
import type { Status } from './finding.ts';

/** Why a command changed nothing. Each has one fixed sentence; see functions/messages. */
export type Refusal =
  | { reason: AuthorityRefusal }
  | ExemptionRefusal
  | { reason: 'owner-not-a-full-member' }
  /** A route in `observe` mode lets nobody decide. */
  | { reason: 'only-observed' }
  | { reason: 'no-finding' }
  /** The click came from the message of an earlier episode. */
  | { reason: 'earlier-episode' }
  | { reason: 'already-decided'; status: Status; by: string | null; at: string | null }
  /** Imported material without a pending rotation, or a key nobody can read. */
  | { reason: 'nothing-to-approve' }
  | { reason: 'not-exempt'; status: Status }
  | { reason: 'not-remediated'; status: Status }
  | { reason: 'not-shorter'; until: string }
  | { reason: 'end-accepted'; by: string }
  | { reason: 'not-switched-on-by-bot' }
  | { reason: 'back-out-window-over'; days: number }
  /** One decision at a time waits for a second person. */
  | { reason: 'request-pending'; by: string; at: string }
  | { reason: 'no-request' }
  | { reason: 'request-lapsed' }
  /** The click was about the terms of another request. */
  | { reason: 'request-changed' }
  | { reason: 'own-request' }
  /** Without both e-mail addresses nobody can tell whether two accounts are one person. */
  | { reason: 'second-person-not-told' }
  /** Who asked was an approver then, and is not now. */
  | { reason: 'requester-may-not'; by: string };
