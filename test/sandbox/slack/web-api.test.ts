import { expect } from '@jest/globals';
import type { WebAPICallResult } from '@slack/web-api';
import { BOT_TOKEN, CHANNEL, clientFor, refusal, type SlackFixture, startFixture } from './support/slack-fixture.ts';

let fixture: SlackFixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

const post = async (text: string, extra: Record<string, unknown> = {}) => {
  const { ts } = await fixture.client.chat.postMessage({ channel: CHANNEL, text, ...extra });
  return ts ?? '';
};

describe('the token', () => {
  it('is asked for and checked', async () => {
    const { slack } = fixture;
    expect(await refusal(clientFor(slack, undefined).auth.test())).toMatchObject({ error: 'not_authed' });
    expect(await refusal(clientFor(slack, 'xoxb-other').auth.test())).toMatchObject({ error: 'invalid_auth' });
    expect(await fixture.client.auth.test()).toMatchObject({
      ok: true,
      team_id: 'T0SANDBOX',
      user_id: 'U0BOT',
      bot_id: 'B0BOT',
    });
  });
});

describe('a call', () => {
  it('is refused if there is no such method', async () => {
    expect(await refusal(fixture.client.apiCall('chat.shout'))).toMatchObject({ error: 'unknown_method' });
  });

  it('is refused without an argument that it needs', async () => {
    expect(await refusal(fixture.client.apiCall('chat.postMessage', { text: 'x' }))).toEqual({
      error: 'invalid_arguments',
      messages: ['[ERROR] missing required field: channel'],
    });
  });

  it('may have a JSON body', async () => {
    const response = await fetch(`${fixture.slack.url}/api/chat.postMessage`, {
      method: 'POST',
      headers: { authorization: `Bearer ${BOT_TOKEN}`, 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ channel: CHANNEL, text: 'from JSON', blocks: [{ type: 'divider' }] }),
    });
    expect(await response.json()).toMatchObject({
      ok: true,
      message: { text: 'from JSON', blocks: [{ type: 'divider' }] },
    });
  });

  it('is refused if its JSON body cannot be read', async () => {
    const response = await fetch(`${fixture.slack.url}/api/chat.postMessage`, {
      method: 'POST',
      headers: { authorization: `Bearer ${BOT_TOKEN}`, 'content-type': 'application/json' },
      body: '{',
    });
    expect(await response.json()).toEqual({ ok: false, error: 'invalid_json' });
  });
});

describe('chat.postMessage', () => {
  it('stores the message with the ids that Slack fills in', async () => {
    const answer = await fixture.client.chat.postMessage({
      channel: CHANNEL,
      text: 'fallback',
      blocks: [{ type: 'section', text: { type: 'mrkdwn', text: '*bold*' } }],
    });
    expect(answer).toMatchObject({
      channel: CHANNEL,
      message: {
        type: 'message',
        user: 'U0BOT',
        bot_id: 'B0BOT',
        app_id: 'A0BOT',
        team: 'T0SANDBOX',
        text: 'fallback',
        blocks: [{ type: 'section', block_id: expect.any(String), text: { text: '*bold*', verbatim: false } }],
      },
    });
    expect(answer.ts).toMatch(/^\d{10}\.\d{6}$/);
  });

  it('gives every message its own, growing ts', async () => {
    const all = [await post('1'), await post('2'), await post('3')];
    expect([...new Set(all)].sort()).toEqual(all);
  });

  it('names a channel by id or #name, and a person by user id', async () => {
    expect(await fixture.client.chat.postMessage({ channel: '#kms-rotation', text: 'x' })).toMatchObject({
      channel: CHANNEL,
    });
    await fixture.client.chat.postMessage({ channel: 'U0VIEWER', text: 'hello' });
    expect(fixture.slack.directMessages('U0VIEWER')).toMatchObject([{ text: 'hello' }]);
    expect(await refusal(fixture.client.chat.postMessage({ channel: 'C0NONE', text: 'x' }))).toMatchObject({
      error: 'channel_not_found',
    });
  });

  it('needs an open channel that the bot is in, and something to say', async () => {
    const { client, slack } = fixture;
    expect(await refusal(client.apiCall('chat.postMessage', { channel: CHANNEL }))).toMatchObject({ error: 'no_text' });
    slack.setChannel(CHANNEL, { botIsMember: false });
    expect(await refusal(client.chat.postMessage({ channel: CHANNEL, text: 'x' }))).toMatchObject({
      error: 'not_in_channel',
    });
    slack.setChannel(CHANNEL, { archived: true });
    expect(await refusal(client.chat.postMessage({ channel: CHANNEL, text: 'x' }))).toMatchObject({
      error: 'is_archived',
    });
  });

  it('cuts text beyond 40,000 characters and takes what is beyond 4,000', async () => {
    await post('x'.repeat(4001));
    await post('y'.repeat(40_001));
    const lengths = fixture.slack.state().channels[0]?.messages.map(({ text }) => text.length);
    expect(lengths).toEqual([4001, 40_000]);
  });
});

