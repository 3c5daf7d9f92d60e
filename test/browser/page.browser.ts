import { mkdir } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { chromiumPath, QUIET } from './chromium.ts';

/** Set to a folder to keep a picture of the page after each test. */
const SCREENSHOTS = process.env['SCREENSHOTS'];

let sandbox: Sandbox;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  sandbox = await startSandbox({ awsPort: 0, slackPort: 0, graceSeconds: 1 });
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
    await modal.getByText(/full member/i).waitFor();
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

  it('is readable on a phone: nothing runs out of the screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(overflow).toBe(0);
  });
});
