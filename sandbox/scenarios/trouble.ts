import { buttonsOf, wordsOf } from './answers.ts';
import type { Scenario } from './scenario.ts';
import { expectSame, expectText } from './surprise.ts';
import type { Visitor } from './visitor.ts';

const driftLoop: Scenario = {
  name: 'drift-loop',
  story:
    'Terraform switches off what the bot switched on; the next message says so instead of asking as if it were new.',
  async play(visitor) {
    const arn = await visitor.makeKey({ as: 'terraform' });
    await visitor.settle();
    await visitor.click('U0APPROVER', arn, 'approve');
    await visitor.settle();
    await visitor.act(arn, 'disable-rotation', { as: 'terraform' });
    await visitor.settle();
    const messages = await visitor.messagesAbout(arn);
    const drift = messages.at(-1);
    visitor.say(`Slack: ${drift?.text ?? ''}`);
    expectSame('a second episode has its own message', messages.length, 2);
    expectText('it is shown as drift', drift?.text ?? '', /^Rotation switched off again/);
    expectText('with the line of code to change', drift === undefined ? '' : wordsOf(drift), /enable_key_rotation/);
  },
};

const accessDenied: Scenario = {
  name: 'kms-denies',
  story: 'KMS denies the change; the message shows the statement that is missing, and trying again works.',
  async play(visitor) {
    const arn = await visitor.makeKey();
    await visitor.settle();
    await visitor.act(arn, 'lock-out-bot');
    await visitor.click('U0APPROVER', arn, 'approve');
    await visitor.settle();
    const failed = await visitor.messageAbout(arn);
    visitor.say(`Slack: ${failed.text}`);
    expectText('it failed', failed.text, /^Remediation failed/);
    expectText('the statement to add is shown', wordsOf(failed), /"Principal"/);
    await visitor.act(arn, 'let-bot-in');
    await visitor.click('U0APPROVER', arn, 'approve');
    await visitor.settle();
    expectSame('rotation is on', (await visitor.rotationOf(arn)).enabled, true);
  },
};

const unreadableKey: Scenario = {
  name: 'unreadable-key',
  story: 'A key that the bot may not read is not passed over: people are told, and a re-check settles it.',
  async play(visitor) {
    const arn = await visitor.makeKey();
    await visitor.act(arn, 'lock-out-bot');
    await visitor.settle();
    const unknown = await visitor.messageAbout(arn);
    visitor.say(`Slack: ${unknown.text}`);
    expectText('nothing is claimed about it', unknown.text, /^Key rotation cannot be checked/);
    expectSame('there is nothing to approve', buttonsOf(unknown).includes('approve'), false);
    await visitor.act(arn, 'let-bot-in');
    await visitor.act(arn, 'tag', { tags: { team: 'orders' } });
    await visitor.click('U0VIEWER', arn, 're-check');
    await visitor.settle();
    const known = await visitor.messageAbout(arn);
    visitor.say(`Slack: ${known.text}`);
    expectText('now it is known', known.text, /^Key does not rotate/);
  },
};

const replica: Scenario = {
  name: 'replica-key',
  story: 'A replica rotates with its primary, so people are asked about the primary, in its Region.',
  async play(visitor) {
    const arn = await visitor.makeKey({ kind: 'multi-region', region: 'eu-central-1' });
    await visitor.act(arn, 'replicate', { region: 'us-east-1' });
    await visitor.settle();
    const inReplicaRegion = arn.replace('eu-central-1', 'us-east-1');
    expectSame('one message about the primary', (await visitor.messagesAbout(arn)).length, 1);
    expectSame('none about the replica', (await visitor.messagesAbout(inReplicaRegion)).length, 0);
    await visitor.click('U0APPROVER', arn, 'approve');
    await visitor.settle();
    expectSame('the replica rotates too', (await visitor.rotationOf(inReplicaRegion)).enabled, true);
  },
};

