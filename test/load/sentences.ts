import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

/** Takes what the bot says to a single person; the server hands on what goes to the `response_url`s of these clicks. */
export type Sentences = {
  /**
   * The path of a `response_url` of Slack for one click; what is said about the click stands in `said`, perhaps after
   * the click's answer.
   */
  expect: () => { responsePath: string; said: readonly string[] };
  close: () => Promise<void>;
};

const replySchema = z.object({ text: z.string() });

export async function listenForSentences(): Promise<Sentences> {
  const all: string[][] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { text } = replySchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
      all[Number(request.url?.slice(1))]?.push(text);
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = addressOf(server.address());
  return {
    expect() {
      const said: string[] = [];
      all.push(said);
      return { responsePath: `/response/${port}/${all.length - 1}`, said };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function addressOf(address: string | AddressInfo | null): AddressInfo {
  if (typeof address === 'object' && address !== null) return address;
  throw new Error('the server listens on no port');
}
