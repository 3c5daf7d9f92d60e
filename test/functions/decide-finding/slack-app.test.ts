import type { Receiver, ReceiverEvent } from '@slack/bolt';
import { BUTTON, EXEMPTION_MODAL, slackInteraction } from '../../../functions/contracts/slack-actions.ts';
import type { Reply } from '../../../functions/decide-finding/decide-finding.ts';
import { createPatternUseCases } from '../../../functions/decide-finding/decide-pattern.ts';
import { createSlackApp } from '../../../functions/decide-finding/slack-app.ts';
import { KEY, later } from '../../builders.ts';
import { somePatternDeps } from '../../fakes/in-memory-patterns.ts';

const REF = { key: KEY.arn, episode: 1 };
const RESPONSE_URL = 'https://hooks.slack.com/actions/T0TEAM/1/2';
const user = { id: 'U0PERSON', team_id: 'T0TEAM' };
const refused: Reply = { kind: 'refused', refusal: { reason: 'guest' } };

const BOT = { botToken: 'xoxb-test', botId: 'B0BOT', botUserId: 'U0BOT' };

type Fetched = { url: string; redirect: string | undefined; bounded: boolean };

/** The app behind a receiver that only hands on, with what leaves it written down. */
function anApp({ reply = refused, apiUrl }: { reply?: Reply | Error; apiUrl?: string } = {}) {
  const asked: string[] = [];
  const people: string[] = [];
  const failures: string[] = [];
  const fetched: Fetched[] = [];
  const answer = () => (reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply));
  const receiver: Receiver = { init() {}, start: () => Promise.resolve(), stop: () => Promise.resolve() };
  const app = createSlackApp(
    { receiver, bot: () => Promise.resolve(BOT), apiUrl },
    {
      patterns: createPatternUseCases(somePatternDeps()),
      decide: (action, { finding, userId, teamId }) => {
        people.push(`${userId} of ${teamId}`);
        asked.push(`${action} ${finding.key}`);
        return answer();
      },
      mayStateTerms: (action, { finding }) => {
        asked.push(`${action} ${finding.key}`);
        return answer();
      },
      decideTerms: (purpose, { finding, userId, teamId }) => {
        people.push(`${userId} of ${teamId}`);
        asked.push(`${purpose} ${finding.key}`);
        return answer();
      },
      approveAll: () => Promise.resolve({ kind: 'forgotten' }),
      reviewDigest: () => Promise.resolve({ kind: 'forgotten' }),
      openView: () => Promise.resolve(),
      showHome: ({ userId }, metadata, news) => {
        asked.push(`home of ${userId} ${JSON.stringify({ ...metadata, ...news })}`);
        return Promise.resolve();
      },
      answerCommand: ({ userId }, { name }) => {
        asked.push(`"${name}" by ${userId}`);
        return reply instanceof Error
          ? Promise.reject(reply)
          : Promise.resolve({ response_type: 'ephemeral', text: 'answered', blocks: [] });
      },
      pushView: () => Promise.resolve(),
      updateView: () => Promise.resolve(),
      now: () => new Date(later({ hours: 1 })),
      logFailure: (error) => failures.push(error instanceof Error ? error.message : String(error)),
    },
  );
  const original = globalThis.fetch;
  async function send(body: Record<string, unknown>, response = new Response('ok')): Promise<unknown[]> {
    const acks: unknown[] = [];
    globalThis.fetch = (url, init) => {
      const { redirect, signal } = init ?? {};
      const address = url instanceof Request ? url.url : url.toString();
      fetched.push({ url: address, redirect, bounded: signal instanceof AbortSignal });
      return Promise.resolve(response);
    };
    const ack: ReceiverEvent['ack'] = (answered) => {
      acks.push(answered);
      return Promise.resolve();
    };
    try {
      await app.processEvent({ body, ack, customProperties: { requestId: 'request-1' } });
    } finally {
      globalThis.fetch = original;
    }
    return acks;
  }
  return { asked, people, failures, fetched, send };
}

const click = (action_id: string, value: string | undefined, response_url: string | undefined = RESPONSE_URL) => ({
  ...{ type: 'block_actions', user, team: { id: 'T0TEAM' }, trigger_id: '1.2', response_url },
  actions: [{ type: 'button', action_id, block_id: 'b', value }],
});

const submission = (private_metadata: string, values: unknown = {}) => ({
  ...{ type: 'view_submission', user, team: { id: 'T0TEAM' } },
  view: { callback_id: EXEMPTION_MODAL, private_metadata, state: { values } },
});

const VALUES = {
  owner: { owner: { selected_user: 'U0OWNER' } },
  reason: { reason: { value: 'Replaced in spring' } },
  ticket: { ticket: { value: null } },
  until: { until: { selected_date: '2026-05-01' } },
};

