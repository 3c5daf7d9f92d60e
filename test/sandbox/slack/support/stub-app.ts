import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { verifySlackRequest } from '@slack/bolt';
import * as z from 'zod';

/** The parts of an interaction payload that the tests read by name; everything else is compared as a whole. */
const payloadShape = z.looseObject({
  type: z.string(),
  trigger_id: z.string().optional(),
  response_url: z.string().optional(),
  view: z.looseObject({ id: z.string(), state: z.looseObject({ values: z.unknown() }) }).optional(),
});
type Payload = z.infer<typeof payloadShape>;
type StubAnswer = { status?: number; body?: string; hangUp?: boolean };

export type StubApp = {
  url: string;
  /** Payloads whose signature Bolt's own verifier accepted, oldest first. */
  payloads: Payload[];
  /** What the app does with the next interactions; by default it answers an empty 200. */
  onInteraction: (handler: (payload: Payload) => Promise<StubAnswer> | StubAnswer) => void;
  close: () => Promise<void>;
};

/** An app that takes interactions over HTTP and answers 401 unless Bolt's verifySlackRequest accepts them. */
export async function startStubApp(signingSecret: string): Promise<StubApp> {
  const payloads: Payload[] = [];
  let handler: (payload: Payload) => Promise<StubAnswer> | StubAnswer = () => ({});
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      try {
        verifySlackRequest({
          signingSecret,
          body,
          headers: {
            'x-slack-signature': String(request.headers['x-slack-signature']),
            'x-slack-request-timestamp': Number(request.headers['x-slack-request-timestamp']),
          },
        });
      } catch {
        response.writeHead(401).end();
        return;
      }
      const payload = payloadShape.parse(JSON.parse(new URLSearchParams(body).get('payload') ?? ''));
      payloads.push(payload);
      const { status = 200, body: answer = '', hangUp = false } = await handler(payload);
      if (hangUp) request.socket.destroy();
      else response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the stub app has no port');
  return {
    url: `http://127.0.0.1:${address.port}/slack/events`,
    payloads,
    onInteraction(next) {
      handler = next;
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