describe('threads', () => {
  it('lists replies below their root and broadcast replies in the channel too', async () => {
    const { client, slack } = fixture;
    const root = await post('root');
    const quiet = await post('quiet', { thread_ts: root });
    const loud = await post('loud', { thread_ts: quiet, reply_broadcast: true });
    const thread = await client.conversations.replies({ channel: CHANNEL, ts: root });
    expect(thread.messages).toMatchObject([{ ts: root, reply_count: 2 }, { ts: quiet, thread_ts: root }, { ts: loud }]);
    const { messages } = await client.conversations.history({ channel: CHANNEL });
    expect(messages?.map(({ ts }) => ts)).toEqual([loud, root]);
    expect(slack.state().channels[0]?.messages).toMatchObject([
      { ts: root, replies: [{ ts: quiet }, { ts: loud, broadcast: true }] },
    ]);
    expect(await refusal(client.conversations.replies({ channel: CHANNEL, ts: '1.000001' }))).toMatchObject({
      error: 'thread_not_found',
    });
  });
});

describe('chat.update', () => {
  it('drops the blocks and marks the message when only text is given, and leaves no mark with blocks', async () => {
    const { client, slack } = fixture;
    const ts = await post('one', { blocks: [{ type: 'divider' }] });
    await client.chat.update({ channel: CHANNEL, ts, text: 'two' });
    expect(slack.state().channels[0]?.messages).toMatchObject([{ text: 'two', blocks: [], edited: { user: 'U0BOT' } }]);
    await client.chat.update({ channel: CHANNEL, ts, text: 'three', blocks: [{ type: 'divider' }] });
    const [message] = slack.state().channels[0]?.messages ?? [];
    expect(message).toMatchObject({ text: 'three', blocks: [{ type: 'divider' }] });
    expect(message).not.toHaveProperty('edited');
  });

  it('keeps metadata unless new metadata comes, and removes it for an empty object', async () => {
    const { client, slack } = fixture;
    const metadata = { event_type: 'finding_posted', event_payload: { finding: 'f-1' } };
    const ts = await post('one', { metadata });
    await client.chat.update({ channel: CHANNEL, ts, text: 'two' });
    expect(slack.state().channels[0]?.messages).toMatchObject([{ metadata }]);
    await client.apiCall('chat.update', { channel: CHANNEL, ts, text: 'three', metadata: {} });
    expect(slack.state().channels[0]?.messages[0]).not.toHaveProperty('metadata');
  });

  it.each([
    ['message_not_found', { ts: '1.000001', text: 'x' }],
    ['channel_not_found', { channel: 'C0NONE', text: 'x' }],
    ['no_text', {}],
    ['msg_too_long', { text: 'x'.repeat(4001) }],
  ])('answers %s', async (error, args) => {
    const ts = await post('one');
    expect(await refusal(fixture.client.apiCall('chat.update', { channel: CHANNEL, ts, ...args }))).toMatchObject({
      error,
    });
  });
});

