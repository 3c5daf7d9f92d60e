import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { inspect, promisify } from 'node:util';
import { Logger } from '@aws-lambda-powertools/logger';
import { jest } from '@jest/globals';
import * as z from 'zod';
import { createKeyReader } from '../../functions/adapters/kms.ts';
import { createSlack } from '../../functions/adapters/slack.ts';
import { SECRET_MARK } from '../../sandbox/simulated-secret.ts';
import { KEY } from '../builders.ts';
import { type Bot, startBot } from './support/bot.ts';
import { secretsIn } from './support/planted-secrets.ts';

const run = promisify(execFile);

describe('the scanner of the whole suite', () => {
  const scan = async (script: string) =>
    await run(process.execPath, ['test/security/scan-output.ts', process.execPath, '-e', script]).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: unknown) => z.object({ code: z.number(), stdout: z.string() }).parse(error),
    );
  const secret = `xoxb-${SECRET_MARK}0123`;

  it.each([
    ['on standard output', `console.log('token: ${secret}')`],
    ['on standard error', `console.error('token: ${secret}')`],
    [
      'in two pieces',
      `process.stdout.write('${secret.slice(0, 12)}'); setTimeout(() => console.log('${secret.slice(12)}'), 50)`,
    ],
    ['in a function’s log', `console.log(JSON.stringify({ level: 'DEBUG', message: '${secret}' }))`],
    ['without a line’s end', `process.stdout.write('${secret}')`],
    ['in hexadecimal', `console.log('${Buffer.from(secret).toString('hex')}')`],
    ...['', 'a', 'ab', 'abc'].map((before): [string, string] => [
      `in base64 after "${before}"`,
      `console.log('${Buffer.from(before + secret).toString('base64')}')`,
    ]),
  ])(
    'finds a secret %s',
    async (_, script) => {
      expect((await scan(script)).code).toBe(1);
    },
    20_000,
  );

  it('passes on the output and the exit code of a command that prints none', async () => {
    expect(await scan('console.log("fine")')).toEqual({
      ...{ code: 0, stdout: 'fine\nNo simulated secrets in 1 lines of output.\n' },
    });
    expect((await scan('process.exit(3)')).code).toBe(3);
  }, 20_000);
});

/** Collects everything this process would print. */
function everythingPrinted(): string[] {
  const printed: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((chunk) => {
      printed.push(String(chunk));
      return true;
    });
  }
  for (const method of ['debug', 'info', 'log', 'warn', 'error'] as const) {
    jest.spyOn(console, method).mockImplementation((...values: unknown[]) => {
      printed.push(...values.map((value) => (typeof value === 'string' ? value : inspect(value, { depth: 10 }))));
    });
  }
  return printed;
}

