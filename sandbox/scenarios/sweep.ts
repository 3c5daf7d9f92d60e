import { wordsOf } from './answers.ts';
import type { Scenario } from './scenario.ts';
import { expectSame, expectText } from './surprise.ts';
import { PAYMENTS } from './visitor.ts';

/** Longer than the grace of a key that was just made. */
const OLD = '1h';

const keysBeforeTheBot: Scenario = {
  name: 'keys-before-the-bot',
  story: 'Keys that are older than the bot, in every account and Region, are found by the sweep and asked about once.',
  async play(visitor) {
    const off = await visitor.makeKey({ account: PAYMENTS, region: 'us-east-1', unheard: true });
    const rsa = await visitor.makeKey({ kind: 'rsa', unheard: true });
    await visitor.advance(OLD);
    const { failedPlaces } = await visitor.sweep();
    expectSame('every place was swept', failedPlaces, []);
    await visitor.settle();
    const message = await visitor.messageAbout(off);
    visitor.say(`Slack: ${message.text}`);
    expectText('people are asked', message.text, /^Key does not rotate/);
    expectText('and told how it came up', wordsOf(message), /found by the sweep/);
    expectSame('a key that cannot rotate is not asked about', (await visitor.messagesAbout(rsa)).length, 0);
    expectSame('a second sweep changes nothing', (await visitor.sweep()).changed, 0);
    await visitor.click('U0APPROVER', off, 'approve');
    await visitor.settle();
    expectSame('rotation is on', (await visitor.rotationOf(off)).enabled, true);
  },
};

/** Keys of which no event ever came. */
export const sweep: readonly Scenario[] = [keysBeforeTheBot];
