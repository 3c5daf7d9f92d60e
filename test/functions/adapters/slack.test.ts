import { createServer } from 'node:http';
import { jest } from '@jest/globals';
import { createSlack, type Slack } from '../../../functions/adapters/slack.ts';
import { BOT_TOKEN, CHANNEL, type SlackFixture, startFixture } from '../../sandbox/slack/support/slack-fixture.ts';

let fixture: SlackFixture;
let slack: Slack;
beforeEach(async () => {
  fixture = await startFixture();
  slack = createSlack({ token: () => Promise.resolve(BOT_TOKEN), apiUrl: `${fixture.slack.url}/api/` });
});
afterEach(() => fixture.close());

const blocks = [{ type: 'section', text: { type: 'plain_text', text: 'A key does not rotate' } }];
const aMessage = { channel: CHANNEL, text: 'A key does not rotate', blocks, postId: 'key-1#1#root' };
const longAgo = '2020-01-01T00:00:00.000Z';
const thread = (index = 0) => {
  const message = fixture.slack.state().channels.find(({ id }) => id === CHANNEL)?.messages[index];
  if (message === undefined) throw new Error('there is no such message');
  return message;
};

describe('messages', () => {
  it('posts one that carries its post id', async () => {
    const place = await slack.postMessage(aMessage);
    expect(place).toEqual({ channel: CHANNEL, ts: thread().ts });
    expect(thread().metadata).toEqual({
      event_type: 'kms_rotation_finding',
      event_payload: { post_id: 'key-1#1#root' },
    });
  });

  it('posts replies, shown in the channel only when asked for', async () => {
    const { ts } = await slack.postMessage(aMessage);
    await slack.postMessage({ channel: CHANNEL, text: 'quiet', postId: 'a', threadTs: ts });
    await slack.postMessage({ channel: CHANNEL, text: 'loud', postId: 'b', threadTs: ts, broadcast: true });
    expect(thread().replies.map(({ text, broadcast }) => ({ text, broadcast }))).toEqual([
      { text: 'quiet', broadcast: undefined },
      { text: 'loud', broadcast: true },
    ]);
  });

  it('updates one and keeps its metadata', async () => {
    const place = await slack.postMessage(aMessage);
    await slack.updateMessage({ ...place, text: 'It rotates', blocks });
    expect(thread()).toMatchObject({ text: 'It rotates', metadata: { event_payload: { post_id: 'key-1#1#root' } } });
  });

  it('finds the one that was posted although the answer was lost', async () => {
    fixture.slack.faults.set('chat.postMessage', 'timeout_after_accept', 1);
    await expect(slack.postMessage(aMessage)).rejects.toMatchObject({ name: 'SlackUnavailable' });
    const question = { channel: CHANNEL, oldest: longAgo, postId: aMessage.postId };
    expect(await slack.findPosted(question)).toEqual({ channel: CHANNEL, ts: thread().ts });
    expect(await slack.findPosted({ ...question, postId: 'another' })).toBeNull();
    expect(await slack.findPosted({ ...question, oldest: '2100-01-01T00:00:00.000Z' })).toBeNull();
  });

  it('finds one behind more than a page of others', async () => {
    const first = await slack.postMessage(aMessage);
    for (let index = 0; index < 205; index += 1) {
      await slack.postMessage({ channel: CHANNEL, text: `later ${index}`, postId: `later-${index}` });
    }
    expect(await slack.findPosted({ channel: CHANNEL, oldest: longAgo, postId: aMessage.postId })).toEqual(first);
  });

  it('finds a reply in its thread', async () => {
    const { ts: threadTs } = await slack.postMessage(aMessage);
    const reply = await slack.postMessage({ channel: CHANNEL, text: 'reply', postId: 'reply-1', threadTs });
    expect(await slack.findPosted({ channel: CHANNEL, oldest: longAgo, threadTs, postId: 'reply-1' })).toEqual(reply);
  });

  it('does not take the message of another app for its own', async () => {
    await slack.postMessage(aMessage);
    const workspace = fixture.slack.snapshot();
    for (const { messages } of workspace.channels) for (const message of messages) message.bot_id = 'B0ANOTHER';
    fixture.slack.restore(workspace);
    expect(await slack.findPosted({ channel: CHANNEL, oldest: longAgo, postId: aMessage.postId })).toBeNull();
  });
});

