import { readdirSync, readFileSync, statSync } from 'node:fs';
import { findingEventSchema, findingSchema } from '../../functions/contracts/records.ts';
import {
  BUTTON,
  DIGEST_BUTTON,
  EXEMPTION_MODAL,
  exemptionPurpose,
  PATTERN_BUTTON,
  PATTERN_MODAL,
  parseModalMetadata,
  REVIEW_MODAL,
} from '../../functions/contracts/slack-actions.ts';
import { HOME_ACTION } from '../../functions/contracts/slack-requests.ts';
import { helpAnswer } from '../../functions/messages/command-answer.ts';
import { stateWord } from '../../functions/messages/finding-message.ts';
import { aFinding, anOpening, given, HISTORY, PROBLEMS } from '../builders.ts';
import { FOLDER, PAGE, PICTURES, renderGallery } from './gallery.ts';
import { payloadsOf } from './picture.ts';
import { readTaken, takenNow } from './taken.ts';
import { workspaceOf } from './workspace.ts';

const LARGEST_BYTES = 64_000;

describe('docs/messages.md (npm run screenshots)', () => {
  it('is what the gallery says', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(renderGallery());
  });

  it('has a picture of its own for each name, a small one, and no other pictures', () => {
    const files = readdirSync(FOLDER).filter((file) => file.endsWith('.png'));
    expect(files.sort()).toEqual(PICTURES.map(({ name }) => `${name}.png`).sort());
    expect(files.filter((file) => statSync(`${FOLDER}/${file}`).size > LARGEST_BYTES)).toEqual([]);
  });

  it('shows what the code renders', () => {
    const taken = readTaken();
    const outdated = Object.entries(takenNow(PICTURES)).filter(([name, hash]) => taken[name] !== hash);
    expect(outdated.map(([name]) => name)).toEqual([]);
    expect(Object.keys(taken)).toHaveLength(PICTURES.length);
  });

  it.each(PICTURES)('shows in $name what Slack would take', ({ shows }) => {
    expect(() => workspaceOf(shows)).not.toThrow();
  });
});

describe('the gallery', () => {
  const payloads = PICTURES.flatMap(payloadsOf);
  const headers = [
    ...JSON.stringify(payloads).matchAll(/"type":"header","text":\{"type":"plain_text","text":"([^":]+)/g),
  ];
  const headed = headers.map(([, words]) => words);
  const buttons = [...JSON.stringify(payloads).matchAll(/"action_id":"([^"]+)"/g)].map(([, id]) => id);
  const modals = PICTURES.flatMap(({ shows }) => (shows.place === 'modal' ? [shows.view] : []));

  it('has every status', () => {
    expect(Object.keys(HISTORY).sort()).toEqual([...(findingSchema._zod.propValues['status'] ?? [])].sort());
    for (const status of ['open', 'approved', 'remediated', 'failed', 'exempt', 'closed'] as const) {
      expect(headed).toContain(stateWord(aFinding(status)));
    }
  });

  it.each(PROBLEMS)('has the problem $verdict', (assessment) => {
    expect(headed).toContain(stateWord(given([anOpening({ assessment })])));
  });

  it.each([BUTTON, DIGEST_BUTTON, PATTERN_BUTTON, HOME_ACTION].flatMap((ids) => Object.values<string>(ids)))(
    'has the button %s',
    (id) => {
      expect(buttons).toContain(id);
    },
  );

  it.each(Object.values(exemptionPurpose.def.entries))('has the form for %s', (purpose) => {
    const purposes = modals.map((view) => parseModalMetadata(fieldOf(view, 'private_metadata'))?.purpose);
    expect(purposes).toContain(purpose);
  });

  it.each([EXEMPTION_MODAL, PATTERN_MODAL, REVIEW_MODAL])('has the modal %s', (id) => {
    expect(modals.map((view) => fieldOf(view, 'callback_id'))).toContain(id);
  });

  it('has an answer to every command that "help" names', () => {
    const commands = [...JSON.stringify(helpAnswer(null)).matchAll(/"text":"(\/kms-rotation [^"]+)","style"/g)];
    const titles = PICTURES.map(({ title }) => title);
    expect(commands.length).toBeGreaterThan(0);
    for (const [, command] of commands) expect(titles).toContain(`\`${String(command)}\``);
  });

  it('has a reply to every event that is told in a thread', () => {
    const told = PICTURES.flatMap(({ shows }) => (shows.place === 'thread' ? shows.replies.map(({ to }) => to) : []));
    const untold = [...(findingEventSchema._zod.propValues['type'] ?? [])].filter(
      (type) => !told.some((each) => each === type),
    );
    expect(untold.sort()).toEqual(['command-refused', 'recheck-requested', 'remediation-started']);
  });
});

function fieldOf(view: unknown, name: string): string {
  const value: unknown = typeof view === 'object' && view !== null ? Reflect.get(view, name) : undefined;
  return typeof value === 'string' ? value : '';
}
