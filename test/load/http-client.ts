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
  return {
    url: baseUrl,
    post(path, headers, body) {
      return new Promise((resolve) => {
        const failed = () => {
          resolve({ status: 0, body: '' });
        };
        const outgoing = request(
          {
            ...{ agent, hostname, port, path, method: 'POST' },
            headers: { ...headers, 'content-length': Buffer.byteLength(body) },
            signal: AbortSignal.timeout(timeoutMs),
          },
          (answer) => {
            const chunks: Buffer[] = [];
            answer.on('data', (chunk: Buffer) => chunks.push(chunk));
            answer.on('error', failed);
            answer.on('end', () => {
              resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
            });
          },
        );
        outgoing.on('error', failed);
        outgoing.end(body);
      });
    },
    close() {
      agent.destroy();
    },
  };
}
