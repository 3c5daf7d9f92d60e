import { buttonsOf, wordsOf } from './answers.ts';
import type { Scenario } from './scenario.ts';
import { expectSame, expectText, expectThere } from './surprise.ts';
import type { Visitor } from './visitor.ts';

const REASON = 'Rotated by the vendor, checked every quarter';

/** Makes a key that nobody has decided about yet. */
async function openFinding(visitor: Visitor): Promise<string> {
  const arn = await visitor.makeKey();
  await visitor.settle();
  return arn;
}

const exemption: Scenario = {
  name: 'exempt-until',
  story: 'An exempt key is left alone until the exemption ends, and is then asked about again in the same thread.',
  async play(visitor) {
    const arn = await openFinding(visitor);
    const until = await visitor.day(30);
    const terms = { owner: 'U0ENGINEER', reason: REASON, ticket: 'SEC-1', until };
    await visitor.fillIn({ user: 'U0APPROVER', arn, actionId: 'exempt' }, terms);
    await visitor.settle();
    const exempt = await visitor.messageAbout(arn);
    expectText('the message says who, why and until when', exempt.text, /^Exempt: .*Rotated by the vendor/s);
    await visitor.act(arn, 'disable-rotation', { as: 'terraform' });
    await visitor.settle();
    expectSame('switching rotation off is no news', await visitor.trail(arn), ['finding-opened', 'exemption-granted']);

    await visitor.advance('91d');
    await visitor.settle();
    const again = await visitor.messagesAbout(arn);
    visitor.say(`Slack: ${again.at(-1)?.text ?? ''}`);
    expectSame(
      'still one message',
      again.map(({ ts }) => ts),
      [exempt.ts],
    );
    expectText('it asks again', again[0]?.text ?? '', /^Key does not rotate/);
    expectText('the thread tells why', again[0]?.replies.map(wordsOf).join('\n') ?? '', /exemption/i);
    expectSame('the trail tells it', (await visitor.trail(arn)).includes('exemption-expired'), true);
  },
};

const refusedClicks: Scenario = {
  name: 'refused-clicks',
  story: 'A viewer, a guest, somebody from outside and a deactivated account get a sentence; the key stays as it is.',
  async play(visitor) {
    const arn = await openFinding(visitor);
    const before = await visitor.messageAbout(arn);
    const expected = {
      U0VIEWER: /not an approver/,
      U0GUEST: /Guests cannot decide/,
      U0OUTSIDER: /Only people of this organisation/,
      U0LEFT: /deactivated/,
    };
    for (const [user, sentence] of Object.entries(expected)) {
      const { ephemerals } = await visitor.click(user, arn, 'approve');
      expectText(`${user} is refused`, ephemerals[0]?.text ?? '', sentence);
    }
    const { ephemerals, views } = await visitor.click('U0ENGINEER', arn, 'exempt');
    expectText('who caused it may not exempt it', ephemerals[0]?.text ?? '', /You caused this finding/);
    expectSame('no form opens', views, []);
    await visitor.settle();
    expectSame('rotation is still off', (await visitor.rotationOf(arn)).enabled, false);
    expectSame('the question stands as it was', (await visitor.messageAbout(arn)).text, before.text);
    const refusals = (await visitor.trail(arn)).filter((type) => type === 'command-refused');
    expectSame('each attempt is in the trail', refusals.length, 5);
  },
};

const modalErrors: Scenario = {
  name: 'terms-that-are-refused',
  story: 'The form says what is wrong under each field, and takes the corrected terms.',
  async play(visitor) {
    const arn = await openFinding(visitor);
    const opened = await visitor.click('U0APPROVER', arn, 'exempt');
    const { id } = expectThere('a form opens', opened.views[0]);
    const tooLate = { owner: 'U0GUEST', reason: REASON, ticket: '', until: await visitor.day(200) };
    const wrong = await visitor.submit('U0APPROVER', id, tooLate);
    expectSame('owner and date are wrong', Object.keys(wrong.errors ?? {}).sort(), ['owner', 'until']);
    const past = { ...tooLate, owner: 'U0APPROVER2', until: await visitor.day(-2) };
    expectSame('a past date too', Object.keys((await visitor.submit('U0APPROVER', id, past)).errors ?? {}), ['until']);
    const right = { ...past, until: await visitor.day(10) };
    expectSame('now it is taken', (await visitor.submit('U0APPROVER', id, right)).errors, undefined);
    await visitor.settle();
    expectSame('it is exempt', await visitor.trail(arn), ['finding-opened', 'exemption-granted']);
  },
};

const twoPeople: Scenario = {
  name: 'two-people-at-once',
  story: 'Two approvers click at the same moment; one approval counts and the other is told about it.',
  async play(visitor) {
    const arn = await openFinding(visitor);
    const answers = await Promise.all([
      visitor.click('U0APPROVER', arn, 'approve'),
      visitor.click('U0APPROVER2', arn, 'approve'),
    ]);
    await visitor.settle();
    const sentences = answers.flatMap(({ ephemerals }) => ephemerals.map(({ text }) => text));
    expectSame('one of them is told', sentences.length, 1);
    expectText('by whom it was decided', sentences[0] ?? '', /^Already .* by (?:Approver|Second approver)/);
    const trail = await visitor.trail(arn);
    expectSame('one approval', trail.filter((type) => type === 'remediation-approved').length, 1);
    expectSame('one remediation', trail.filter((type) => type === 'remediated').length, 1);
  },
};

