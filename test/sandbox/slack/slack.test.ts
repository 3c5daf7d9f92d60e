import { expect } from '@jest/globals';
import type { ControlRequest } from '../../../sandbox/control-handler.ts';
import { startSlack } from '../../../sandbox/slack/slack.ts';
import { aButton, aModal, CHANNEL, type SlackFixture, startFixture } from './support/slack-fixture.ts';

let fixture: SlackFixture;
const asked: ControlRequest[] = [];
beforeEach(async () => {
  asked.length = 0;
  fixture = await startFixture({
    control: (request) => {
      asked.push(request);
      return Promise.resolve({ status: 201, body: { done: true } });
    },
  });
});
afterEach(() => fixture.close());

describe('the server', () => {
  it('names the port and the option when the port is taken', async () => {
    const port = Number(new URL(fixture.slack.url).port);
    const second = startSlack({
      port,
      signingSecret: 's',
      botToken: 't',
      interactionUrl: 'http://127.0.0.1:1/',
      control: () => Promise.resolve({ status: 200, body: {} }),
    });
    await expect(second).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken by another program; choose another one with --slack-port.`,
    );
  });

  it('hands /sandbox/ calls to the control handler', async () => {
    const response = await fetch(`${fixture.slack.url}/sandbox/audit?key=k`, {
      method: 'POST',
      body: JSON.stringify({ a: 1 }),
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ done: true });
    expect(asked).toMatchObject([{ method: 'POST', path: 'audit', body: { a: 1 } }]);
    expect(asked[0]?.query.get('key')).toBe('k');
  });

  it('refuses a /sandbox/ call whose body is no JSON', async () => {
    const response = await fetch(`${fixture.slack.url}/sandbox/clock`, { method: 'POST', body: 'now' });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: 'The body is not JSON.' });
  });

  it('serves the page, which may load nothing from elsewhere', async () => {
    const response = await fetch(`${fixture.slack.url}/`);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await response.text();
    const linked = [...html.matchAll(/(?:src|href)="(\/[^"]*)"/g)].map((match) => match[1] ?? '');
    expect(linked).not.toEqual([]);
    for (const path of linked) expect((await fetch(fixture.slack.url + path)).status).toBe(200);
    expect((await fetch(`${fixture.slack.url}/archives/${CHANNEL}/p1`)).status).toBe(200);
    expect((await fetch(`${fixture.slack.url}/../slack.ts`)).status).toBe(404);
    expect((await fetch(`${fixture.slack.url}/%2e%2e%2fslack.ts`)).status).toBe(404);
  });
});

describe('a snapshot', () => {
  it('holds everything that is stored, and is taken back as it was', async () => {
    const { client, slack, app } = fixture;
    const { ts = '' } = await client.chat.postMessage({
      channel: CHANNEL,
      text: 'x',
      blocks: [{ type: 'actions', elements: [aButton('open')] }],
    });
    app.onInteraction(async ({ trigger_id = '' }) => {
      await client.views.open({ trigger_id, view: aModal() });
      return {};
    });
    await slack.click({ user: 'U0APPROVER', channel: CHANNEL, ts, actionId: 'open' });
    await client.chat.postEphemeral({ channel: CHANNEL, user: 'U0VIEWER', text: 'y' });
    const saved: unknown = JSON.parse(JSON.stringify(slack.snapshot()));
    const before = slack.state();

    const other = await startFixture();
    other.slack.restore(saved);
    expect(other.slack.state()).toEqual(before);
    const next = await other.client.chat.postMessage({ channel: CHANNEL, text: 'z' });
    expect(Number(next.ts)).toBeGreaterThan(Number(ts));
    expect(() => {
      other.slack.restore({ channels: 'none' });
    }).toThrow();
    await other.close();
  });
});
