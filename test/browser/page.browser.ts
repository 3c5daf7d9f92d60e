import { mkdir } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import * as z from 'zod';
import { PAGE_SIZE } from '../../functions/messages/review-modal.ts';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { chromiumPath, QUIET } from './chromium.ts';

/** Set to a folder to keep a picture of the page after each test. */
const SCREENSHOTS = process.env['SCREENSHOTS'];

/** Findings a minute above which they share a message: more than all other tests here make together. */
const THRESHOLD = 8;
const STORM = 30;
const WAITING = STORM - THRESHOLD;
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
/** How far down the open dialog is, and which button has the focus. */
const PLACE = "[document.querySelector('.dialog-body').scrollTop > 0, document.activeElement.dataset.focus]";

let sandbox: Sandbox;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  sandbox = await startSandbox({
    awsPort: 0,
    slackPort: 0,
    graceSeconds: 1,
    digest: { threshold: THRESHOLD },
    rateLimits: 'off',
  });
  browser = await chromium.launch({ executablePath: chromiumPath(), args: QUIET });
  page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  await page.goto(sandbox.slackUrl);
});
afterAll(async () => {
  await browser.close();
  await sandbox.close();
});
afterEach(async () => {
  if (SCREENSHOTS === undefined) return;
  await mkdir(SCREENSHOTS, { recursive: true });
  const name = expect.getState().currentTestName?.replaceAll(/\W+/g, '-') ?? 'page';
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
});

