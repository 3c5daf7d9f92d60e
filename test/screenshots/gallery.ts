import type { Picture, Section } from './picture.ts';
import { findings } from './pictures/findings.ts';
import { forms } from './pictures/forms.ts';
import { looking } from './pictures/looking.ts';
import { patterns } from './pictures/patterns.ts';
import { storms } from './pictures/storms.ts';
import { threads } from './pictures/threads.ts';

/** All pictures of docs/messages.md, in its order. A new one is an entry of a section in `pictures/`. */
export const GALLERY: readonly Section[] = [...findings, ...threads, ...storms, ...forms, ...patterns, ...looking];

export const PICTURES: readonly Picture[] = GALLERY.flatMap(({ pictures }) => pictures);

/** Where the pictures and the page are, from the project's folder. */
export const FOLDER = 'docs/messages';
export const PAGE = 'docs/messages.md';

/** What docs/messages.md says. */
export function renderGallery(): string {
  return `${[INTRODUCTION, ...GALLERY.map(sectionText)].join('\n\n')}\n`;
}

const INTRODUCTION = `# What people see

Every message, form and view of the bot, with who sees it, when, and what they can do.

**The pictures are of a simulation.** They show the sandbox's own page, which draws Slack's blocks; in Slack the same blocks look like
Slack. What they show is real: each is rendered by the code in [functions/messages](../functions/messages) from a finding that the rules in
[functions/domain](../functions/domain) lead to, and has passed the embedded Slack's checks. \`npm run screenshots\` takes them anew
(\`apt-get install chromium\`); a test fails when one of them does not show any more what the code renders. Times are UTC.

A route in mode "observe" posts nothing: its findings are in the audit trail, and \`/kms-rotation show\` has them.`;

function sectionText({ title, words, pictures }: Section): string {
  return [`## ${title}`, words, ...pictures.map(pictureText)].join('\n\n');
}

function pictureText({ name, title, words }: Picture): string {
  return `### ${title}\n\n${words}\n\n![${title.replaceAll('`', '')}](messages/${name}.png)`;
}