describe('chat.delete', () => {
  it('removes a message, and leaves a tombstone where a thread hangs', async () => {
    const { client, slack } = fixture;
    const alone = await post('alone');
    const root = await post('root');
    await post('reply', { thread_ts: root });
    await client.chat.delete({ channel: CHANNEL, ts: alone });
    await client.chat.delete({ channel: CHANNEL, ts: root });
    expect(slack.state().channels[0]?.messages).toMatchObject([
      { ts: root, deleted: true, replies: [{ text: 'reply' }] },
    ]);
    expect(await refusal(client.chat.delete({ channel: CHANNEL, ts: root }))).toMatchObject({
      error: 'message_not_found',
    });
  });
});

describe('chat.postEphemeral', () => {
  it('is seen by one person who is in the channel', async () => {
    const { client, slack } = fixture;
    await client.chat.postEphemeral({ channel: CHANNEL, user: 'U0VIEWER', text: 'only you' });
    expect(slack.state().ephemerals).toMatchObject([{ user: 'U0VIEWER', channel: CHANNEL, text: 'only you' }]);
    expect((await client.conversations.history({ channel: CHANNEL })).messages).toEqual([]);
    expect(
      await refusal(client.chat.postEphemeral({ channel: CHANNEL, user: 'U0LEFT', text: 'too late' })),
    ).toMatchObject({ error: 'user_not_in_channel' });
  });
});

describe('chat.getPermalink and reactions.add', () => {
  it('find a message', async () => {
    const { client, slack } = fixture;
    const ts = await post('one');
    expect(await client.chat.getPermalink({ channel: CHANNEL, message_ts: ts })).toMatchObject({
      permalink: `${slack.url}/archives/${CHANNEL}/p${ts.replace('.', '')}`,
    });
    const reaction = { channel: CHANNEL, timestamp: ts, name: 'eyes' };
    await client.reactions.add(reaction);
    expect(await refusal(client.reactions.add(reaction))).toMatchObject({ error: 'already_reacted' });
    expect(slack.state().channels[0]?.messages).toMatchObject([{ reactions: [{ name: 'eyes', count: 1 }] }]);
  });
});

describe('conversations.history', () => {
  it('gives the payload of metadata only when it is asked for', async () => {
    const metadata = { event_type: 'finding_posted', event_payload: { finding: 'f-1' } };
    await post('one', { metadata });
    const { messages: bare } = await fixture.client.conversations.history({ channel: CHANNEL });
    expect(bare?.[0]?.metadata).toEqual({ event_type: 'finding_posted' });
    const all = await fixture.client.conversations.history({ channel: CHANNEL, include_all_metadata: true });
    expect(all.messages?.[0]?.metadata).toEqual(metadata);
  });

  it('keeps to oldest and latest, with their own messages only if inclusive', async () => {
    const { client } = fixture;
    const [a, b, c] = [await post('a'), await post('b'), await post('c')];
    const texts = async (range: Record<string, unknown>) =>
      (await client.conversations.history({ channel: CHANNEL, ...range })).messages?.map(({ text }) => text);
    expect(await texts({ oldest: a })).toEqual(['c', 'b']);
    expect(await texts({ oldest: a, latest: c })).toEqual(['b']);
    expect(await texts({ oldest: a, latest: b, inclusive: true })).toEqual(['b', 'a']);
    expect(await refusal(client.conversations.history({ channel: CHANNEL, oldest: 'today' }))).toMatchObject({
      error: 'invalid_ts_oldest',
    });
  });

  it('is paged by cursor', async () => {
    for (const text of ['a', 'b', 'c']) await post(text);
    const seen: WebAPICallResult[] = [];
    for await (const page of fixture.client.paginate('conversations.history', { channel: CHANNEL, limit: 2 })) {
      seen.push(page);
    }
    expect(seen).toMatchObject([{ messages: [{ text: 'c' }, { text: 'b' }] }, { messages: [{ text: 'a' }] }]);
    expect(await refusal(fixture.client.conversations.history({ channel: CHANNEL, cursor: 'nonsense' }))).toMatchObject(
      { error: 'invalid_cursor' },
    );
  });

  it('needs the bot in the channel', async () => {
    fixture.slack.setChannel(CHANNEL, { botIsMember: false });
    expect(await refusal(fixture.client.conversations.history({ channel: CHANNEL }))).toMatchObject({
      error: 'not_in_channel',
    });
  });
});

