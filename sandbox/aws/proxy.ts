import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

const agent = new Agent({ keepAlive: true });

/**
 * Passes a request on as it came, headers and all, and its answer back; false when nobody listens there and nothing
 * has been answered yet.
 */
export async function forward(
  incoming: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  baseUrl: string,
): Promise<boolean> {
  const { hostname, port } = new URL(baseUrl);
  const ask = (connections: Agent | false) =>
    new Promise<IncomingMessage | 'closed' | undefined>((resolve, reject) => {
      const { method, url: path, headers } = incoming;
      const outgoing = httpRequest({ hostname, port, method, path, headers, agent: connections }, resolve);
      outgoing.once('error', (error: NodeJS.ErrnoException) => {
        // The upstream closed a kept connection at that moment, and has not seen the request.
        if (error.code === 'ECONNRESET' && outgoing.reusedSocket) resolve('closed');
        else if (error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET') resolve(undefined);
        else reject(error);
      });
      // A long poll that the client gave up must not take a message from the queue later.
      response.once('close', () => {
        if (!response.writableFinished) outgoing.destroy();
      });
      outgoing.end(body);
    });
  const kept = await ask(agent);
  const answer = kept === 'closed' ? await ask(false) : kept;
  if (answer === 'closed') return false;
  if (answer === undefined) return false;
  const headers = { ...answer.headers };
  // The gateway has its own of these; its date is the simulated one.
  delete headers.date;
  delete headers.connection;
  delete headers['keep-alive'];
  // Not both, and the upstream's own request id goes before the gateway's.
  if (headers['x-amzn-requestid'] !== undefined) response.removeHeader('x-amzn-RequestId');
  response.writeHead(answer.statusCode ?? 502, headers);
  try {
    await pipeline(answer, response);
  } catch (error) {
    // The client went away; there is nobody to answer.
    if (!response.destroyed) throw error;
  }
  return true;
}
