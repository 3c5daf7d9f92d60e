import { aButton, CHANNEL, refusal, type SlackFixture, startFixture } from './support/slack-fixture.ts';

let fixture: SlackFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const plain = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
const mrkdwn = (length: number) => ({ type: 'mrkdwn', text: 'x'.repeat(length) });
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));
const actions = (...elements: unknown[]) => ({ type: 'actions', elements });
const select = (extra: Record<string, unknown>) => ({ type: 'static_select', action_id: 's', ...extra });
const option = (textLength: number, valueLength: number) => ({
  text: plain(textLength),
  value: 'v'.repeat(valueLength),
});
const confirm = (extra: Record<string, unknown>) =>
  aButton('a', { confirm: { title: plain(1), text: plain(1), confirm: plain(1), deny: plain(1), ...extra } });

const post = (args: Record<string, unknown>) =>
  refusal(fixture.client.apiCall('chat.postMessage', { channel: CHANNEL, text: 'x', ...args }));

/** What is just allowed, what is one too many, and what Slack says of it (`n` and pointer). */
type Limit = [name: string, allowed: unknown, refused: unknown, complaint: string];
const characters = (max: number, pointer: string) =>
  `must be less than ${max + 1} characters [json-pointer:/blocks/${pointer}]`;
const items = (max: number, pointer: string) => `no more than ${max} items allowed [json-pointer:/blocks/${pointer}]`;

const LIMITS: Limit[] = [
  [
    'section text',
    { type: 'section', text: mrkdwn(3000) },
    { type: 'section', text: mrkdwn(3001) },
    characters(3000, '0/text/text'),
  ],
  [
    'section field',
    { type: 'section', fields: [mrkdwn(2000)] },
    { type: 'section', fields: [mrkdwn(2001)] },
    characters(2000, '0/fields/0/text'),
  ],
  [
    'section fields',
    { type: 'section', fields: times(10, () => mrkdwn(1)) },
    { type: 'section', fields: times(11, () => mrkdwn(1)) },
    items(10, '0/fields'),
  ],
  [
    'header',
    { type: 'header', text: plain(150) },
    { type: 'header', text: plain(151) },
    characters(150, '0/text/text'),
  ],
  [
    'context elements',
    { type: 'context', elements: times(10, () => mrkdwn(1)) },
    { type: 'context', elements: times(11, () => mrkdwn(1)) },
    items(10, '0/elements'),
  ],
  [
    'actions elements',
    actions(...times(25, (n) => aButton(`a${n}`))),
    actions(...times(26, (n) => aButton(`a${n}`))),
    items(25, '0/elements'),
  ],
  [
    'button text',
    actions(aButton('a', { text: plain(75) })),
    actions(aButton('a', { text: plain(76) })),
    characters(75, '0/elements/0/text/text'),
  ],
  [
    'button value',
    actions(aButton('a', { value: 'v'.repeat(2000) })),
    actions(aButton('a', { value: 'v'.repeat(2001) })),
    characters(2000, '0/elements/0/value'),
  ],
  [
    'action_id',
    actions(aButton('a'.repeat(255), { text: plain(1) })),
    actions(aButton('a'.repeat(256), { text: plain(1) })),
    characters(255, '0/elements/0/action_id'),
  ],
  [
    'block_id',
    { type: 'divider', block_id: 'b'.repeat(255) },
    { type: 'divider', block_id: 'b'.repeat(256) },
    characters(255, '0/block_id'),
  ],
  [
    'options',
    actions(select({ options: times(100, () => option(1, 1)) })),
    actions(select({ options: times(101, () => option(1, 1)) })),
    items(100, '0/elements/0/options'),
  ],
  [
    'option text',
    actions(select({ options: [option(75, 1)] })),
    actions(select({ options: [option(76, 1)] })),
    characters(75, '0/elements/0/options/0/text/text'),
  ],
  [
    'option value',
    actions(select({ options: [option(1, 75)] })),
    actions(select({ options: [option(1, 76)] })),
    characters(75, '0/elements/0/options/0/value'),
  ],
  [
    'placeholder',
    actions({ type: 'users_select', placeholder: plain(150) }),
    actions({ type: 'users_select', placeholder: plain(151) }),
    characters(150, '0/elements/0/placeholder/text'),
  ],
  [
    'confirm title',
    actions(confirm({ title: plain(100) })),
    actions(confirm({ title: plain(101) })),
    characters(100, '0/elements/0/confirm/title/text'),
  ],
  [
    'confirm text',
    actions(confirm({ text: mrkdwn(300) })),
    actions(confirm({ text: mrkdwn(301) })),
    characters(300, '0/elements/0/confirm/text/text'),
  ],
  [
    'confirm button',
    actions(confirm({ confirm: plain(30) })),
    actions(confirm({ confirm: plain(31) })),
    characters(30, '0/elements/0/confirm/confirm/text'),
  ],
  [
    'deny button',
    actions(confirm({ deny: plain(30) })),
    actions(confirm({ deny: plain(31) })),
    characters(30, '0/elements/0/confirm/deny/text'),
  ],
];

