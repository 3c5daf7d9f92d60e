import { expect, jest } from '@jest/globals';
import { WebAPIHTTPError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';
import { createRateLimits } from '../../../sandbox/slack/rate-limits.ts';
import { BOT_TOKEN, CHANNEL, refusal, type SlackFixture, startFixture } from './support/slack-fixture.ts';

let fixture: SlackFixture;
afterEach(() => fixture.close());

describe('rate limits', () => {
  beforeEach(async () => {
    fixture = await startFixture({ rateLimits: 'slack' });
  });

  it('let a burst of messages through and then one per second and channel', async () => {
    const post = (channel: string) => fixture.client.chat.postMessage({ channel, text: 'x' });
    for (let n = 0; n < 5; n += 1) await post(CHANNEL);
    const late = post(CHANNEL);
    await expect(late).rejects.toBeInstanceOf(WebAPIRateLimitedError);
    await expect(late).rejects.toMatchObject({ retryAfter: 1 });
    await post('C0PAYMENTS');
  });

  it('answer 429 with Retry-After and ratelimited', async () => {
    for (let n = 0; n < 20; n += 1) await fixture.client.usergroups.list();
    const response = await fetch(`${fixture.slack.url}/api/usergroups.list`, {
      method: 'POST',
      headers: { authorization: `Bearer ${BOT_TOKEN}` },
    });
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(await response.json()).toEqual({ ok: false, error: 'ratelimited' });
  });

  it.each([
    ['tier2', 20],
    ['tier3', 50],
    ['tier4', 100],
  ] as const)('give %s %i calls a minute, per method', (tier, calls) => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
    const limits = createRateLimits('slack');
    const call = (method = 'a') => limits.retryAfter(method, tier, '');
    for (let n = 0; n < calls; n += 1) expect(call()).toBeUndefined();
    expect(call()).toBe(60);
    expect(call('b')).toBeUndefined();
    clock.mockReturnValue(45_500);
    expect(call()).toBe(15);
    clock.mockReturnValue(60_000);
    expect(call()).toBeUndefined();
  });

  it('can be switched off', () => {
    const limits = createRateLimits('off');
    for (let n = 0; n < 200; n += 1) expect(limits.retryAfter('a', 'tier2', '')).toBeUndefined();
  });
});

describe('a fault', () => {
  beforeEach(async () => {
    fixture = await startFixture();
  });
  const post = () => fixture.client.chat.postMessage({ channel: CHANNEL, text: 'x' });
  const stored = () => fixture.slack.state().channels[0]?.messages.length;

  it('meets the given number of calls of its method', async () => {
    const { slack, client } = fixture;
    slack.faults.set('chat.postMessage', 'channel_not_found', 2);
    expect(await refusal(post())).toMatchObject({ error: 'channel_not_found' });
    await client.auth.test();
    expect(slack.faults.list()).toEqual([{ method: 'chat.postMessage', error: 'channel_not_found', times: 1 }]);
    expect(await refusal(post())).toMatchObject({ error: 'channel_not_found' });
    expect(await refusal(post())).toMatchObject({ error: 'ok' });
    expect(slack.faults.list()).toEqual([]);
  });

  it('can meet every method, and can be taken away', async () => {
    const { slack, client } = fixture;
    slack.faults.set('*', 'account_inactive', 5);
    expect(await refusal(client.auth.test())).toMatchObject({ error: 'account_inactive' });
    slack.faults.set('*', 'account_inactive', 0);
    expect(await refusal(client.auth.test())).toMatchObject({ error: 'ok' });
  });

  it('can be a rate limit of one second', async () => {
    fixture.slack.faults.set('*', 'ratelimited', 1);
    await expect(post()).rejects.toMatchObject({ retryAfter: 1 });
  });

  it('can be a server error', async () => {
    fixture.slack.faults.set('*', 'http_500', 1);
    await expect(post()).rejects.toBeInstanceOf(WebAPIHTTPError);
    expect(stored()).toBe(0);
  });

  it('can end the connection before anything was done, or after everything was', async () => {
    fixture.slack.faults.set('chat.postMessage', 'timeout', 1);
    await expect(post()).rejects.toBeInstanceOf(WebAPIRequestError);
    expect(stored()).toBe(0);
    fixture.slack.faults.set('chat.postMessage', 'timeout_after_accept', 1);
    await expect(post()).rejects.toBeInstanceOf(WebAPIRequestError);
    expect(stored()).toBe(1);
  });
});
