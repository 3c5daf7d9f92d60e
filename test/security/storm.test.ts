import { type Bot, startBot } from './support/bot.ts';

let bot: Bot;
let keys: string[];
beforeAll(async () => {
  bot = await startBot({ threshold: 1 });
  // Three in a minute of their own: one has a message, two are in the digest.
  await bot.visitor.advance('15m');
  keys = await Promise.all([1, 2, 3].map(() => bot.visitor.makeKey()));
  await bot.visitor.settle();
}, 30_000);
afterAll(() => bot.stop(), 30_000);

async function approveAll(user: string): Promise<string[]> {
  const { metadata } = await bot.visitor.digest();
  const digest = metadata?.event_payload?.post_id?.slice('digest#'.length, -'#root'.length) ?? '';
  const ref = { digest, upTo: '2999-01-01T00:00:00.000Z', count: 2 };
  const answers = await bot.click({ user, actionId: 'approve-all', ref });
  await bot.visitor.settle();
  return answers;
}
const trails = () => Promise.all(keys.map((key) => bot.visitor.trail(key)));

it('approval of a whole storm by a member who is no approver', async () => {
  const [answer = ''] = await approveAll('U0VIEWER');
  expect(answer).toMatch(/You are not an approver/);
  const all = await trails();
  expect(all.flat().filter((type) => type !== 'finding-opened')).toEqual(['command-refused']);
}, 30_000);

it('approval of keys that the person was not shown', async () => {
  const [answer = ''] = await approveAll('U0APPROVER');
  expect(answer).toMatch(/Approving all 2 keys/);
  const late = await bot.visitor.makeKey();
  await bot.visitor.settle();
  await bot.visitor.advance('1m');
  await bot.visitor.settle();
  expect(await bot.visitor.trail(late)).toEqual(['finding-opened']);
}, 30_000);
