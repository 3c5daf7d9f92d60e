import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/sandbox.ts';
import { createVisitor } from '../../sandbox/scenarios/visitor.ts';

const running: Sandbox[] = [];
async function start(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ awsPort: 0, slackPort: 0, graceSeconds: 1, rateLimits: 'off', ...options });
  running.push(sandbox);
  return sandbox;
}
const visit = (sandbox: Sandbox) => createVisitor(sandbox, () => undefined);
async function post(sandbox: Sandbox, path: string, body: object): Promise<{ status: number; answer: unknown }> {
  const response = await fetch(`${sandbox.awsUrl}/sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, answer: await response.json() };
}

afterEach(async () => {
  for (const sandbox of running.splice(0)) await sandbox.close();
}, 30_000);

it('says in one line that a port is taken, and leaves nothing behind', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  const address = blocker.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const before = { date: Date, env: { ...process.env } };
  await expect(start({ awsPort: port })).rejects.toThrow(new RegExp(`^port ${port} is in use.*$`));
  await expect(start({ slackPort: port })).rejects.toThrow(new RegExp(`^Port ${port} on 127.0.0.1 is taken.*$`));
  expect({ date: Date, env: { ...process.env } }).toEqual(before);
  blocker.close();
}, 60_000);

it('is alone in its process, because there is one clock', async () => {
  await start();
  await expect(start()).rejects.toThrow(/running in this process already/);
}, 60_000);

it('gives the process its own clock and environment back when it ends', async () => {
  const before = { date: Date, env: { ...process.env } };
  const sandbox = await start();
  expect(Date).not.toBe(before.date);
  running.splice(0);
  await sandbox.close();
  expect({ date: Date, env: { ...process.env } }).toEqual(before);
}, 60_000);

it('goes on with the same keys, messages, findings and time after a restart', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sandbox-'));
  try {
    const first = await start({ dataDir });
    const visitor = visit(first);
    const arn = await visitor.makeKey({ alias: 'alias/kept' });
    await visitor.settle();
    await visitor.advance('3d');
    await visitor.settle();
    const [message] = await visitor.messagesAbout(arn);
    const { clock } = await visitor.state();
    visitor.close();
    running.splice(0);
    await first.close();

    const second = await start({ dataDir });
    const again = visit(second);
    const [sameMessage] = await again.messagesAbout(arn);
    expect(sameMessage).toEqual(message);
    expect((await again.state()).clock.now >= clock.now).toBe(true);
    await again.click('U0APPROVER', arn, 'approve');
    await again.settle();
    expect(await again.rotationOf(arn)).toEqual({ enabled: true, periodInDays: 365 });
    expect((await again.messagesAbout(arn)).map(({ ts }) => ts)).toEqual([message?.ts]);
    await again.checkTrails();
    again.close();
    running.splice(0);
    await second.close();
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}, 60_000);

describe('a call that cannot be done', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ awsPort: 0, slackPort: 0 });
  }, 30_000);
  afterAll(() => sandbox.close(), 30_000);

  it.each([
    ['keys', { kind: 'square' }, /"kind"/],
    ['keys', { kind: 'rsa', alias: 'orders' }, /"alias": expected alias/],
    ['keys', { kind: 'rsa', user: 'U0NOBODY' }, /no person "U0NOBODY"/],
    ['keys/act', { arn: 'arn:aws:kms:eu-central-1:123456789012:key/x', action: 'enable' }, /There is no key/],
    ['keys/act', { arn: 'x', action: 'explode' }, /"action"/],
    ['clock', { advance: '-1d' }, /"-1d" is no duration/],
    ['fault', { service: 's3', operation: '*', error: 'x', times: 1 }, /no service "s3"/],
    ['mistakes', { names: ['none-such'] }, /no mistake "none-such"; known: trail-missing/],
    ['click', { user: 'U0APPROVER', channel: 'C0SECURITY', ts: '1.1', actionId: 'approve' }, /sees no message/],
  ])('is answered with a sentence: POST /sandbox/%s %j', async (path, body, sentence) => {
    const { status, answer } = await post(sandbox, path, body);
    expect({ status, answer }).toEqual({ status: 400, answer: { error: expect.stringMatching(sentence) as unknown } });
  });

  it('is a 404 when there is no such call', async () => {
    expect((await post(sandbox, 'nothing', {})).status).toBe(404);
  });
});