const periodTooLong: Scenario = {
  name: 'period-too-long',
  story: 'A key that rotates more rarely than the policy allows gets the policy’s period.',
  async play(visitor) {
    const arn = await visitor.makeKey({ as: 'console' });
    await visitor.act(arn, 'enable-rotation', { periodInDays: 1000 });
    await visitor.settle();
    expectText('it is asked about', (await visitor.messageAbout(arn)).text, /^Key rotates too rarely/);
    await visitor.click('U0APPROVER', arn, 'approve');
    await visitor.settle();
    expectSame('the period is the policy’s', await visitor.rotationOf(arn), { enabled: true, periodInDays: 365 });
  },
};

const throttled: Scenario = {
  name: 'kms-throttles',
  story: 'KMS throttles the change a few times; it is made all the same, once.',
  async play(visitor) {
    const arn = await visitor.makeKey();
    await visitor.settle();
    await visitor.fault('kms', 'EnableKeyRotation', 'ThrottlingException', 2);
    await visitor.click('U0APPROVER', arn, 'approve');
    await visitor.settle();
    expectSame('rotation is on', (await visitor.rotationOf(arn)).enabled, true);
    expectSame('one remediation', (await visitor.trail(arn)).at(-1), 'remediated');
  },
};

async function oneMessageDespite(visitor: Visitor, error: string, times: number): Promise<void> {
  await visitor.fault('slack', 'chat.postMessage', error, times);
  const arn = await visitor.makeKey();
  await visitor.settle();
  const messages = await visitor.messagesAbout(arn);
  visitor.say(`messages about the key: ${messages.length}`);
  expectSame('exactly one message', messages.length, 1);
}

const slackTrouble: Scenario = {
  name: 'slack-trouble',
  story: 'Slack is down, limits the rate, or loses its answer after posting; there is exactly one message each time.',
  async play(visitor) {
    await oneMessageDespite(visitor, 'http_500', 3);
    await oneMessageDespite(visitor, 'ratelimited', 2);
    await oneMessageDespite(visitor, 'timeout', 1);
    await oneMessageDespite(visitor, 'timeout_after_accept', 1);
  },
};

const slackRefuses: Scenario = {
  name: 'slack-refuses',
  story: 'Slack refuses the channel; whoever runs the bot is alerted, and the finding is stored all the same.',
  async play(visitor) {
    await visitor.fault('slack', 'chat.postMessage', 'channel_not_found', 1);
    const arn = await visitor.makeKey();
    await visitor.settle();
    const alerts = (await visitor.notices()).filter(({ kind, keyArn }) => kind === 'alert' && keyArn === arn);
    visitor.say(`alerts: ${JSON.stringify(alerts.map(({ message }) => message))}`);
    expectSame('one alert', alerts.length, 1);
    expectSame('the finding is stored', await visitor.trail(arn), ['finding-opened']);
  },
};

const unanswered: Scenario = {
  name: 'unanswered',
  story: 'Nobody answers: there is a reminder in the thread, and after two days the finding is escalated.',
  async play(visitor) {
    const arn = await visitor.makeKey();
    await visitor.settle();
    await visitor.advance('5h');
    await visitor.settle();
    expectSame('reminded', await visitor.trail(arn), ['finding-opened', 'reminded']);
    await visitor.advance('44h');
    await visitor.settle();
    expectSame('escalated', (await visitor.trail(arn)).includes('escalated'), true);
    const { replies } = await visitor.messageAbout(arn);
    for (const reply of replies) visitor.say(`in the thread: ${reply.text}`);
    expectSame('the thread has them', replies.length >= 2, true);
    const alerts = (await visitor.notices()).filter(({ keyArn }) => keyArn === arn);
    visitor.say(`alerts: ${JSON.stringify(alerts.map(({ message }) => message))}`);
    expectSame(
      'whoever runs the bot is alerted once',
      alerts.map(({ alert }) => alert),
      ['finding-unanswered'],
    );
  },
};

/** What goes wrong, and what people are told about it. */
export const trouble: readonly Scenario[] = [
  driftLoop,
  accessDenied,
  unreadableKey,
  replica,
  periodTooLong,
  throttled,
  slackTrouble,
  slackRefuses,
  unanswered,
];
