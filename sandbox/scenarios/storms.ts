import { blocksOf, buttonsOf, rowWith, wordsOf } from './answers.ts';
import type { Scenario } from './scenario.ts';
import { expectSame, expectText, expectThere } from './surprise.ts';

const KEYS = 32;
/** The sandbox's policy has the default threshold. */
const OWN_MESSAGES = 20;

const storm: Scenario = {
  name: 'storm',
  story:
    'Many keys at once: what is over the threshold becomes one message, is looked through in a list, and approved.',
  async play(visitor) {
    // Begins with a minute in which nobody else's findings count, and in which all of its own fit: two minutes would
    // have messages of their own each.
    const now = new Date(await visitor.advance('15m'));
    await visitor.advance(`${60 - now.getUTCSeconds()}s`);
    const arns = await Promise.all(
      Array.from({ length: KEYS }, (_, index) =>
        visitor.makeKey({ alias: `alias/storm-${index}`, tags: index % 8 === 0 ? { environment: 'prod' } : {} }),
      ),
    );
    await visitor.settle();
    // Slack shows a digest at most every ten seconds; what came later is made up for by the clock.
    await visitor.advance('1m');
    await visitor.settle();
    const owners = await Promise.all(arns.map((arn) => visitor.messagesAbout(arn)));
    const inDigest = arns.filter((_, index) => owners[index]?.length === 0);
    const n = inDigest.length;
    visitor.say(`${KEYS - n} of ${KEYS} findings have messages of their own`);
    expectSame('no more than the threshold', KEYS - n <= OWN_MESSAGES, true);
    const shown = await visitor.digest();
    visitor.say(`Slack: ${shown.text}`);
    expectText('the rest is in one', shown.text, new RegExp(`^${n} findings at once: ${n} wait for a decision`));
    expectSame('it asks', buttonsOf(shown), ['review-digest', 'approve-all']);

    const place = { channel: shown.channel, ts: shown.ts };
    const refused = await visitor.clickAt('U0VIEWER', place, 'approve-all');
    expectText('not everybody may', refused.ephemerals[0]?.text ?? '', /not an approver/);
    const { views } = await visitor.clickAt('U0APPROVER', place, 'review-digest');
    const { id: viewId, view } = expectThere('a list opens', views[0]);
    const blockId = expectThere('a row can be approved', rowWith('approve', blocksOf(view)));
    await visitor.clickAt('U0APPROVER', { viewId, blockId }, 'approve');
    const list = await visitor.viewOf(viewId);
    expectText('the list shows it', wordsOf({ text: '', blocks: blocksOf(list) }), /Approved/);

    const { ephemerals } = await visitor.clickAt('U0APPROVER2', place, 'approve-all');
    expectText('it is under way', ephemerals[0]?.text ?? '', new RegExp(`^Approving all ${n} keys`));
    await visitor.settle();
    await visitor.advance('1m');
    await visitor.settle();
    const done = await visitor.digest();
    visitor.say(`Slack: ${done.text}`);
    expectText('all are decided', done.text, new RegExp(`^${n} findings, all decided`));
    expectSame('no button is left', buttonsOf(done), []);
    const trails = await Promise.all(inDigest.map((arn) => visitor.trail(arn)));
    const approvals = trails.map((trail) => trail.filter((type) => type === 'remediation-approved').length);
    expectSame(
      'each key has one decision of its own',
      approvals,
      inDigest.map(() => 1),
    );
    expectSame(
      'each key rotates',
      trails.every((trail) => trail.at(-1) === 'remediated'),
      true,
    );
  },
};

/** Many findings at once. */
export const storms: readonly Scenario[] = [storm];