describe('failures', () => {
  it.each(['channel_not_found', 'not_in_channel', 'is_archived', 'invalid_auth', 'token_revoked', 'missing_scope'])(
    'calls %s a refusal',
    async (code) => {
      fixture.slack.faults.set('chat.postMessage', code, 1);
      await expect(slack.postMessage(aMessage)).rejects.toMatchObject({ name: 'SlackRefused', code });
    },
  );

  it('passes on what Slack complains about', async () => {
    const tooLong = [{ type: 'section', text: { type: 'plain_text', text: 'x'.repeat(3001) } }];
    await expect(slack.postMessage({ ...aMessage, blocks: tooLong })).rejects.toMatchObject({
      name: 'SlackRefused',
      code: 'invalid_blocks',
      details: [expect.stringContaining('3001')],
    });
  });

  it('does not wait out a rate limit', async () => {
    fixture.slack.faults.set('chat.postMessage', 'ratelimited', 1);
    await expect(slack.postMessage(aMessage)).rejects.toMatchObject({ name: 'SlackRateLimited', retryAfterSeconds: 1 });
  });

  it.each(['fatal_error', 'internal_error', 'http_500', 'timeout'])(
    'calls %s unavailable and asks once',
    async (error) => {
      fixture.slack.faults.set('chat.postMessage', error, 1);
      await expect(slack.postMessage(aMessage)).rejects.toMatchObject({ name: 'SlackUnavailable' });
      expect(fixture.slack.state().channels.flatMap(({ messages }) => messages)).toEqual([]);
    },
  );

  it('gives up on a Slack that does not answer', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const address = silent.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    const impatient = createSlack({
      token: () => Promise.resolve('x'),
      apiUrl: `http://127.0.0.1:${address.port}/api/`,
      timeoutMs: 50,
    });
    await expect(impatient.postMessage(aMessage)).rejects.toMatchObject({ name: 'SlackUnavailable' });
    silent.closeAllConnections();
    silent.close();
  });
});

const ASKED = { teamIds: ['T0SANDBOX'], maxAgeSeconds: 60 };

describe('people', () => {
  it('tells a member from a guest, somebody who left, and an outsider', async () => {
    expect(await slack.person('U0APPROVER', 'T0SANDBOX', 60)).toEqual({
      userId: 'U0APPROVER',
      teamId: 'T0SANDBOX',
      name: 'Approver',
      email: 'approver@sandbox.example',
      enterpriseId: null,
      isBot: false,
      isGuest: false,
      isStranger: false,
      isDeactivated: false,
    });
    expect(await slack.person('U0GUEST', 'T0SANDBOX', 60)).toMatchObject({ isGuest: true });
    expect(await slack.person('U0LEFT', null, 60)).toMatchObject({ isDeactivated: true });
    expect(await slack.person('U0OUTSIDER', 'T0PARTNER', 60)).toMatchObject({ teamId: 'T0PARTNER', email: null });
    expect(await slack.person('U0BOT', null, 60)).toMatchObject({ isBot: true });
    expect(await slack.person('U0NOBODY', 'T0SANDBOX', 60)).toBeNull();
  });

  it('does not trust somebody whom the payload and Slack place in different workspaces', async () => {
    expect(await slack.person('U0APPROVER', 'T0PARTNER', 60)).toMatchObject({ isStranger: true });
  });

  it('remembers a person for a short time, but no failure', async () => {
    fixture.slack.faults.set('users.info', 'fatal_error', 1);
    await expect(slack.person('U0VIEWER', null, 60)).rejects.toMatchObject({ name: 'SlackUnavailable' });
    const answer = await slack.person('U0VIEWER', null, 60);
    fixture.slack.faults.set('users.info', 'fatal_error', 1);
    expect(await slack.person('U0VIEWER', null, 60)).toEqual(answer);
  });

  it('asks once for a crowd of clicks, and again after a failure', async () => {
    fixture.slack.faults.set('users.info', 'fatal_error', 1);
    const crowd = await Promise.allSettled(Array.from({ length: 20 }, () => slack.person('U0VIEWER', null, 60)));
    expect(crowd.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'rejected'));
    expect(await slack.person('U0VIEWER', null, 60)).toMatchObject({ userId: 'U0VIEWER' });
  });

  it('knows the groups a person is in', async () => {
    expect(await slack.groupsOf('U0APPROVER2', ['S0SECURITY', 'S0GONE'], ASKED)).toEqual({
      known: true,
      groupIds: ['S0SECURITY'],
      gone: ['S0GONE'],
    });
    expect(await slack.groupsOf('U0VIEWER', ['S0SECURITY'], ASKED)).toEqual({ known: true, groupIds: [], gone: [] });
  });

  it('says so when it cannot know the groups', async () => {
    fixture.slack.faults.set('usergroups.users.list', 'ratelimited', 1);
    expect(await slack.groupsOf('U0APPROVER2', ['S0SECURITY'], ASKED)).toEqual({ known: false });
    expect(await slack.groupsOf('U0APPROVER2', ['S0SECURITY'], ASKED)).toEqual({
      known: true,
      groupIds: ['S0SECURITY'],
      gone: [],
    });
  });
});

