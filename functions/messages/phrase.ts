import type { Decider, PersonRef } from '../domain/people.ts';
import type { Leaf, RichTextSection } from './block.ts';
import { escaped, plain } from './plain.ts';

/**
 * A piece of a sentence. Sentences are written once, as phrases, and come out twice: as rich text with mentions and
 * times in the reader's own zone, and as the plain top-level `text` that previews and screen readers use.
 */
export type Phrase =
  | string
  | { bold: string }
  | { time: string }
  | { person: PersonRef }
  /** Only to Slack's own address of a message. */
  | { link: string; label: string }
  /** Only where the mentions are that it goes with. */
  | { silent: string }
  /** Calls somebody; silent in the plain text, which has no names for bare ids. */
  | { mention: 'user' | 'userGroup'; id: string };

const USER_ID = /^[UW][A-Z0-9]+$/;
const USER_GROUP_ID = /^S[A-Z0-9]+$/;

/** The phrases as one section of rich text. */
export function richText(...phrases: Phrase[]): RichTextSection {
  return { type: 'rich_text_section', elements: phrases.flatMap(leavesOf) };
}

/** The phrases as plain text for a message's `text`: escaped, times in UTC, people by name. */
export function spoken(...phrases: Phrase[]): string {
  return phrases.map(words).join('').replace(/ +/g, ' ').trim();
}

/** Who answers for a decision. */
export function decider(by: Decider): Phrase {
  return by.kind === 'person' ? { person: by.person } : `policy route "${plain(by.route, 80)}"`;
}

/** The second person of a decision that took two. */
export function secondPerson({ confirmedBy }: { confirmedBy?: PersonRef | undefined }): Phrase[] {
  return confirmedBy === undefined ? [] : [' (confirmed by ', { person: confirmedBy }, ')'];
}

/** An instant for people who read plain text: `2026-03-02 09:00 UTC`. */
export function utc(at: string): string {
  const time = Date.parse(at);
  return Number.isNaN(time) ? plain(at, 40) : `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** A Slack user id as it may stand in a mention, or null when the text is not one. */
export function slackUserId(text: string): string | null {
  return USER_ID.test(text) ? text : null;
}

function leavesOf(phrase: Phrase): Leaf[] {
  if (typeof phrase === 'string') return phrase === '' ? [] : [{ type: 'text', text: phrase }];
  if ('bold' in phrase) {
    return phrase.bold === '' ? [] : [{ type: 'text', text: phrase.bold, style: { bold: true } }];
  }
  if ('silent' in phrase) return [{ type: 'text', text: phrase.silent }];
  if ('time' in phrase) return [instant(phrase.time)];
  if ('link' in phrase) return [{ type: 'link', url: phrase.link, text: phrase.label }];
  if ('person' in phrase) {
    const id = slackUserId(phrase.person.userId);
    return [id === null ? { type: 'text', text: nameOf(phrase.person) } : { type: 'user', user_id: id }];
  }
  if (phrase.mention === 'user') return USER_ID.test(phrase.id) ? [{ type: 'user', user_id: phrase.id }] : [];
  return USER_GROUP_ID.test(phrase.id) ? [{ type: 'usergroup', usergroup_id: phrase.id }] : [];
}

function instant(at: string): Leaf {
  const time = Date.parse(at);
  if (Number.isNaN(time)) return { type: 'text', text: utc(at) || 'an unknown time' };
  const timestamp = Math.floor(time / 1000);
  return { type: 'date', timestamp, format: '{date_short_pretty} at {time}', fallback: utc(at) };
}

function words(phrase: Phrase): string {
  if (typeof phrase === 'string') return escaped(phrase);
  if ('bold' in phrase) return escaped(phrase.bold);
  if ('time' in phrase) return escaped(utc(phrase.time));
  if ('link' in phrase) return `<${phrase.link}|${escaped(phrase.label)}>`;
  if ('person' in phrase) return escaped(nameOf(phrase.person));
  return '';
}

function nameOf(person: PersonRef): string {
  return plain(person.name, 80) || plain(person.userId, 40) || 'somebody';
}