describe('the limits of a message', () => {
  it.each(LIMITS)('hold for %s', async (_name, allowed, refused, complaint) => {
    expect(await post({ blocks: [allowed] })).toMatchObject({ error: 'ok' });
    expect(await post({ blocks: [refused] })).toEqual({ error: 'invalid_blocks', messages: [`[ERROR] ${complaint}`] });
  });

  it('hold for the number of blocks', async () => {
    const dividers = (count: number) => times(count, () => ({ type: 'divider' }));
    expect(await post({ blocks: dividers(50) })).toMatchObject({ error: 'ok' });
    expect(await post({ blocks: dividers(51) })).toEqual({
      error: 'invalid_blocks',
      messages: ['[ERROR] no more than 50 items allowed [json-pointer:/blocks]'],
    });
  });
});

describe('blocks', () => {
  it.each<[string, unknown, string]>([
    ['an unknown type', { type: 'banner' }, 'unsupported type: banner [json-pointer:/blocks/0]'],
    ['no type', { text: plain(1) }, 'missing required field: type [json-pointer:/blocks/0]'],
    ['a missing text', { type: 'header' }, 'missing required field: text [json-pointer:/blocks/0]'],
    [
      'an empty text',
      { type: 'header', text: plain(0) },
      'must be more than 0 characters [json-pointer:/blocks/0/text/text]',
    ],
    [
      'mrkdwn in a header',
      { type: 'header', text: mrkdwn(1) },
      'must be one of: plain_text [json-pointer:/blocks/0/text/type]',
    ],
    [
      'a field that Slack does not know',
      { type: 'divider', colour: 'red' },
      'invalid additional property: colour [json-pointer:/blocks/0]',
    ],
    ['a section without words', { type: 'section' }, 'must define either `text` or `fields` [json-pointer:/blocks/0]'],
    [
      'two buttons with one action_id',
      actions(aButton('a'), aButton('a')),
      'action_id "a" already exists for another block element [json-pointer:/blocks/0/elements/1/action_id]',
    ],
    [
      'a button of another style',
      actions(aButton('a', { style: 'warning' })),
      'must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]',
    ],
    [
      'an impossible date',
      actions({ type: 'datepicker', initial_date: '2026-02-30' }),
      'must be a date in the format YYYY-MM-DD [json-pointer:/blocks/0/elements/0/initial_date]',
    ],
  ])('are refused with %s', async (_name, block, complaint) => {
    expect(await post({ blocks: [block] })).toEqual({ error: 'invalid_blocks', messages: [`[ERROR] ${complaint}`] });
  });

  it('must not share a block_id', async () => {
    const same = { type: 'divider', block_id: 'b' };
    expect((await post({ blocks: [same, same] })).messages).toEqual([
      '[ERROR] block_id "b" already exists for another block [json-pointer:/blocks/1/block_id]',
    ]);
  });

  it('must be a JSON list', async () => {
    expect(await post({ blocks: '[' })).toMatchObject({ error: 'invalid_blocks_format' });
    expect(await post({ blocks: { type: 'divider' } })).toMatchObject({ error: 'invalid_blocks_format' });
  });

  it('may be rich text with all its parts', async () => {
    const elements = [
      { type: 'text', text: 'bold', style: { bold: true } },
      { type: 'user', user_id: 'U0VIEWER' },
      { type: 'link', url: 'https://key.example' },
      { type: 'emoji', name: 'key' },
    ];
    const blocks = [
      {
        type: 'rich_text',
        elements: [
          { type: 'rich_text_section', elements },
          { type: 'rich_text_list', style: 'bullet', elements: [{ type: 'rich_text_section', elements }] },
          { type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'resource "aws_kms_key"' }] },
          { type: 'rich_text_quote', elements },
        ],
      },
    ];
    expect(await post({ blocks })).toMatchObject({ error: 'ok' });
  });
});

describe('attachments', () => {
  it('are at most a hundred', async () => {
    expect(await post({ attachments: times(101, () => ({ text: 'x' })) })).toMatchObject({
      error: 'too_many_attachments',
    });
  });
});

describe('metadata', () => {
  it.each<[string, unknown, string]>([
    ['with both parts', { event_type: 'finding_posted', event_payload: { n: 1 } }, 'ok'],
    ['that is no JSON', '{', 'invalid_metadata_format'],
    ['without a type', { event_payload: {} }, 'invalid_metadata_format'],
    ['with a type in capitals', { event_type: 'Finding', event_payload: {} }, 'invalid_metadata_format'],
    ['without a payload object', { event_type: 'finding', event_payload: 'x' }, 'invalid_metadata_schema'],
    ['that is too large', { event_type: 'finding', event_payload: { x: 'x'.repeat(8000) } }, 'metadata_too_large'],
  ])('%s is answered %s', async (_name, metadata, error) => {
    expect(await post({ metadata })).toMatchObject({ error });
  });
});