async function control(path: string, body: object): Promise<unknown> {
  const response = await fetch(`${sandbox.slackUrl}/sandbox/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`POST ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

/** A key without rotation in the account whose findings go to #kms-rotation. */
async function aQuestionAbout(alias: string) {
  await control('keys', {
    kind: 'symmetric',
    account: '123456789012',
    alias: `alias/${alias}`,
    as: 'person',
    user: 'U0ENGINEER',
  });
  await control('settle', {});
  const message = page.getByTestId('message').filter({ hasText: alias }).first();
  await message.getByRole('button', { name: 'Approve' }).waitFor();
  return message;
}

/** Many keys in a minute of their own, so that exactly those over the threshold share a message. */
async function aStorm() {
  const { now } = z.object({ now: z.string() }).parse(await control('clock', { advance: '15m' }));
  await control('clock', { advance: `${60 - new Date(now).getUTCSeconds()}s` });
  await Promise.all(
    Array.from({ length: STORM }, (_, index) =>
      control('keys', {
        ...{ kind: 'symmetric', account: '123456789012', alias: `alias/storm-${index}` },
        region: index % 2 === 0 ? 'eu-central-1' : 'us-east-1',
      }),
    ),
  );
  await aMinuteLater();
}

/** When everything that changed is drawn: a digest is so once in ten seconds. */
async function aMinuteLater() {
  await control('settle', {});
  await control('clock', { advance: '1m' });
  await control('settle', {});
}

async function become(person: string) {
  await page.getByRole('radio', { name: new RegExp(`^${person} `) }).check();
}

async function fillTerms(owner: string, reason: string) {
  const modal = page.getByTestId('modal');
  await modal.waitFor();
  await modal.getByLabel(/owner/i).selectOption({ label: owner });
  await modal.getByLabel(/reason/i).fill(reason);
  return modal;
}

describe('the page', () => {
  it('approves after a confirmation and shows the proof', async () => {
    await become('Approver');
    const message = await aQuestionAbout('approve-me');
    await message.getByRole('button', { name: 'Approve' }).click();
    await page
      .getByTestId('confirm-dialog')
      .getByRole('button')
      .filter({ hasText: /approve|yes|switch/i })
      .first()
      .click();
    await control('settle', {});
    await page
      .getByTestId('message')
      .filter({ hasText: 'approve-me' })
      .filter({ hasText: /remediated/i })
      .first()
      .waitFor();
    expect(await message.getByRole('button', { name: 'Approve' }).count()).toBe(0);
  });

  it('refuses a viewer privately and changes nothing', async () => {
    const message = await aQuestionAbout('refuse-me');
    await become('Viewer');
    await message.getByRole('button', { name: 'Approve' }).click();
    await page
      .getByTestId('confirm-dialog')
      .getByRole('button')
      .filter({ hasText: /approve|yes|switch/i })
      .first()
      .click();
    await page
      .getByTestId('ephemeral')
      .filter({ hasText: /approver/i })
      .first()
      .waitFor();
    expect(await message.getByRole('button', { name: 'Approve' }).count()).toBe(1);
  });

  it('shows what is wrong inside the modal, then grants, and asks again when the exemption ends', async () => {
    await become('Approver');
    const message = await aQuestionAbout('exempt-me');
    await message.getByRole('button', { name: /Exempt/ }).click();
    const modal = await fillTerms('Guest', 'Replaced by another key in the spring release');
    await modal.getByRole('button', { name: /Exempt|Grant|Submit/ }).click();
    await modal.getByText(/Choose an active full member/).waitFor();
    await modal.getByLabel(/owner/i).selectOption({ label: 'Engineer' });
    await modal.getByRole('button', { name: /Exempt|Grant|Submit/ }).click();
    await modal.waitFor({ state: 'detached' });
    await control('settle', {});
    const exempt = page
      .getByTestId('message')
      .filter({ hasText: 'exempt-me' })
      .filter({ hasText: /exempt/i })
      .first();
    await exempt.getByRole('button', { name: /End exemption/ }).waitFor();

    await control('clock', { advance: '91d' });
    await control('settle', {});
    await message.getByRole('button', { name: 'Approve' }).waitFor();
  });

  it('decides in the Home tab, which then shows what is left', async () => {
    await become('Approver');
    await aQuestionAbout('home-sweet-home');
    await page.getByRole('button', { name: 'kms-rotation-bot (Home)' }).click();
    const home = page.locator('#home');
    await home.getByRole('heading', { name: 'Waiting for your decision' }).waitFor();
    await home.getByLabel('Find a key').fill('sweet');
    await home.getByLabel('Find a key').press('Enter');
    await home.getByText('Found for "sweet"').waitFor();
    await home.getByRole('button', { name: 'Approve' }).first().click();
    await page.getByTestId('confirm-dialog').getByRole('button', { name: 'Approve' }).click();
    await control('settle', {});
    await home.getByLabel('Find a key').press('Enter');
    await home.getByText('Remediated. Read back from KMS').waitFor();
  });

  it('answers a command privately', async () => {
    await become('Viewer');
    await page
      .getByRole('button', { name: /kms-rotation$/ })
      .first()
      .click();
    await page.getByLabel('Slash command').fill('/kms-rotation status');
    await page.getByLabel('Slash command').press('Enter');
    await page.getByTestId('ephemeral').filter({ hasText: 'waiting for a decision' }).last().waitFor();
  });

  it('works from the keyboard', async () => {
    await become('Approver');
    const message = await aQuestionAbout('keyboard-only');
    await message.getByRole('button', { name: 'Re-check' }).focus();
    await page.keyboard.press('Enter');
    await page
      .getByTestId('ephemeral')
      .filter({ hasText: /Looking at the key again/ })
      .first()
      .waitFor();
  });

  it('shows a storm as one message, which is looked through, approved and kept current', async () => {
    await become('Approver');
    await aStorm();
    const digest = page.getByTestId('message').filter({ hasText: 'findings at once' });
    await digest.getByRole('heading', { name: `${WAITING} findings at once: ${WAITING} to decide` }).waitFor();
    expect(await digest.count()).toBe(1);

    await digest.getByRole('button', { name: 'Review' }).focus();
    await page.keyboard.press('Enter');
    const list = page.getByTestId('modal').filter({ hasText: 'Review findings' });
    await list.getByText('What waits comes first.').waitFor();
    expect(await list.getByRole('button', { name: 'Approve' }).count()).toBe(PAGE_SIZE);
    // Drawn again, the list stays where the person is.
    await list.getByRole('button', { name: 'Re-check' }).last().focus();
    const place = await page.evaluate(PLACE);
    await page.keyboard.press('Enter');
    await list.getByText('Looking at the key again').waitFor();
    expect(await page.evaluate(PLACE)).toEqual(place);
    await list.getByRole('button', { name: 'Next page' }).click();
    await list.getByRole('button', { name: 'Back to the first' }).waitFor();
    expect(await list.getByRole('button', { name: 'Approve' }).count()).toBe(WAITING - PAGE_SIZE);

    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(OVERFLOW)).toBe(0);
    await page.setViewportSize({ width: 1400, height: 1000 });

    // A form lies on the list and gives it back.
    await list.getByRole('button', { name: 'Exempt…' }).first().click();
    await page.getByTestId('modal').getByLabel(/owner/i).waitFor();
    await page.keyboard.press('Escape');
    await list.getByRole('button', { name: 'Approve' }).first().click();
    await page.getByTestId('confirm-dialog').getByRole('button', { name: 'Approve' }).click();
    await list.getByText('Done.').waitFor();
    expect(await list.getByRole('button', { name: 'Approve' }).count()).toBe(WAITING - PAGE_SIZE - 1);
    await page.keyboard.press('Escape');
    await list.waitFor({ state: 'detached' });

    await aMinuteLater();
    const all = `Approve all ${WAITING - 1}`;
    await digest.getByRole('button', { name: all }).click();
    await page.getByTestId('confirm-dialog').getByRole('button', { name: 'Cancel' }).click();
    await digest.getByRole('button', { name: all }).click();
    const dialog = page.getByTestId('confirm-dialog');
    await dialog.getByText(`for ${WAITING - 1} keys, one after the other`).waitFor();
    await dialog.getByRole('button', { name: all }).click();
    await page
      .getByTestId('ephemeral')
      .filter({ hasText: `Approving all ${WAITING - 1} keys` })
      .waitFor();
    await aMinuteLater();
    const settled = page.getByTestId('message').filter({ hasText: `${WAITING} findings, all decided` });
    await settled.getByText(`${WAITING} remediated`).waitFor();
    expect(await settled.locator('.block-actions').count()).toBe(0);
  });

  it('is readable on a phone: nothing runs out of the screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(OVERFLOW)).toBe(0);
  });
});
