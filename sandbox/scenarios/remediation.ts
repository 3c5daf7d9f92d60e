import { buttonsOf, wordsOf } from './answers.ts';
import type { Scenario } from './scenario.ts';
import { expectSame, expectText } from './surprise.ts';
import { DEV, PAYMENTS } from './visitor.ts';

const approveNewKey: Scenario = {
  name: 'approve-new-key',
  story: 'A new key does not rotate; an approver approves, and the bot proves that it rotates.',
  async play(visitor) {
    const arn = await visitor.makeKey({ account: DEV, alias: 'alias/orders', user: 'U0ENGINEER' });
    await visitor.settle();
    const asked = await visitor.messageAbout(arn);
    visitor.say(`Slack: ${asked.text}`);
    expectSame('the question is in the default channel', asked.channel, 'C0SECURITY');
    expectText('the question names the key', asked.text, /does not rotate: .*orders/i);
    expectSame('rotation is off before', (await visitor.rotationOf(arn)).enabled, false);
    await visitor.click('U0APPROVER', arn, 'approve');
    await visitor.settle();
    expectSame('rotation is on', await visitor.rotationOf(arn), { enabled: true, periodInDays: 365 });
    const done = await visitor.messageAbout(arn);
    visitor.say(`Slack: ${done.text}`);
    expectText('the message says so', done.text, /^Remediated/);
    expectSame('it is the same message', done.ts, asked.ts);
    expectSame('the trail tells it', await visitor.trail(arn), [
      'finding-opened',
      'remediation-approved',
      'remediation-started',
      'remediated',
    ]);
  },
};

const routedToPayments: Scenario = {
  name: 'routed-by-account',
  story: 'A key of the payments account is asked about in the payments channel; a member of the user group approves.',
  async play(visitor) {
    const arn = await visitor.makeKey({ account: PAYMENTS, region: 'us-east-1', as: 'console' });
    await visitor.settle();
    expectSame('the question is in the route’s channel', (await visitor.messageAbout(arn)).channel, 'C0PAYMENTS');
    await visitor.click('U0APPROVER2', arn, 'approve');
    await visitor.settle();
    expectSame('rotation is on', (await visitor.rotationOf(arn)).enabled, true);
  },
};

const enabledWithinGrace: Scenario = {
  name: 'enabled-within-grace',
  story: 'Terraform creates a key and switches rotation on at once; nobody is asked.',
  async play(visitor) {
    const arn = await visitor.makeKey({ as: 'terraform' });
    await visitor.act(arn, 'enable-rotation', { as: 'terraform' });
    await visitor.settle();
    expectSame('no message', (await visitor.messagesAbout(arn)).length, 0);
    expectSame('no finding', await visitor.trail(arn), []);
  },
};

const notApplicable: Scenario = {
  name: 'keys-that-cannot-rotate',
  story: 'RSA, HMAC, custom key store and AWS managed keys are left alone.',
  async play(visitor) {
    for (const kind of ['rsa', 'hmac', 'custom-key-store']) await visitor.makeKey({ kind });
    const managed = await visitor.makeKey({ kind: 'aws-managed' });
    await visitor.settle();
    const { channels } = await visitor.state();
    visitor.say(`AWS managed: ${managed}`);
    expectSame(
      'none of their trails has an event',
      (await visitor.checkTrails()).flatMap(({ events }) => events),
      [],
    );
    expectSame(
      'no message names the AWS managed key',
      channels.flatMap(({ messages }) => messages).filter((message) => wordsOf(message).includes(managed)),
      [],
    );
  },
};

const importedKey: Scenario = {
  name: 'imported-key',
  story: 'Imported material cannot rotate by itself: the owner imports new material, then the bot rotates to it.',
  async play(visitor) {
    const arn = await visitor.makeKey({ kind: 'imported' });
    await visitor.settle();
    expectSame('nothing to approve yet', buttonsOf(await visitor.messageAbout(arn)).includes('approve'), false);
    await visitor.act(arn, 'import-material');
    await visitor.settle();
    const asked = await visitor.messageAbout(arn);
    visitor.say(`Slack: ${asked.text}`);
    expectSame('now there is', buttonsOf(asked).includes('approve'), true);
    await visitor.click('U0APPROVER', arn, 'approve');
    // An on-demand rotation takes a while, and KMS tells of its end by an event.
    await visitor.settle();
    const done = await visitor.messageAbout(arn);
    visitor.say(`Slack: ${done.text}`);
    expectText('the new material is current', done.text, /^Remediated/);
  },
};

/** From the finding to the proof. */
export const remediation: readonly Scenario[] = [
  approveNewKey,
  routedToPayments,
  enabledWithinGrace,
  notApplicable,
  importedKey,
];
