import { Agent, request } from 'node:http';

export type HttpReply = { status: number; body: string };
export type HttpClient = {
  url: string;
  /** Status 0 when there was no answer within `timeoutMs`, or none at all. */
  post: (path: string, headers: Readonly<Record<string, string>>, body: string | Buffer) => Promise<HttpReply>;
  close: () => void;
};

/** Posts over kept connections to one server; lean, because the generator shares the machine with what it measures. */
export function createHttpClient(
  baseUrl: string,
  { sockets, timeoutMs }: { sockets: number; timeoutMs: number },
): HttpClient {
  const { hostname, port } = new URL(baseUrl);
  const agent = new Agent({ keepAlive: true, maxSockets: sockets });
  function send(
    connections: Agent | false,
    { path, headers, body }: { path: string; headers: Readonly<Record<string, string>>; body: string | Buffer },
  ): Promise<HttpReply | 'closed'> {
    return new Promise((resolve) => {
      const outgoing = request(
        {
          ...{ agent: connections, hostname, port, path, method: 'POST' },
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          signal: AbortSignal.timeout(timeoutMs),
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', () => {
            resolve({ status: 0, body: '' });
          });
          answer.on('end', () => {
            resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
          });
        },
      );
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // The server closed a kept connection at that moment, and has not seen the request.
        resolve(error.code === 'ECONNRESET' && outgoing.reusedSocket ? 'closed' : { status: 0, body: '' });
      });
      outgoing.end(body);
    });
  }

  return {
    url: baseUrl,
    async post(path, headers, body) {
      const reply = await send(agent, { path, headers, body });
      if (reply !== 'closed') return reply;
      const again = await send(false, { path, headers, body });
      return again === 'closed' ? { status: 0, body: '' } : again;
    },
    close() {
      agent.destroy();
    },
  };
}
