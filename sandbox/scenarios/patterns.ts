import { blocksOf, buttonsOf, wordsOf } from './answers.ts';
import type { Scenario } from './scenario.ts';
import { expectSame, expectText, expectThere } from './surprise.ts';
import { DEV } from './visitor.ts';

const COMMAND = `exempt ${DEV} alias:sandbox-test-*`;

const pattern: Scenario = {
  name: 'pattern-exemption',
  story:
    'Two people exempt all keys of an alias pattern: those that wait are exempt, later ones are not asked about, until it is ended.',
  async play(visitor) {
    const first = await visitor.makeKey({ account: DEV, alias: 'alias/sandbox-test-cache' });
    await visitor.settle();
    const refused = await visitor.command('U0VIEWER', COMMAND);
    expectText('not everybody may', refused.ephemerals[0]?.text ?? '', /you are not among them/);

    const { views } = await visitor.command('U0APPROVER', COMMAND);
    const form = expectThere('a form opens', views[0]);
    expectText('it says what is covered', wordsOf({ text: '', blocks: blocksOf(form.view) }), /sandbox-test-cache/);
    const until = await visitor.day(30);
    const reason = 'Keys of the test stage hold made-up data only';
    await visitor.submit('U0APPROVER', form.id, { owner: 'U0VIEWER', reason, ticket: '', until });
    await visitor.settle();
    const asked = await visitor.patternMessage();
    visitor.say(`Slack: ${asked.text}`);
    expectSame('it waits for a second person', buttonsOf(asked), ['confirm-pattern', 'withdraw-pattern']);
    expectText('nothing has changed', (await visitor.messageAbout(first)).text, /^Key does not rotate/);

    const place = { channel: asked.channel, ts: asked.ts };
    const own = await visitor.clickAt('U0APPROVER', place, 'confirm-pattern');
    expectText('who asked cannot confirm', own.ephemerals[0]?.text ?? '', /second person|somebody else|another/i);
    await visitor.clickAt('U0APPROVER2', place, 'confirm-pattern');
    await visitor.settle();
    visitor.say(`Slack: ${(await visitor.patternMessage()).text}`);
    expectText('what waited is exempt', (await visitor.messageAbout(first)).text, /^Exempt/);
    const second = await visitor.makeKey({ account: DEV, alias: 'alias/sandbox-test-session' });
    const other = await visitor.makeKey({ account: DEV, alias: 'alias/ledger' });
    await visitor.settle();
    expectSame('nobody is asked', await visitor.trail(second), ['finding-opened', 'exemption-granted']);
    expectSame('and the channel has one message less', await visitor.messagesAbout(second), []);
    expectText('others are asked about', (await visitor.messageAbout(other)).text, /^Key does not rotate/);
    const told = (await visitor.directMessages('U0VIEWER')).filter((text) => text.includes(reason));
    expectSame('the owner is told once for all keys', told.length, 1);

    await visitor.clickAt('U0APPROVER', place, 'revoke-pattern');
    await visitor.settle();
    const ended = await visitor.patternMessage();
    visitor.say(`Slack: ${ended.text}`);
    expectSame('no button is left', buttonsOf(ended), []);
    for (const arn of [first, second]) {
      expectText('people are asked again', (await visitor.messageAbout(arn)).text, /^Key does not rotate/);
    }
    const { chain } = await visitor.patternTrail(ended);
    expectSame('its trail is intact', chain.intact, true);
  },
};

/** Many keys by one decision of two people. */
export const patterns: readonly Scenario[] = [pattern];
