import { createServer } from 'node:http';
import type { App, Receiver } from '@slack/bolt';
import { createSlackApp, type SlackAppDeps } from '../../../functions/decide-finding/slack-app.ts';
import { KEY } from '../../builders.ts';

/** Takes the app, and hands it what a test wants. */
function aReceiver(): { receiver: Receiver; app: () => App } {
  let taken: App | undefined;
  return {
    receiver: {
      init(app) {
        taken = app;
      },
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    },
    app() {
      if (taken === undefined) throw new Error('the receiver has no app yet');
      return taken;
    },
  };
}

const refuse: SlackAppDeps['decide'] = () =>
  Promise.resolve({ kind: 'refused', refusal: { reason: 'not-an-approver' } });

it('answers a click although Slack does not take the sentence', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  const address = silent.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const failures: unknown[] = [];
  const { receiver, app } = aReceiver();
  createSlackApp(
    { receiver, token: 'x', botId: 'B0BOT', botUserId: 'U0BOT', apiUrl: undefined },
    {
      decide: refuse,
      mayStateTerms: () => Promise.reject(new Error('not asked')),
      decideTerms: () => Promise.reject(new Error('not asked')),
      openView: () => Promise.reject(new Error('not asked')),
      now: () => new Date(),
      logFailure: (error) => failures.push(error),
    },
  );
  let acknowledged = 0;
  try {
    await app().processEvent({
      body: {
        type: 'block_actions',
        ...{ user: { id: 'U0VIEWER', team_id: 'T0TEAM' }, team: { id: 'T0TEAM', domain: 'team' } },
        response_url: `http://127.0.0.1:${address.port}/response`,
        actions: [
          {
            ...{ type: 'button', action_id: 'approve', block_id: 'b', action_ts: '1.0' },
            value: JSON.stringify({ key: KEY.arn, episode: 1 }),
          },
        ],
      },
      customProperties: { requestId: 'request-1' },
      ack() {
        acknowledged += 1;
        return Promise.resolve();
      },
    });
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
  expect(acknowledged).toBe(1);
  expect(failures).toEqual([new Error('Slack took no sentence within 1000 ms')]);
});