describe('the age of an answer', () => {
  let now = Date.parse('2026-03-02T09:00:00.000Z');
  beforeEach(() => {
    jest.spyOn(Date, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  const failNext = (method: string) => {
    fixture.slack.faults.set(method, 'fatal_error', 1);
  };

  it('is as high as whoever asks allows, and no higher', async () => {
    await slack.person('U0VIEWER', null, 300);
    await slack.groupsOf('U0APPROVER2', ['S0SECURITY'], { ...ASKED, maxAgeSeconds: 300 });
    now += 100_000;
    failNext('users.info');
    failNext('usergroups.users.list');
    expect(await slack.person('U0VIEWER', null, 101)).not.toBeNull();
    expect(await slack.groupsOf('U0APPROVER2', ['S0SECURITY'], { ...ASKED, maxAgeSeconds: 101 })).toMatchObject({
      ...{ known: true },
    });
    await expect(slack.person('U0VIEWER', null, 100)).rejects.toMatchObject({ name: 'SlackUnavailable' });
    expect(await slack.groupsOf('U0APPROVER2', ['S0SECURITY'], { ...ASKED, maxAgeSeconds: 100 })).toEqual({
      known: false,
    });
  });

  it('is nothing when nothing is allowed', async () => {
    await slack.person('U0VIEWER', null, 0);
    failNext('users.info');
    await expect(slack.person('U0VIEWER', null, 0)).rejects.toMatchObject({ name: 'SlackUnavailable' });
  });
});

describe('user groups of an organisation', () => {
  /** Slack as an app sees it that is installed for a whole organisation; the sandbox has one workspace only. */
  async function anOrganisation(groups: Record<string, string[]>) {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const form = new URLSearchParams(Buffer.concat(parts).toString());
        asked.push([...form.keys()].toSorted().join());
        const users = groups[`${form.get('team_id') ?? ''}/${form.get('usergroup') ?? ''}`];
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify(users === undefined ? { ok: false, error: 'no_such_subteam' } : { ok: true, users }),
        );
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    return {
      slack: createSlack({ token: () => Promise.resolve('x'), apiUrl: `http://127.0.0.1:${address.port}/api/` }),
      asked,
      close() {
        server.closeAllConnections();
        server.close();
      },
    };
  }

  it('are looked for in each workspace of the policy, by id alone', async () => {
    const organisation = await anOrganisation({ 'T0TWO/S0KEYS': ['U0APPROVER'] });
    const question = { teamIds: ['T0ONE', 'T0TWO'], maxAgeSeconds: 60 };
    expect(await organisation.slack.groupsOf('U0APPROVER', ['S0KEYS'], question)).toEqual({
      ...{ known: true, groupIds: ['S0KEYS'], gone: [] },
    });
    // A name is never asked for, so that renaming a group changes nothing.
    expect(organisation.asked).toEqual(['team_id,usergroup', 'team_id,usergroup']);
    organisation.close();
  });

  it('that are disabled have nobody in them, and are told apart from those one is not in', async () => {
    const organisation = await anOrganisation({ 'T0ONE/S0EMPTY': [], 'T0ONE/S0OTHERS': ['U0OTHER'] });
    const question = { teamIds: ['T0ONE'], maxAgeSeconds: 60 };
    expect(await organisation.slack.groupsOf('U0APPROVER', ['S0EMPTY', 'S0GONE', 'S0OTHERS'], question)).toEqual({
      ...{ known: true, groupIds: [], gone: ['S0EMPTY', 'S0GONE'] },
    });
    organisation.close();
  });
});

it('refuses to open a modal for a trigger that does not exist', async () => {
  const view = {
    type: 'modal' as const,
    title: { type: 'plain_text' as const, text: 'Exempt' },
    blocks: [{ type: 'divider' as const }],
  };
  await expect(slack.openView('no-trigger', view)).rejects.toMatchObject({ name: 'SlackRefused' });
});