/** Written by a version before or after this one, or by nobody. */
const UNREADABLE = ['', '{', 'null', '[]', '"approve"', '{"key":"arn"}', JSON.stringify({ ...REF, version: 2 })];

describe('a button whose value this version did not write', () => {
  const cases = Object.values(BUTTON).flatMap((id) => [undefined, ...UNREADABLE].map((value) => [id, value] as const));
  it.each(cases)('%s with %j asks nothing and is answered with a sentence', async (id, value) => {
    const { asked, failures, fetched, send } = anApp();
    expect(await send(click(id, value))).toHaveLength(1);
    expect([asked, failures]).toEqual([[], []]);
    expect(fetched).toMatchObject([{ url: RESPONSE_URL }]);
  });
});

describe('a modal whose metadata this version did not write', () => {
  it.each(UNREADABLE)('%j decides nothing and says so', async (metadata) => {
    const { asked, send } = anApp();
    expect(await send(submission(metadata))).toMatchObject([{ response_action: 'update' }]);
    expect(asked).toEqual([]);
  });
});

it('answers a form that is not this version’s with a sentence, and logs it', async () => {
  const { asked, failures, send } = anApp();
  const metadata = JSON.stringify({ finding: REF, purpose: 'exempt' });
  expect(await send(submission(metadata, { reason: null }))).toMatchObject([{ response_action: 'update' }]);
  expect(asked).toEqual([]);
  expect(failures).toHaveLength(1);
});

describe('an answer', () => {
  const approve = (url: string | undefined) => click(BUTTON.approve, JSON.stringify(REF), url);

  it.each([RESPONSE_URL, 'https://hooks.slack.com/commands/1'])('goes to Slack: %s', async (url) => {
    const { fetched, send } = anApp();
    await send(approve(url));
    expect(fetched).toEqual([{ url, redirect: 'error', bounded: true }]);
  });

  it.each<[string, string]>([
    ['http://127.0.0.1:3000/api/', 'http://127.0.0.1:3000/response/1'],
    ['https://slack-gov.com/api/', 'https://hooks.slack-gov.com/actions/1'],
  ])('goes to where the Slack of %s is: %s', async (apiUrl, url) => {
    const { fetched, send } = anApp({ apiUrl });
    await send(approve(url));
    expect(fetched).toMatchObject([{ url }]);
  });

  it.each([
    'http://127.0.0.1:9001/2018-06-01/runtime/invocation/next',
    'http://169.254.169.254/latest/meta-data/',
    'http://hooks.slack.com/actions/1',
    'https://hooks.slack.com:8443/actions/1',
    'https://hooks.slack.com.evil.example/actions/1',
    'https://hooks.slack.com@evil.example/actions/1',
    'https://evil.example/https://hooks.slack.com/',
    'file:///etc/passwd',
    '__proto__',
    '',
  ])('goes nowhere else, though the decision stands: %s', async (url) => {
    const { asked, failures, fetched, send } = anApp();
    expect(await send(approve(url))).toHaveLength(1);
    expect(asked).toEqual([`approve ${KEY.arn}`]);
    expect(fetched).toEqual([]);
    expect(failures).toEqual(['response_url is not one of Slack']);
  });

  it('that Slack does not take leaves the click acknowledged', async () => {
    const { failures, send } = anApp();
    expect(await send(approve(RESPONSE_URL), new Response('no', { status: 500 }))).toHaveLength(1);
    expect(failures).toHaveLength(1);
  });
});

it('answers a failure with a sentence, and logs it', async () => {
  const { failures, fetched, send } = anApp({ reply: new Error('the table is away') });
  expect(await send(click(BUTTON.approve, JSON.stringify(REF)))).toHaveLength(1);
  expect(failures).toEqual(['the table is away']);
  expect(fetched).toHaveLength(1);
});

describe('an app that is installed for a whole organisation', () => {
  const places = { team: null, enterprise: { id: 'E0ORG', name: 'org' }, is_enterprise_install: true };

  it.each([
    ['a click', click(BUTTON.approve, JSON.stringify(REF))],
    ['a form', { ...submission(JSON.stringify({ finding: REF, purpose: 'exempt' }), VALUES) }],
  ])('gets %s without a workspace of its own, and goes by the workspace of the person', async (_, payload) => {
    const body = slackInteraction.parse({ ...payload, ...places });
    const { asked, people, failures, send } = anApp();
    expect(await send(body)).toHaveLength(1);
    expect(asked).toHaveLength(1);
    expect(people).toEqual(['U0PERSON of T0TEAM']);
    expect(failures).toEqual([]);
  });
});
