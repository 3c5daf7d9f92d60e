import { createHash } from 'node:crypto';
import { fromHttpApiResult, toHttpApiEvent } from '../../sandbox/lambda/http-api.ts';
import type { Containers } from './containers.ts';
import type { HttpCall } from './interception.ts';
import { Killed, type Move, type Scheduler, type Source } from './scheduler.ts';

/** Slack waits so long for an answer. */
const PATIENCE_MS = 3000;
const TRAVEL_MS = 40;

type Request = {
  id: string;
  event: unknown;
  dueAt: number;
  giveUpAt: number;
  isDelivered: boolean;
  /** Absent on a copy that somebody replays: nobody waits for its answer. */
  answer: ((response: Response) => void) | undefined;
  giveUp: (() => void) | undefined;
};

/** Slack's requests on their way to decide-finding: late, replayed, or answered too late. */
export class HttpApi implements Source {
  readonly #scheduler: Scheduler;
  readonly #containers: Containers;
  readonly #onFailure: (error: unknown) => void;
  readonly #onTold: (requestId: string, words: string) => void;
  #requests: Request[] = [];

  public constructor(parts: {
    scheduler: Scheduler;
    containers: Containers;
    /** Told when the function threw, which Slack shows as a warning sign. */
    onFailure: (error: unknown) => void;
    /** Told what a person read in answer to a request. */
    onTold: (requestId: string, words: string) => void;
  }) {
    this.#scheduler = parts.scheduler;
    this.#containers = parts.containers;
    this.#onFailure = parts.onFailure;
    this.#onTold = parts.onTold;
  }

  public pending(): number {
    return this.#requests.length;
  }

  public send({ url, headers, body }: HttpCall): Promise<Response> {
    const event = toHttpApiEvent({
      method: 'POST',
      path: new URL(url).pathname,
      rawQuery: '',
      headers: Object.fromEntries(headers),
      rawBody: Buffer.from(body),
      sourceIp: '203.0.113.7',
    });
    const dueAt = this.#scheduler.now() + TRAVEL_MS;
    // How the audit trail names a request.
    const signature = headers.get('x-slack-signature') ?? '';
    const id = createHash('sha256').update(signature).digest('hex').slice(0, 32);
    const common = { id, event, isDelivered: false };
    if (this.#scheduler.misfortune()) {
      this.#scheduler.tell(() => 'that request will reach the bot twice');
      const copy = { ...common, dueAt: dueAt + TRAVEL_MS, giveUpAt: Number.POSITIVE_INFINITY };
      this.#requests.push({ ...copy, answer: undefined, giveUp: undefined });
    }
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const giveUp = () => {
      reject(new DOMException('the app did not answer in time', 'TimeoutError'));
    };
    this.#requests.push({ ...common, dueAt, giveUpAt: dueAt + PATIENCE_MS, answer: resolve, giveUp });
    return promise;
  }

  public moves(): Move[] {
    const now = this.#scheduler.now();
    const canRun = this.#containers.isFree('decide-finding');
    return [
      ...this.#requests
        .filter(({ dueAt, isDelivered }) => canRun && !isDelivered && dueAt <= now)
        .map((request) => ({
          weight: 10,
          act: () => {
            this.#deliver(request);
          },
        })),
      ...this.#requests
        .filter(({ giveUpAt }) => giveUpAt <= now)
        .map((request) => ({
          weight: 40,
          act: () => {
            this.#abandon(request);
          },
        })),
    ];
  }

  public nextAt(): number | null {
    const instants = this.#requests.flatMap(({ dueAt, giveUpAt, isDelivered }) =>
      isDelivered ? [giveUpAt] : [dueAt, giveUpAt],
    );
    const finite = instants.filter((instant) => instant > this.#scheduler.now() && Number.isFinite(instant));
    return finite.length === 0 ? null : Math.min(...finite);
  }

  #deliver(request: Request): void {
    request.isDelivered = true;
    const invocation = { what: 'a request from Slack', about: request.id, event: request.event };
    this.#containers.invoke('decide-finding', invocation, (result) => {
      if ('error' in result && !(result.error instanceof Killed)) this.#onFailure(result.error);
      this.#remove(request);
      const { status, headers, body } =
        'error' in result ? { status: 500, headers: {}, body: Buffer.from('') } : fromHttpApiResult(result.answer);
      this.#onTold(request.id, body.toString());
      request.answer?.(new Response(body.toString(), { status, headers }));
    });
  }

  #abandon(request: Request): void {
    this.#scheduler.tell(() => 'Slack waits no longer for the answer to a request');
    request.giveUpAt = Number.POSITIVE_INFINITY;
    if (!request.isDelivered) this.#remove(request);
    request.giveUp?.();
    request.answer = undefined;
  }

  #remove(request: Request): void {
    this.#requests = this.#requests.filter((other) => other !== request);
  }
}
