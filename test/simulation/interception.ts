import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import { KMSClient } from '@aws-sdk/client-kms';
import * as z from 'zod';
import { installVirtualTime } from './virtual-time.ts';

/** A command that code gave to a client of the AWS SDK. */
export type AwsCommand = {
  /** Such as `KMSClient`. */
  client: string;
  /** Such as `DescribeKeyCommand`. */
  command: string;
  input: unknown;
  region: string;
  /** Finds out, through the client's own credential providers, who signs. */
  accessKeyId: () => Promise<string>;
  marshallOptions: { removeUndefinedValues?: boolean | undefined };
};

export type HttpCall = { url: string; headers: Headers; body: string };

/** Everything that the functions can reach. */
export type Outside = {
  now: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  aws: (command: AwsCommand) => Promise<unknown>;
  http: (call: HttpCall) => Promise<Response>;
};

let outside: Outside | undefined;

/** From now on code reaches this, and its random numbers follow from `seed`; called once per schedule. */
export function enterOutside(world: Outside, seed: string): void {
  outside = world;
  randomSeed = seed;
  randomNumbers = 0;
}

function world(): Outside {
  if (outside === undefined) throw new Error('nothing is simulated yet');
  return outside;
}

const sdkClient = z.looseObject({
  constructor: z.custom<{ name: string }>((value) => typeof value === 'function'),
  config: z.looseObject({
    region: z.custom<() => Promise<string>>((value) => typeof value === 'function'),
    credentials: z
      .custom<() => Promise<{ accessKeyId: string }>>((value) => value === undefined || typeof value === 'function')
      .optional(),
    translateConfig: z
      .looseObject({ marshallOptions: z.looseObject({ removeUndefinedValues: z.boolean().optional() }).optional() })
      .optional(),
  }),
});
const sdkCommand = z.looseObject({
  constructor: z.custom<{ name: string }>((value) => typeof value === 'function'),
  input: z.unknown(),
});

/**
 * Puts the simulation at every way out of this process that the handlers have: the `send` of all AWS clients, `fetch`,
 * the clock, sleeping, and random numbers (ids only; none of them decides anything). Before any handler is loaded.
 */
export function installInterception(): void {
  installVirtualTime({ now: () => outside?.now() ?? 0 });

  const everyClient = Reflect.getPrototypeOf(KMSClient.prototype);
  if (everyClient === null || !('send' in everyClient)) throw new Error('the AWS SDK has no common client any more');
  Reflect.set(everyClient, 'send', async function send(this: unknown, command: unknown): Promise<unknown> {
    const { constructor: client, config } = sdkClient.parse(this);
    const { constructor: kind, input } = sdkCommand.parse(command);
    return await world().aws({
      client: client.name,
      command: kind.name,
      input,
      region: await config.region(),
      accessKeyId: async () => (await config.credentials?.())?.accessKeyId ?? '',
      marshallOptions: config.translateConfig?.marshallOptions ?? {},
    });
  });

  globalThis.fetch = async (target, init) => {
    const request = { url: urlOf(target), headers: new Headers(init?.headers), body: bodyOf(init?.body) };
    return await world().http(request);
  };

  Reflect.set(timers, 'setTimeout', (milliseconds: number) => world().sleep(milliseconds));
  Math.random = () => Number.parseInt(nextHex(8), 16) / 2 ** 32;
  Reflect.set(crypto, 'randomUUID', () => {
    const hex = nextHex(32);
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  });
  Reflect.set(crypto, 'randomBytes', (size: number) => Buffer.from(nextHex(size * 2), 'hex'));
  syncBuiltinESMExports();
}

let randomSeed = '';
let randomNumbers = 0;

/** Looks random, is a count. */
function nextHex(length: number): string {
  randomNumbers += 1;
  return crypto
    .createHash('shake256', { outputLength: Math.ceil(length / 2) })
    .update(`${randomSeed} ${randomNumbers}`)
    .digest('hex')
    .slice(0, length);
}

function urlOf(target: string | URL | Request): string {
  return typeof target === 'string' ? target : target instanceof URL ? target.href : target.url;
}

function bodyOf(body: unknown): string {
  if (body === undefined || body === null) return '';
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new Error('a request body of this kind is not simulated');
}
