import { expect } from '@jest/globals';
import { installClock, type SandboxClock } from '../../../sandbox/clock.ts';
import { aButton, CHANNEL, type SlackFixture, startFixture } from './support/slack-fixture.ts';

let clock: SandboxClock;
let fixture: SlackFixture;
let ts: string;
let url: string;
beforeEach(async () => {
  clock = installClock();
  fixture = await startFixture();
  const answer = await fixture.client.chat.postMessage({
    channel: CHANNEL,
    text: 'original',
    blocks: [{ type: 'actions', elements: [aButton('approve')] }],
  });
  ts = answer.ts ?? '';
  await fixture.slack.click({ user: 'U0APPROVER', channel: CHANNEL, ts, actionId: 'approve' });
  url = fixture.app.payloads[0]?.response_url ?? '';
});
afterEach(async () => {
  await fixture.close();
  clock.uninstall();
});

async function respond(body: Record<string, unknown>): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}
const messages = () => fixture.slack.state().channels[0]?.messages;

describe('a response_url', () => {
  it('answers only to the person who clicked, by default', async () => {
    expect(await respond({ text: 'Noted.' })).toEqual({ status: 200, body: { ok: true } });
    expect(fixture.slack.state().ephemerals).toMatchObject([{ user: 'U0APPROVER', channel: CHANNEL, text: 'Noted.' }]);
    expect(messages()).toHaveLength(1);
  });

  it('answers to everybody with in_channel, even where the bot is no member', async () => {
    fixture.slack.setChannel(CHANNEL, { botIsMember: false });
    await respond({ text: 'Approved.', response_type: 'in_channel' });
    expect(messages()).toMatchObject([{ text: 'original' }, { text: 'Approved.' }]);
  });

  it('replaces or deletes the message that was clicked', async () => {
    await respond({ text: 'Approved.', replace_original: true });
    expect(messages()).toMatchObject([{ ts, text: 'Approved.', blocks: [] }]);
    await respond({ delete_original: true });
    expect(messages()).toEqual([]);
  });

  it('goes into a thread only with replace_original: false', async () => {
    await respond({ text: 'top', response_type: 'in_channel', thread_ts: ts });
    await respond({ text: 'below', response_type: 'in_channel', thread_ts: ts, replace_original: false });
    expect(messages()).toMatchObject([{ text: 'original', replies: [{ text: 'below' }] }, { text: 'top' }]);
  });

  it('is good for five answers', async () => {
    for (const n of [1, 2, 3, 4, 5]) expect(await respond({ text: `${n}` })).toMatchObject({ status: 200 });
    expect(await respond({ text: '6' })).toEqual({ status: 404, body: { ok: false, error: 'used_url' } });
  });

  it('is good for thirty minutes of simulated time', async () => {
    clock.advance(29 * 60_000);
    expect(await respond({ text: 'in time' })).toMatchObject({ status: 200 });
    clock.advance(61_000);
    expect(await respond({ text: 'late' })).toEqual({ status: 404, body: { ok: false, error: 'expired_url' } });
  });

  it('keeps to the rules of messages, and a refused answer does not count', async () => {
    expect(await respond({})).toEqual({ status: 400, body: { ok: false, error: 'no_text' } });
    expect(await respond({ blocks: [{ type: 'banner' }] })).toMatchObject({ body: { error: 'invalid_blocks' } });
    for (const n of [1, 2, 3, 4, 5]) expect(await respond({ text: `${n}` })).toMatchObject({ status: 200 });
  });
});

describe('the clock', () => {
  it('shows in ts and in the signature', async () => {
    clock.advance(31 * 86_400_000);
    const later = await fixture.client.chat.postMessage({ channel: CHANNEL, text: 'a month later' });
    expect(Number(later.ts) - Number(ts)).toBeGreaterThanOrEqual(31 * 86_400);
    await fixture.slack.click({ user: 'U0APPROVER', channel: CHANNEL, ts, actionId: 'approve' });
    expect(fixture.app.payloads).toHaveLength(2);
  });
});