describe('conversations', () => {
  it('tells that a channel is shared with another workspace', async () => {
    const { channel } = await fixture.client.conversations.info({ channel: CHANNEL, include_num_members: true });
    expect(channel).toMatchObject({ id: CHANNEL, name: 'kms-rotation', is_ext_shared: true, num_members: 7 });
  });

  it('lists channels and their members, deactivated people not among them', async () => {
    const { channels } = await fixture.client.conversations.list();
    expect(channels?.map(({ name }) => name)).toEqual(['kms-rotation', 'payments-keys']);
    const { members } = await fixture.client.conversations.members({ channel: CHANNEL });
    expect(members).toContain('U0OUTSIDER');
    expect(members).toContain('U0BOT');
    expect(members).not.toContain('U0LEFT');
  });

  it('opens direct messages', async () => {
    const { channel } = await fixture.client.conversations.open({ users: 'U0VIEWER' });
    expect(channel).toEqual({ id: 'D0VIEWER' });
    expect(await refusal(fixture.client.conversations.open({ users: 'U0NONE' }))).toMatchObject({
      error: 'user_not_found',
    });
  });
});

describe('people', () => {
  const info = async (user: string) => (await fixture.client.users.info({ user })).user;

  it('are told apart by the flags of users.info', async () => {
    expect(await info('U0APPROVER')).toMatchObject({
      team_id: 'T0SANDBOX',
      deleted: false,
      is_bot: false,
      is_restricted: false,
      profile: { email: 'approver@sandbox.example' },
    });
    expect(await info('U0GUEST')).toMatchObject({ is_restricted: true });
    expect(await info('U0LEFT')).toMatchObject({ deleted: true });
    expect(await info('U0BOT')).toMatchObject({ is_bot: true });
    expect(await refusal(info('U0NONE'))).toMatchObject({ error: 'user_not_found' });
  });

  it('of another workspace have its team_id, no e-mail address, and are no strangers where a channel is shared', async () => {
    const outsider = await info('U0OUTSIDER');
    expect(outsider).toMatchObject({ team_id: 'T0PARTNER', is_stranger: false });
    expect(outsider?.profile).not.toHaveProperty('email');
  });

  it('are found by e-mail address unless they left or belong elsewhere', async () => {
    const lookUp = (email: string) => fixture.client.users.lookupByEmail({ email });
    expect(await lookUp('approver@sandbox.example')).toMatchObject({ user: { id: 'U0APPROVER' } });
    expect(await refusal(lookUp('left@sandbox.example'))).toMatchObject({ error: 'users_not_found' });
    expect(await refusal(lookUp('outsider@partner.example'))).toMatchObject({ error: 'users_not_found' });
  });

  it('are listed, and grouped', async () => {
    const { client } = fixture;
    expect((await client.users.list({})).members).toHaveLength(8);
    expect(await client.usergroups.list({ include_users: true })).toMatchObject({
      usergroups: [{ id: 'S0SECURITY', users: ['U0APPROVER2'] }],
    });
    expect(await client.usergroups.users.list({ usergroup: 'S0SECURITY' })).toMatchObject({ users: ['U0APPROVER2'] });
    expect(await refusal(client.usergroups.users.list({ usergroup: 'S0NONE' }))).toMatchObject({
      error: 'no_such_subteam',
    });
    expect(await client.team.info()).toMatchObject({ team: { id: 'T0SANDBOX' } });
  });
});
