import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

/** Takes what the bot says to a single person: the address behind the `response_url` of every click. */
export type Sentences = {
  /** The `response_url` for the click with that number. */
  urlOf: (click: number) => string;
  /** What was said about the click. */
  to: (click: number) => readonly string[];
  close: () => Promise<void>;
};

const replySchema = z.object({ text: z.string() });

export async function listenForSentences(): Promise<Sentences> {
  const said = new Map<number, string[]>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const click = Number(request.url?.slice(1));
      const { text } = replySchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
      said.set(click, [...(said.get(click) ?? []), text]);
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = addressOf(server.address());
  return {
    urlOf: (click) => `http://127.0.0.1:${port}/${click}`,
    to: (click) => said.get(click) ?? [],
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
