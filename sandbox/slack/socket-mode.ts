/**
 * Socket Mode (Slack's page "Using Socket Mode"): an app asks for the address of a WebSocket with its app-level token and then
 * gets every interaction through it, each in an envelope that it has to acknowledge within three seconds. Slack sends an
 * envelope to one of the connections an app has open.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import * as z from 'zod';
import { simulatedSecret } from '../simulated-secret.ts';
import { WORKSPACE } from '../world.ts';
import { ANSWER_WITHIN_MS, type Delivery, type Outgoing } from './signed-post.ts';

export type SocketMode = {
  /** Answers apps.connections.open. */
  open: (authorization: string | undefined) => { ok: true; url: string } | { ok: false; error: string };
  /** Takes over a connection that asks to become a WebSocket; without a ticket from `open` it is closed. */
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Whether an app listens. */
  isConnected: () => boolean;
  /** Sends an envelope and waits for its acknowledgement. */
  deliver: (outgoing: Outgoing) => Promise<Delivery>;
  close: () => void;
};

const acknowledgement = z.object({ envelope_id: z.string(), payload: z.unknown() });
/** An address is good for one connection. */
const TICKET = 'ticket';

export function createSocketMode({ appToken, url }: { appToken: string; url: string }): SocketMode {
  const server = new WebSocketServer({ noServer: true });
  const tickets = new Set<string>();
  const connections = new Set<WebSocket>();
  const waiting = new Map<string, (payload: unknown) => void>();

  function welcome(connection: WebSocket): void {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('message', (data: Buffer) => {
      const { data: acknowledged } = acknowledgement.safeParse(jsonOf(data.toString()));
      // Whoever sends anything else has acknowledged nothing, which is what then happens to the envelope.
      if (acknowledged !== undefined) waiting.get(acknowledged.envelope_id)?.(acknowledged.payload);
    });
    connection.send(
      JSON.stringify({
        type: 'hello',
        num_connections: connections.size,
        connection_info: { app_id: WORKSPACE.appId },
      }),
    );
  }

  return {
    open(authorization) {
      if (authorization === undefined) return { ok: false, error: 'not_authed' };
      if (authorization !== `Bearer ${appToken}`) return { ok: false, error: 'invalid_auth' };
      const ticket = simulatedSecret();
      tickets.add(ticket);
      return { ok: true, url: `${url.replace(/^http/, 'ws')}/link/?${TICKET}=${ticket}` };
    },

    upgrade(request, socket, head) {
      const ticket = new URL(request.url ?? '/', url).searchParams.get(TICKET) ?? '';
      if (!tickets.delete(ticket)) {
        socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, welcome);
    },

    isConnected: () => connections.size > 0,

    async deliver({ type, payload }) {
      const id = simulatedSecret();
      const started = performance.now();
      const answer = Promise.withResolvers<unknown>();
      waiting.set(id, answer.resolve);
      const timer = setTimeout(answer.reject, ANSWER_WITHIN_MS);
      const [connection] = connections;
      connection?.send(JSON.stringify({ envelope_id: id, type, payload, accepts_response_payload: true }));
      const durationMs = () => Math.round(performance.now() - started);
      try {
        const acknowledged = await answer.promise;
        return { status: 200, body: bodyOf(acknowledged), durationMs: durationMs() };
      } catch {
        return {
          ...{ status: 0, body: '', durationMs: durationMs() },
          error: 'The app did not acknowledge within 3 seconds (operation_timeout).',
        };
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
      }
    },

    close() {
      for (const connection of connections) connection.terminate();
      server.close();
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An acknowledgement without a payload is what an empty body is over HTTP. */
function bodyOf(payload: unknown): string {
  const isEmpty =
    payload === undefined || payload === null || (typeof payload === 'object' && Object.keys(payload).length === 0);
  return isEmpty ? '' : JSON.stringify(payload);
}
