/**
 * `npm run screenshots [-- <name> ...]`: takes the pictures of docs/messages.md, all of them or those named, and writes
 * the page. It needs Chromium. The page is the sandbox's; what it shows is rendered by the bot's own code.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { chromium, type Locator, type Page } from 'playwright-core';
import type { ControlHandler } from '../../sandbox/control-handler.ts';
import { type EmbeddedSlack, startSlack } from '../../sandbox/slack/slack.ts';
import { ACCOUNTS, REGIONS } from '../../sandbox/world.ts';
import { chromiumPath, QUIET } from '../browser/chromium.ts';
import { LEDGER } from './cast.ts';
import { FOLDER, PAGE, PICTURES, renderGallery } from './gallery.ts';
import type { Picture } from './picture.ts';
import { smaller } from './png.ts';
import { readTaken, takenNow, writeTaken } from './taken.ts';
import { viewerOf, workspaceOf } from './workspace.ts';

/** What is clicked in the sidebar; a form lies above everything. */
const SIDEBAR: Record<Exclude<Picture['shows']['place'], 'modal'>, RegExp> = {
  ...{ channel: /payments-keys$/, thread: /payments-keys$/, private: /payments-keys$/, confirm: /payments-keys$/ },
  ...{ 'direct message': /direct messages/, home: /Home/, 'audit trail': /payments-keys$/ },
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !PICTURES.some((picture) => picture.name === name));
if (unknown !== undefined) {
  console.error(`There is no picture "${unknown}"; known: ${PICTURES.map(({ name }) => name).join(', ')}.`);
  process.exitCode = 2;
} else {
  await take(PICTURES.filter(({ name }) => wanted.length === 0 || wanted.includes(name)));
}

async function take(pictures: readonly Picture[]): Promise<void> {
  let shown = pictures[0];
  const control: ControlHandler = ({ method, path }) => {
    if (`${method} ${path}` === 'GET state') return ok({ ...slack.state(), ...surroundings(shown) });
    if (`${method} ${path}` === 'GET audit' && shown?.shows.place === 'audit trail') return ok(shown.shows);
    return ok({ ok: true });
  };
  const slack = await startSlack({
    ...{ port: 0, signingSecret: 'not used', botToken: 'not used', interactionUrl: 'http://127.0.0.1:9/', control },
  });
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: QUIET });
  try {
    await mkdir(FOLDER, { recursive: true });
    // Tall enough for the longest form, so that no part of it has to be scrolled to.
    const page = await browser.newPage({
      ...{ viewport: { width: 1400, height: 2600 }, deviceScaleFactor: 1, timezoneId: 'UTC', locale: 'en-GB' },
      ...{ reducedMotion: 'reduce' },
    });
    let bytes = 0;
    for (const picture of pictures) {
      shown = picture;
      const png = smaller(await pictureOf(picture, page, slack));
      await writeFile(`${FOLDER}/${picture.name}.png`, png);
      bytes += png.length;
    }
    await writeFile(PAGE, renderGallery());
    const others = wanted.length === 0 ? [] : Object.entries(readTaken()).filter(([name]) => isKnown(name));
    writeTaken({ ...Object.fromEntries(others), ...takenNow(pictures) });
    await removeOthers();
    console.log(`${pictures.length} pictures, ${Math.round(bytes / 1000)} KB.`);
  } finally {
    await browser.close();
    await slack.close();
  }
}

function isKnown(name: string): boolean {
  return PICTURES.some((picture) => picture.name === name);
}

/** Of pictures that the gallery has no more. */
async function removeOthers(): Promise<void> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.png') && !isKnown(file.slice(0, -4)));
  await Promise.all(files.map((file) => rm(`${FOLDER}/${file}`)));
}

async function pictureOf({ shows }: Picture, page: Page, slack: EmbeddedSlack): Promise<Buffer> {
  slack.restore(workspaceOf(shows));
  await page.goto(slack.url);
  if (shows.place === 'modal') return takenOf(page.getByTestId('modal'));
  await page.getByRole('radio', { name: new RegExp(`^${viewerOf(shows).name} `) }).check();
  await page.getByRole('button', { name: SIDEBAR[shows.place] }).click();
  switch (shows.place) {
    case 'channel':
    case 'direct message':
      return takenOf(page.getByTestId('message').first());
    case 'private':
      return takenOf(page.getByTestId('ephemeral').first());
    case 'confirm':
      await page.getByTestId('message').first().getByRole('button', { name: shows.button, exact: true }).click();
      return takenOf(page.getByTestId('confirm-dialog'));
    case 'home':
      return takenOf(page.locator('#home'));
    case 'audit trail':
      await page
        .getByRole('button', { name: /^Audit trail/ })
        .first()
        .click();
      return takenOf(page.getByRole('dialog'));
    case 'thread':
      await page.getByTestId('thread-link').click();
      await page.evaluate("document.querySelector('#thread-list > li').remove()");
      return takenOf(page.locator('#thread-list'));
  }
}

/** Nothing has the focus or the pointer over it. */
async function takenOf(element: Locator): Promise<Buffer> {
  await element.waitFor();
  const page = element.page();
  await page.mouse.move(0, 0);
  await page.evaluate('document.activeElement?.blur()');
  return element.screenshot({ animations: 'disabled', caret: 'hide' });
}

/** The rest of the sandbox, of which nothing is in a picture. */
function surroundings(picture: Picture | undefined): object {
  const { arn, keyId, accountId, region } = LEDGER;
  const kind = { keySpec: 'SYMMETRIC_DEFAULT', keyUsage: 'ENCRYPT_DECRYPT', origin: 'AWS_KMS', keyState: 'Enabled' };
  const key = {
    arn,
    keyId,
    accountId,
    region,
    accountName: 'payments-prod',
    aliases: ['alias/payments/ledger'],
    ...kind,
  };
  return {
    ...{ clock: { now: '2026-03-02T09:00:00.000Z' }, accounts: ACCOUNTS, regions: REGIONS, faults: [], pending: 0 },
    keys:
      picture?.shows.place === 'audit trail' ? [{ ...key, keyManager: 'CUSTOMER', rotation: { enabled: false } }] : [],
  };
}

function ok(body: unknown): Promise<{ status: number; body: unknown }> {
  return Promise.resolve({ status: 200, body });
}
