import { GetKeyRotationStatusCommand, KMSClient } from '@aws-sdk/client-kms';
import * as z from 'zod';
import {
  type AuditAnswer,
  auditAnswer,
  type ClickAnswer,
  clickAnswer,
  keyAnswer,
  noticesAnswer,
  patternTrailAnswer,
  type Shown,
  stateAnswer,
  sweepAnswer,
} from './answers.ts';
import { sendToQueue } from './send-to-queue.ts';
import { expectSame, expectThere, Surprise } from './surprise.ts';

/** Where a sandbox can be reached. */
export type Addresses = { awsUrl: string; slackUrl: string };

export type MakeKey = {
  kind?: string;
  account?: string;
  region?: string;
  alias?: string;
  as?: string;
  tags?: Record<string, string>;
  user?: string;
  /** Nobody hears of it: the bot is not there yet, or the event gets lost. */
  unheard?: boolean;
};

/** Somebody who works a running sandbox from outside: by its HTTP interface and with the AWS SDK. */
export type Visitor = ReturnType<typeof createVisitor>;

export const DEV = '123456789012';
export const PAYMENTS = '444455556666';

/** `say` is told each step and what was seen. */
export function createVisitor({ awsUrl, slackUrl }: Addresses, say: (line: string) => void) {
  const arns: string[] = [];
  const clients = new Map<string, KMSClient>();

  async function call<T extends z.ZodType>(path: string, body: object | undefined, answer: T): Promise<z.infer<T>> {
    const response = await fetch(`${slackUrl}/sandbox/${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const json: unknown = await response.json();
    if (!response.ok) throw new Surprise(`/sandbox/${path} is refused`, 'an answer', json);
    return answer.parse(json);
  }

  const state = () => call('state', undefined, stateAnswer);
  const audit = (arn: string) => call(`audit?key=${encodeURIComponent(arn)}`, undefined, auditAnswer);

  async function settle(): Promise<void> {
    await call('settle', {}, z.object({ pending: z.literal(0) }));
  }

  /** All messages about a key, one per episode, oldest first. */
  async function messagesAbout(arn: string): Promise<Shown[]> {
    const { channels } = await state();
    return (
      channels
        .flatMap(({ id, messages }) => messages.map((message) => ({ ...message, channel: id })))
        .filter(({ metadata }) => metadata?.event_payload?.post_id?.startsWith(`${arn}#`) === true)
        // What an owner is told directly is about the key too, and nobody decides there.
        .filter(({ channel }) => !channel.startsWith('D'))
    );
  }

  /** What the bot told a person directly, oldest first. */
  async function directMessages(user: string): Promise<string[]> {
    const { channels } = await state();
    return channels
      .filter(({ id }) => id === `D${user.slice(1)}`)
      .flatMap(({ messages }) => messages.map(({ text }) => text));
  }

  async function click(user: string, arn: string, actionId: string): Promise<ClickAnswer> {
    const { channel, ts } = await messageAbout(arn);
    return await clickAt(user, { channel, ts }, actionId);
  }

  async function newest(kind: 'digest' | 'pattern'): Promise<Shown> {
    const { channels } = await state();
    const all = channels.flatMap(({ id, messages }) => messages.map((message) => ({ ...message, channel: id })));
    const those = all.filter(({ channel, metadata }) => {
      return !channel.startsWith('D') && metadata?.event_payload?.post_id?.startsWith(`${kind}#`) === true;
    });
    return expectThere(`there is a message of a ${kind}`, those.at(-1));
  }

  /** Types a command of the bot in its channel. */
  async function command(user: string, text: string): Promise<ClickAnswer> {
    const request = { user, channel: 'C0SECURITY', command: '/kms-rotation', text };
    const answer = await call('command', request, clickAnswer);
    const shown = answer.ephemerals.map((one) => `only ${user} sees: ${one.text}`);
    say(`${user} types "/kms-rotation ${text}"${shown.length > 0 ? `; ${shown.join(' ')}` : ''}`);
    expectSame('the bot answers Slack', { ok: answer.ok, error: answer.error }, { ok: true, error: undefined });
    return answer;
  }

  /** The trail of the exemption of a pattern that a message is about. */
  async function patternTrail({ metadata }: Shown) {
    const [, id = ''] = metadata?.event_payload?.post_id?.split('#') ?? [];
    return await call(`audit?pattern=${encodeURIComponent(id)}`, undefined, patternTrailAnswer);
  }

  /** Clicks a button of a message or of an open view. */
  async function clickAt(
    user: string,
    place: { channel: string; ts: string } | { viewId: string; blockId?: string },
    actionId: string,
  ): Promise<ClickAnswer> {
    const answer = await call('click', { user, ...place, actionId }, clickAnswer);
    const shown = answer.ephemerals.map(({ text }) => `only ${user} sees: ${text}`);
    say(`${user} clicks "${actionId}"${shown.length > 0 ? `; ${shown.join(' ')}` : ''}`);
    expectSame('the bot answers Slack', { ok: answer.ok, error: answer.error }, { ok: true, error: undefined });
    return answer;
  }

  /** An open view, as it is now. */
  async function viewOf(viewId: string): Promise<unknown> {
    const { views } = await state();
    return expectThere(
      'the view is open',
      views.find(({ id }) => id === viewId),
    ).view;
  }

  async function messageAbout(arn: string): Promise<Shown> {
    return expectThere('there is a message about the key', (await messagesAbout(arn)).at(-1));
  }

  /** Opens the form behind a button and submits it. */
  async function fillIn(
    { user, arn, actionId }: { user: string; arn: string; actionId: string },
    values: Record<string, string>,
  ): Promise<ClickAnswer> {
    const { views } = await click(user, arn, actionId);
    const { id } = expectThere('a form opens', views[0]);
    return await submit(user, id, values);
  }

  async function submit(user: string, viewId: string, values: Record<string, string>): Promise<ClickAnswer> {
    const answer = await call('submit', { user, viewId, values }, clickAnswer);
    const errors = Object.entries(answer.errors ?? {}).map(([field, sentence]) => `${field}: ${sentence}`);
    say(`${user} submits the form${errors.length > 0 ? `; it says ${errors.join(' ')}` : ''}`);
    return answer;
  }

  /** `days` from now by the sandbox's clock, as YYYY-MM-DD. */
  async function day(days: number): Promise<string> {
    const { clock } = await state();
    return new Date(Date.parse(clock.now) + days * 86_400_000).toISOString().slice(0, 10);
  }

  return {
    say,
    state,
    audit,
    settle,
    messagesAbout,
    messageAbout,
    directMessages,
    /** The newest message that is about many findings. */
    digest: () => newest('digest'),
    /** The newest message that is about an exemption of a pattern. */
    patternMessage: () => newest('pattern'),
    patternTrail,
    command,
    click,
    clickAt,
    viewOf,
    fillIn,
    submit,
    day,
    /** Makes a key; its trail is checked when the scenario ends. */
    async makeKey(request: MakeKey = {}): Promise<string> {
      const { arn } = await call('keys', { kind: 'symmetric', ...request }, keyAnswer);
      arns.push(arn);
      const unheard = request.unheard === true ? ', and the bot hears nothing of it' : '';
      say(`a ${request.kind ?? 'symmetric'} key is created${unheard}: ${arn}`);
      return arn;
    },
    /** Looks at every key; answers how many findings that changed. */
    async sweep(): Promise<{ changed: number; failedPlaces: string[] }> {
      const result = await call('sweep', {}, sweepAnswer);
      say(`the sweep looks at ${result.keys} keys in ${result.places} places`);
      return result;
    },
    async act(arn: string, action: string, more: Record<string, unknown> = {}): Promise<void> {
      await call('keys/act', { arn, action, ...more }, z.unknown());
      say(`${action} on ${arn.split('/').at(-1) ?? arn}${typeof more['as'] === 'string' ? ` by ${more['as']}` : ''}`);
    },
    /** Answers the instant that it is then. */
    async advance(duration: string): Promise<string> {
      const { now } = await call('clock', { advance: duration }, z.object({ now: z.string() }));
      say(`the clock moves ${duration} forward, to ${now}`);
      return now;
    },
    async fault(service: string, operation: string, error: string, times = 1): Promise<void> {
      await call('fault', { service, operation, error, times }, z.unknown());
      say(`the next ${times} × ${operation} of ${service} will fail: ${error}`);
    },
    sendToQueue: (queue: string, body: object) => sendToQueue(awsUrl, queue, body),
    async notices() {
      return (await call('notices', undefined, noticesAnswer)).notices;
    },
    /** GetKeyRotationStatus, as the key's account sees it. */
    async rotationOf(arn: string): Promise<{ enabled: boolean; periodInDays: number | undefined }> {
      const [, , , region = '', account = ''] = arn.split(':');
      const name = `${account} ${region}`;
      const client =
        clients.get(name) ??
        new KMSClient({
          ...{ endpoint: awsUrl, region, maxAttempts: 1 },
          credentials: { accessKeyId: account, secretAccessKey: 'simulated' },
        });
      clients.set(name, client);
      const answer = await client.send(new GetKeyRotationStatusCommand({ KeyId: arn }));
      const rotation = { enabled: answer.KeyRotationEnabled === true, periodInDays: answer.RotationPeriodInDays };
      say(`get-key-rotation-status: ${JSON.stringify(rotation)}`);
      return rotation;
    },
    /** The event types of a key's trail, oldest first. */
    async trail(arn: string): Promise<string[]> {
      return (await audit(arn)).events.map(({ event }) => event.type);
    },
    /** Checks the trails of all keys that were made. @throws Surprise for a broken chain */
    async checkTrails(): Promise<AuditAnswer[]> {
      const trails = await Promise.all(arns.map(audit));
      for (const [index, { chain }] of trails.entries()) {
        expectSame(`the audit trail of ${arns[index] ?? ''} is intact`, chain.intact, true);
      }
      return trails;
    },
    close(): void {
      for (const client of clients.values()) client.destroy();
    },
  };
}