const staleClick: Scenario = {
  name: 'stale-click',
  story: 'Somebody has fixed the key meanwhile; the message is closed, and an old form no longer does anything.',
  async play(visitor) {
    const arn = await openFinding(visitor);
    const opened = await visitor.click('U0APPROVER', arn, 'exempt');
    const { id } = expectThere('a form opens', opened.views[0]);
    await visitor.act(arn, 'enable-rotation', { as: 'terraform' });
    await visitor.settle();
    const closed = await visitor.messageAbout(arn);
    visitor.say(`Slack: ${closed.text}`);
    expectText('the message is closed', closed.text, /^Closed/);
    expectSame('it offers nothing', buttonsOf(closed), []);
    const terms = { owner: 'U0APPROVER2', reason: REASON, ticket: '', until: await visitor.day(10) };
    await visitor.submit('U0APPROVER', id, terms);
    await visitor.settle();
    expectSame('the old form is refused', (await visitor.trail(arn)).at(-1), 'command-refused');
  },
};

const backOut: Scenario = {
  name: 'back-out',
  story: 'What the bot switched on it switches off again, with a reason, an owner and an end.',
  async play(visitor) {
    const arn = await openFinding(visitor);
    await visitor.click('U0APPROVER', arn, 'approve');
    await visitor.settle();
    const terms = { owner: 'U0ENGINEER', reason: REASON, ticket: '', until: await visitor.day(20) };
    await visitor.fillIn({ user: 'U0APPROVER2', arn, actionId: 'back-out' }, terms);
    await visitor.settle();
    expectSame('rotation is off again', (await visitor.rotationOf(arn)).enabled, false);
    expectText('and the key is exempt', (await visitor.messageAbout(arn)).text, /^Exempt/);
    expectSame('nobody is asked about the bot’s own change', (await visitor.trail(arn)).at(-1), 'backed-out');
  },
};

const secondPerson: Scenario = {
  name: 'second-person',
  story:
    'A pipeline made the key, so nobody can tell who caused it: one approver asks for an exemption, another confirms.',
  async play(visitor) {
    const arn = await visitor.makeKey({ as: 'terraform' });
    await visitor.settle();
    const terms = { owner: 'U0ENGINEER', reason: REASON, ticket: '', until: await visitor.day(20) };
    await visitor.fillIn({ user: 'U0APPROVER', arn, actionId: 'exempt' }, terms);
    await visitor.settle();
    const asked = await visitor.messageAbout(arn);
    visitor.say(`Slack: ${asked.text}`);
    expectText('the message says what waits for whom', asked.text, /Another approver has to confirm it before/);
    const own = await visitor.click('U0APPROVER', arn, 'confirm-request');
    expectText('who asked cannot confirm', own.ephemerals[0]?.text ?? '', /You asked for this yourself/);
    await visitor.click('U0APPROVER2', arn, 'confirm-request');
    await visitor.settle();
    const { text } = await visitor.messageAbout(arn);
    expectText('both are named', text, /Granted by Approver \(confirmed by Second approver\)/);

    const late = await visitor.makeKey({ as: 'terraform' });
    await visitor.settle();
    await visitor.fillIn({ user: 'U0APPROVER', arn: late, actionId: 'exempt' }, terms);
    await visitor.settle();
    await visitor.advance('25h');
    await visitor.settle();
    expectSame('a request lapses by itself', (await visitor.trail(late)).includes('request-lapsed'), true);
    expectText('and the key is asked about as before', (await visitor.messageAbout(late)).text, /^Key does not rotate/);
  },
};

const ownerIsTold: Scenario = {
  name: 'owner-is-told',
  story:
    'The owner of an exemption is told that they are, and before it ends; once they let it end, nobody reminds them.',
  async play(visitor) {
    const arn = await openFinding(visitor);
    const terms = { owner: 'U0VIEWER', reason: REASON, ticket: '', until: await visitor.day(30) };
    await visitor.fillIn({ user: 'U0APPROVER', arn, actionId: 'exempt' }, terms);
    await visitor.settle();
    const told = async () => (await visitor.directMessages('U0VIEWER')).filter((text) => text.includes(arn.slice(-36)));
    expectText('the owner is told', (await told()).at(-1) ?? '', /named you as the owner of an exemption/);
    await visitor.advance('20d');
    await visitor.settle();
    const reminder = (await told()).at(-1) ?? '';
    visitor.say(`Slack, to the owner alone: ${reminder}`);
    expectText('and reminded', reminder, /^Your exemption ends in \d+ days/);
    await visitor.click('U0VIEWER', arn, 'let-exemption-end');
    await visitor.settle();
    expectText('the message says so', (await visitor.messageAbout(arn)).text, /Viewer lets it run out/);
    const before = (await told()).length;
    await visitor.advance('10d');
    await visitor.settle();
    expectSame('no more reminders', (await told()).length, before);
    await visitor.advance('2d');
    await visitor.settle();
    expectText('at its end people are asked again', (await visitor.messageAbout(arn)).text, /^Key does not rotate/);
  },
};

/** Who may decide what, and what becomes of it. */
export const decisions: readonly Scenario[] = [
  exemption,
  refusedClicks,
  modalErrors,
  twoPeople,
  staleClick,
  backOut,
  secondPerson,
  ownerIsTold,
];
