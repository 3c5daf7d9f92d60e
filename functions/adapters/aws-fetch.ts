import { createHash, createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod/mini';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A service of AWS that speaks JSON, and what AWS's own names for it are. */
export type AwsService = {
  /** As errors call it. */
  name: string;
  /** In its address and in the scope of a signature. */
  signingName: string;
  /** What goes before the operation in `x-amz-target`. */
  target: string;
  protocol: 'json-1.0' | 'json-1.1';
  /** Besides `AWS_ENDPOINT_URL`: the variable that moves this service alone. */
  endpointVariable: string;
  /** Refusals that pass by themselves, besides every 5xx. */
  triedAgain: ReadonlySet<string>;
};

/** Calls one operation of a service. @throws AwsRefused, AwsUnavailable */
export type AwsCall = (operation: string, input: object) => Promise<unknown>;

/** The service said no; the same call gets the same answer until somebody changes something, or for a while (throttling). */
export class AwsRefused extends Error {
  public override readonly name = 'AwsRefused';
  /** AWS's own word, such as `ResourceNotFoundException`. */
  public readonly code: string;
  /** The whole refusal, parsed from JSON. */
  public readonly answer: unknown;
  public constructor(message: string, code: string, answer: unknown) {
    super(message);
    this.code = code;
    this.answer = answer;
  }
}

/** No usable answer came, however often it was tried. */
export class AwsUnavailable extends Error {
  public override readonly name = 'AwsUnavailable';
}

/** Tries in all, and how long each may take: together below the three seconds that Slack waits. */
const ATTEMPTS = 3;
const ATTEMPT_TIMEOUT_MS = 800;
/** Full jitter below this, doubled every time: the AWS SDK's values for DynamoDB. */
const BACKOFF_MS = 50;

const text = z.string().check(z.minLength(1));
const placeSchema = z.object({ AWS_REGION: text });
const credentialsSchema = z.object({
  AWS_ACCESS_KEY_ID: text,
  AWS_SECRET_ACCESS_KEY: text,
  AWS_SESSION_TOKEN: z.optional(text),
});
const refusalAnswer = z.object({
  __type: z.string(),
  message: z.optional(z.string()),
  Message: z.optional(z.string()),
});

type Attempt = { done: true; answer: unknown } | { done: false; again: boolean; error: Error };

/**
 * A service over `globalThis.fetch`, signed with the credentials that Lambda puts into the environment. It is here for
 * the cold start of the function that people wait for: the AWS SDK is larger than all the rest of that function.
 * `AWS_ENDPOINT_URL` and the service's own variable are honoured; profiles, FIPS and dual-stack settings are not.
 * Errors never repeat what the service answered to a call that succeeded: it may be a secret.
 */
export function createAwsCall(service: AwsService, environment: Environment): AwsCall {
  const { AWS_REGION: region } = placeSchema.parse(environment);
  const endpoint = endpointOf(service, environment, region);
  const signer = new SignatureV4({
    ...{ service: service.signingName, region, sha256: Sha256 },
    credentials: () => Promise.resolve(credentialsOf(environment)),
  });

  async function attempt(operation: string, body: string): Promise<Attempt> {
    const { headers } = await signer.sign({
      ...{ method: 'POST', protocol: endpoint.protocol, hostname: endpoint.hostname, path: endpoint.pathname, body },
      headers: {
        host: endpoint.host,
        'content-type': `application/x-amz-${service.protocol}`,
        'x-amz-target': `${service.target}.${operation}`,
      },
    });
    let status: number;
    let received: string;
    try {
      // Looked up anew for every call, so that whoever instruments fetch sees this one too.
      const response = await globalThis.fetch(endpoint, {
        ...{ method: 'POST', headers, body, redirect: 'error' },
        signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
      });
      status = response.status;
      received = await response.text();
    } catch (cause) {
      const error = new AwsUnavailable(`${service.name} gave no answer to ${operation}`, { cause });
      return { done: false, again: true, error };
    }
    const answer = status >= 500 ? undefined : parsed(received);
    if (answer === undefined) {
      const what = status >= 500 ? `HTTP ${status}` : `HTTP ${status} and no JSON`;
      const error = new AwsUnavailable(`${service.name} answers ${operation} with ${what}`);
      return { done: false, again: true, error };
    }
    if (status === 200) return { done: true, answer };
    const error = refusal(service, operation, answer);
    return { done: false, again: service.triedAgain.has(error.code), error };
  }

  return async (operation, input) => {
    const body = JSON.stringify(input);
    for (let failures = 0; ; failures += 1) {
      const result = await attempt(operation, body);
      if (result.done) return result.answer;
      if (!result.again || failures === ATTEMPTS - 1) throw result.error;
      await sleep(Math.random() * BACKOFF_MS * 2 ** failures);
    }
  };
}

/** Undefined for what is no JSON. What the parser says about it would quote it. */
function parsed(received: string): unknown {
  try {
    return JSON.parse(received);
  } catch {
    return undefined;
  }
}

function refusal({ name }: AwsService, operation: string, answer: unknown): AwsRefused {
  const { __type, message, Message } = refusalAnswer.parse(answer);
  const code = __type.slice(__type.indexOf('#') + 1);
  return new AwsRefused(`${name} refuses ${operation}: ${code}: ${message ?? Message ?? ''}`, code, answer);
}

/** What the signer hashes with. The one of @smithy/core probes OpenSSL and carries a second SHA-256 for where it fails. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  public constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  public update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }
  public digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}

function endpointOf({ signingName, endpointVariable }: AwsService, environment: Environment, region: string): URL {
  const given = environment[endpointVariable] ?? environment['AWS_ENDPOINT_URL'];
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return new URL(given ?? `https://${signingName}.${region}.${domain}`);
}

/** Read for every request, as the SDK does: whoever renews the variables is believed at once. */
function credentialsOf(environment: Environment) {
  const given = credentialsSchema.parse(environment);
  return {
    accessKeyId: given.AWS_ACCESS_KEY_ID,
    secretAccessKey: given.AWS_SECRET_ACCESS_KEY,
    ...(given.AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: given.AWS_SESSION_TOKEN }),
  };
}
