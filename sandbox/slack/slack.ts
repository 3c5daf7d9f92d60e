/**
 * The embedded Slack: one HTTP server on 127.0.0.1 that answers the Web API, response_urls, the sandbox's own calls and the
 * page. An app uses it unchanged: `new WebClient(token, { slackApiUrl: slack.url + '/api/' })`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import type { ControlHandler } from '../control-handler.ts';
import { simulatedSecret } from '../simulated-secret.ts';
import { PEOPLE } from '../world.ts';
import { type Command, type OpenHome, openHome, runCommand } from './commands.ts';
import { createFaults, type Faults } from './faults.ts';
import {
  type Click,
  type CloseView,
  click,
  closeView,
  type Enter,
  enter,
  type InteractionAnswer,
  type InteractionContext,
  type Submit,
  type SubmitAnswer,
  submit,
} from './interactions.ts';
import { PAGE_HEADERS, pageFile } from './page-files.ts';
import { createRateLimits } from './rate-limits.ts';
import { respond } from './response-url.ts';
import { ALL_SCOPES } from './scopes.ts';
import { createSocketMode } from './socket-mode.ts';
import { type ShownThread, type SlackState, shownMessages, slackState } from './state.ts';
import { createTriggers } from './triggers.ts';
import { callWebApi, type WebApi } from './web-api.ts';
import { channelOf, emptyWorkspace, nextTs, type Workspace, workspaceSchema } from './workspace.ts';

export type SlackOptions = {
  /** 0 takes any free port. */
  port: number;
  /** Signs interactions; the app verifies with it. */
  signingSecret: string;
  /** The only token that the Web API accepts. */
  botToken: string;
  /** Where clicks and submissions are sent. */
  interactionUrl: string;
  /** Lets an app connect by Socket Mode; without it nobody can. */
  appToken?: string;
  /** Answers `/sandbox/...`. */
  control: ControlHandler;
  /** Bot scopes that the app was granted. Default: all there are. */
  scopes?: readonly string[];
  /** Slack's rate limits, or none. Default: Slack's. */
  rateLimits?: 'slack' | 'off';
  /** The command line option named when the port is taken. */
  portOption?: string;
};

export type EmbeddedSlack = {
  url: string;
  state: () => SlackState;
  click: (request: Click) => Promise<InteractionAnswer>;
  submit: (request: Submit) => Promise<SubmitAnswer>;
  closeView: (request: CloseView) => Promise<InteractionAnswer>;
  /** Enter in a field that is sent at once. */
  enter: (request: Enter) => Promise<InteractionAnswer>;
  openHome: (request: OpenHome) => Promise<InteractionAnswer>;
  runCommand: (request: Command) => Promise<InteractionAnswer>;
  faults: Pick<Faults, 'set' | 'list'>;
  /** What the bot wrote to a person directly, oldest first. */
  directMessages: (user: string) => ShownThread[];
  /** Archives a channel (which leaves a message in it), or takes the bot out of it, as people do; throws if there is no such channel. */
  setChannel: (channel: string, change: { archived?: boolean; botIsMember?: boolean }) => void;
  /** Takes scopes away from the bot's token, as a reinstallation does; an empty list gives all of them back. */
  withholdScopes: (scopes: readonly string[]) => void;
  /** Everything that is stored, as JSON. */
  snapshot: () => Workspace;
  /** Takes a snapshot back; throws a ZodError if it is not one. */
  restore: (json: unknown) => void;
  close: () => Promise<void>;
};

type Answer = { status: number; headers?: Record<string, string>; body: unknown };

function send(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  const plain = typeof body === 'string' || Buffer.isBuffer(body);
  response.writeHead(status, {
    ...(plain
      ? { 'content-type': 'text/plain; charset=utf-8' }
      : { 'content-type': 'application/json; charset=utf-8' }),
    ...headers,
  });
  response.end(plain ? body : JSON.stringify(body));
}

async function answerControl(control: ControlHandler, request: IncomingMessage, url: URL): Promise<Answer> {
  const raw = await readText(request);
  let body: unknown;
  try {
    body = raw === '' ? undefined : JSON.parse(raw);
  } catch {
    return { status: 400, body: { error: 'The body is not JSON.' } };
  }
  return control({
    method: request.method ?? 'GET',
    path: url.pathname.slice('/sandbox/'.length),
    query: url.searchParams,
    body,
  });
}

