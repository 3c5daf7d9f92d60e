import type { AuditEvent, ChainVerdict } from '../../functions/domain/audit.ts';
import type { FindingEventType } from '../../functions/domain/finding-events.ts';
import type { PersonRef } from '../../functions/domain/people.ts';

/** What Slack takes as a message; a private answer may be a sentence alone. */
export type Posted = { text: string; blocks?: readonly unknown[] };

/** A reply in a thread, and the event that it tells. */
export type Reply = Posted & { to: FindingEventType };

/** What a picture shows, and where on the page it stands. */
export type Shown =
  | { place: 'channel' | 'direct message'; message: Posted }
  /** The replies below a message, without the message. */
  | { place: 'thread'; below: Posted; replies: readonly Reply[] }
  /** Only this person sees it. */
  | { place: 'private'; message: Posted; to: PersonRef }
  /** The dialog in which Slack asks back after a click on the button with this label. */
  | { place: 'confirm'; message: Posted; button: string }
  | { place: 'modal'; view: unknown; errors?: Record<string, string> }
  | { place: 'home'; view: unknown }
  | { place: 'audit trail'; events: readonly AuditEvent[]; chain: ChainVerdict };

/** One picture of docs/messages.md. */
export type Picture = {
  /** Of the file, without `.png`. */
  name: string;
  title: string;
  /** Who sees it, when, and what they can do. */
  words: string;
  shows: Shown;
};

/** A heading of docs/messages.md and what belongs under it. */
export type Section = { title: string; words: string; pictures: readonly Picture[] };

/** Every payload that a picture is made of, to look for something in. */
export function payloadsOf({ shows }: Picture): unknown[] {
  switch (shows.place) {
    case 'channel':
    case 'direct message':
    case 'private':
    case 'confirm':
      return [shows.message];
    case 'thread':
      return [...shows.replies];
    case 'modal':
    case 'home':
      return [shows.view];
    case 'audit trail':
      return [];
  }
}