describe('secret in a log, an audit event, a notice or a message', () => {
  let bot: Bot;
  beforeAll(async () => {
    process.env['SANDBOX_VERBOSE'] = '1';
    bot = await startBot();
  }, 30_000);
  afterAll(async () => {
    await bot.stop();
    delete process.env['SANDBOX_VERBOSE'];
  }, 30_000);

  it('is found nowhere after everything that can go right or wrong', async () => {
    const printed = everythingPrinted();
    const { visitor } = bot;
    const told: unknown[] = [];
    const click = async (user: string, arn: string, actionId: string) => {
      told.push(await bot.click({ user, actionId, ref: { key: arn, episode: 1 } }));
    };

    const arn = await bot.openFinding();
    await click('U0GUEST', arn, 'approve');
    await click('U0ENGINEER', arn, 'exempt');
    const terms = { owner: 'U0APPROVER', reason: 'Rotated by the vendor', ticket: '', until: await visitor.day(30) };
    told.push(await visitor.fillIn({ user: 'U0APPROVER', arn, actionId: 'exempt' }, terms));
    await visitor.settle();
    told.push(await visitor.click('U0APPROVER', arn, 'revoke-exemption'));
    await visitor.settle();
    for (const [service, operation, error] of FAULTS) {
      await visitor.advance('2m');
      await visitor.fault(service, operation, error, 1);
      await click('U0APPROVER2', arn, 're-check');
      await visitor.makeKey();
      await visitor.settle();
      await visitor.fault(service, operation, error, 0);
    }
    await visitor.fault('slack', 'views.open', 'invalid_auth', 1);
    told.push(await visitor.click('U0APPROVER', arn, 'exempt'));
    told.push(await visitor.click('U0APPROVER', arn, 'approve'));
    told.push(await bot.signed({ body: 'payload={', timestamp: bot.now(), secret: bot.signingSecret }));
    told.push(await bot.signed({ body: 'payload={', timestamp: bot.now(), secret: 'guessed' }));
    const unreadable = bot.clickBody({ user: 'U0APPROVER', actionId: 'approve', ref: 'no finding' });
    told.push(await bot.signed({ body: unreadable, timestamp: bot.now(), secret: bot.signingSecret }));
    await visitor.settle();

    const logged = printed.join('\n');
    for (const name of ['decide-finding', 'announce-finding', 'remediate-key']) {
      expect(logged).toContain(`"service":"${name}"`);
    }
    expect(secretsIn(logged)).toEqual([]);
    for (const kept of [told, await bot.rows(), await visitor.notices(), await visitor.state()]) {
      expect(secretsIn(JSON.stringify(kept))).toEqual([]);
    }
  }, 120_000);

  const ANSWERS: [string, (response: ServerResponse) => void][] = [
    ['a refusal', (response) => response.end('{"ok":false,"error":"invalid_auth"}')],
    ['HTTP 500', (response) => response.writeHead(500).end('oops')],
    ['HTTP 429', (response) => response.writeHead(429, { 'retry-after': '1' }).end()],
    ['nonsense', (response) => response.end('<html>')],
    ['no answer', (response) => response.destroy()],
  ];

  it.each(ANSWERS)('is in no error of the Slack client, even in its depths: %s', async (_, answer) => {
    const printed = everythingPrinted();
    let authorization = '';
    const server = createServer((request, response) => {
      authorization = request.headers.authorization ?? '';
      answer(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = z.object({ port: z.int() }).parse(server.address());
    const slack = createSlack({ token: () => Promise.resolve(bot.botToken), apiUrl: `http://127.0.0.1:${port}/` });
    const message = { channel: 'C0', text: 'text', postId: 'post' };
    const error: unknown = await slack.postMessage(message).catch((thrown: unknown) => thrown);
    server.close();
    server.closeAllConnections();
    expect(secretsIn(authorization)).toHaveLength(1);
    expect(error).toBeInstanceOf(Error);
    new Logger({ serviceName: 'test' }).error('as a handler logs it', { error });
    expect(printed.join('\n')).toContain('as a handler logs it');
    expect(secretsIn(printed.join('\n') + inspect(error, { depth: Infinity, showHidden: true }))).toEqual([]);
  });

  it('is in nothing that is printed of an error of the KMS client', async () => {
    const printed = everythingPrinted();
    const access = {
      ...{ roleName: 'kms-rotation-bot-read', externalId: process.env['EXTERNAL_ID'] ?? '' },
      ...{ sessionName: 'test', stsRegion: 'eu-central-1' },
    };
    const reader = createKeyReader(access);
    const errors: unknown[] = [];
    for (const [service, operation, error] of [
      ['sts', 'AssumeRole', 'Throttling'],
      ['kms', 'DescribeKey', 'ThrottlingException'],
    ] as const) {
      await bot.visitor.fault(service, operation, error, 20);
      errors.push(await reader.observeKey(KEY).catch((thrown: unknown) => thrown));
      await bot.visitor.fault(service, operation, error, 0);
    }
    expect(errors.map((error) => error instanceof Error)).toEqual([true, true]);
    // The SDK hides the whole request in them, session token included: only what is enumerable may be printed.
    expect(secretsIn(inspect(errors, { depth: Infinity, showHidden: true }))).not.toEqual([]);
    new Logger({ serviceName: 'test' }).error('as a handler logs them', { errors, error: errors[0] });
    console.error(...errors);
    expect(printed.join('\n')).toContain('as a handler logs them');
    expect(secretsIn(printed.join('\n') + inspect(errors, { depth: Infinity }))).toEqual([]);
  }, 30_000);
});

/** One of each kind, at every service that the functions call. */
const FAULTS: [string, string, string][] = [
  ['slack', 'users.info', 'invalid_auth'],
  ['slack', 'usergroups.users.list', 'http_500'],
  ['slack', 'chat.postMessage', 'channel_not_found'],
  ['slack', 'chat.postMessage', 'ratelimited'],
  ['slack', 'chat.postMessage', 'timeout_after_accept'],
  ['dynamodb', 'GetItem', 'AccessDeniedException'],
  ['dynamodb', 'TransactWriteItems', 'ResourceNotFoundException'],
  ['sts', 'AssumeRole', 'AccessDenied'],
  ['kms', 'DescribeKey', 'ThrottlingException'],
  ['sns', 'Publish', 'InternalError'],
];