async function answerPage(path: string): Promise<Answer> {
  const file = await pageFile(path);
  if (file === undefined) return { status: 404, body: 'There is nothing here.' };
  return { status: 200, headers: { ...PAGE_HEADERS, 'content-type': file.contentType }, body: file.body };
}

function listen(server: ReturnType<typeof createServer>, port: number, portOption: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${port} on 127.0.0.1 is taken by another program; choose another one with ${portOption}.`)
          : error,
      );
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(isAddressInfo(address) ? address.port : port);
    });
  });
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

/** Starts the embedded Slack; rejects with a sentence if the port is taken. */
export async function startSlack(options: SlackOptions): Promise<EmbeddedSlack> {
  const { signingSecret, botToken, interactionUrl, control, scopes = ALL_SCOPES } = options;
  const workspace = emptyWorkspace();
  const triggers = createTriggers();
  const faults = createFaults();
  const rateLimits = createRateLimits(options.rateLimits ?? 'slack');
  let withheld: readonly string[] = [];

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      send(response, { status: 500, body: { ok: false, error: 'internal_error', detail: String(error) } });
    });
  });
  const port = await listen(server, options.port, options.portOption ?? '--slack-port');
  const url = `http://127.0.0.1:${port}`;
  const api: WebApi = {
    ...{ workspace, triggers, faults, rateLimits, url },
    get scopes() {
      return scopes.filter((scope) => !withheld.includes(scope));
    },
  };
  const socketMode = createSocketMode({ appToken: options.appToken ?? simulatedSecret(), url });
  server.on('upgrade', socketMode.upgrade);
  const context: InteractionContext = { workspace, triggers, interactionUrl, signingSecret, url, socketMode };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = new URL(request.url ?? '/', url);
    if (target.pathname === '/api/apps.connections.open') {
      // With the app's own token, which no other method takes.
      send(response, { status: 200, body: socketMode.open(request.headers.authorization) });
    } else if (target.pathname.startsWith('/api/')) {
      const answer = callWebApi(
        {
          method: target.pathname.slice('/api/'.length),
          authorization: request.headers.authorization,
          contentType: request.headers['content-type'] ?? '',
          body: await readText(request),
          query: target.searchParams,
        },
        botToken,
        api,
      );
      if (answer === 'hang-up') request.socket.destroy();
      else send(response, answer);
    } else if (target.pathname.startsWith('/response/')) {
      send(response, respond(workspace, target.pathname.slice('/response/'.length), await readText(request)));
    } else if (target.pathname.startsWith('/sandbox/')) {
      send(response, await answerControl(control, request, target));
    } else {
      send(response, await answerPage(target.pathname));
    }
  }

  return {
    url,
    state: () => slackState(workspace),
    click: (request) => click(context, request),
    submit: (request) => submit(context, request),
    closeView: (request) => closeView(context, request),
    enter: (request) => enter(context, request),
    openHome: (request) => openHome(context, request),
    runCommand: (request) => runCommand(context, request),
    faults: { set: faults.set, list: faults.list },
    directMessages(user) {
      const channel = workspace.channels.find(({ directMessageOf }) => directMessageOf === user);
      return channel === undefined ? [] : structuredClone(shownMessages(channel));
    },
    setChannel(id, change) {
      const channel = channelOf(workspace, id);
      if (change.archived !== undefined && change.archived !== channel.archived) {
        const subtype = change.archived ? 'channel_archive' : 'channel_unarchive';
        const text = change.archived ? 'archived the channel' : 'un-archived the channel';
        channel.messages.push({ type: 'message', subtype, ts: nextTs(workspace), user: PEOPLE[0]?.id ?? '', text });
      }
      Object.assign(channel, change);
    },
    withholdScopes(scopes) {
      withheld = scopes;
    },
    snapshot: () => structuredClone(workspace),
    restore(json) {
      Object.assign(workspace, workspaceSchema.parse(json));
    },
    close: () =>
      new Promise((resolve, reject) => {
        socketMode.close();
        server.close((error) => {
          if (error === undefined) resolve();
          else reject(error);
        });
        server.closeAllConnections();
      }),
  };
}
