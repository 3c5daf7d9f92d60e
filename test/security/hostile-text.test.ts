import { randomUUID } from 'node:crypto';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { digest } from '../../functions/adapters/digest.ts';
import { EMPTY_CHAIN, seal } from '../../functions/domain/audit.ts';
import type { FindingEvent } from '../../functions/domain/finding-events.ts';
import { renderExemptionModal } from '../../functions/messages/exemption-modal.ts';
import { renderFinding } from '../../functions/messages/finding-message.ts';
import { renderOwnerNotice } from '../../functions/messages/owner-notice.ts';
import { refusalSentence } from '../../functions/messages/refusal-sentence.ts';
import { renderReply } from '../../functions/messages/thread-reply.ts';
import { PAYMENTS } from '../../sandbox/scenarios/visitor.ts';
import {
  aKey,
  anActor,
  anOpening,
  aPersonRef,
  aPolicy,
  aProof,
  aTrigger,
  given,
  KEY,
  later,
  someTerms,
} from '../builders.ts';
import { startBot } from './support/bot.ts';
import { liveParts } from './support/inert.ts';

const HOSTILE =
  '<!channel> <!here> <@U0APPROVER> <!subteam^S0SECURITY> <https://evil.example|your bank> \u202e\u2066txet\u2069 ' +
  '\u0000\u0007\u001b[31m\u200b\u00ad\u{e0041} *bold*\r\n> quoted\n```code``` :white_check_mark: Approved &lt;!channel&gt;';
const LONG = HOSTILE.repeat(100).slice(0, 8192);

it('finds what is live, so that finding nothing means something', () => {
  const live = {
    text: 'for <!channel>',
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: '<@U0APPROVER>' } },
      { type: 'header', text: { type: 'plain_text', text: 'a\u202eb' } },
      { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'link', url: 'https://x' }] }] },
    ],
  };
  expect(liveParts(live)).toHaveLength(4);
});

describe('hostile text in an event, a key, a name or a form', () => {
  const at = later({ hours: 1 });
  const person = aPersonRef({ name: HOSTILE, userId: HOSTILE, email: HOSTILE });
  const facts = aKey({ aliases: [HOSTILE, LONG], description: LONG, tags: [{ key: HOSTILE, value: LONG }] });
  const actor = anActor({ type: HOSTILE, name: LONG, arn: HOSTILE, email: HOSTILE, invokedBy: HOSTILE });
  const trigger = aTrigger({ actor, tool: HOSTILE, sourceIp: HOSTILE, eventName: 'DisableKeyRotation' });
  const remedy = { id: 'enable-rotation' as const, rotationPeriodInDays: 365 };
  const terms = someTerms({ owner: person, reason: LONG, ticket: HOSTILE });
  const exemption = { ...terms, grantedBy: person, grantedAt: at, remindedDays: [] };
  const opened = anOpening({ facts, trigger });
  const openedAgain = anOpening({ facts, trigger, episode: 2 });
  const approved: FindingEvent = {
    ...{ type: 'remediation-approved', at, remedy },
    approval: { by: { kind: 'person', person }, at },
  };
  const remediated: FindingEvent = { type: 'remediated', at, remedy, proof: aProof(), kmsRequestId: HOSTILE };
  const failed = (failure: Extract<FindingEvent, { type: 'remediation-failed' }>['failure']): FindingEvent => ({
    ...{ type: 'remediation-failed', at, failure, kmsRequestId: HOSTILE },
  });
  const denied = { because: 'access-denied' as const, operation: HOSTILE, deniedBy: 'key-policy' as const };

  const stories: Record<string, [FindingEvent, ...FindingEvent[]]> = {
    'denied reading': [
      anOpening({ facts, trigger, assessment: { verdict: 'unknown', reason: { ...denied, principal: HOSTILE } } }),
      { type: 'rechecked', at, by: person, assessment: { verdict: 'rotation-off' } },
      { type: 'reminded', at, reminder: 1 },
      { type: 'escalated', at },
    ],
    'unknown words of KMS': [
      anOpening({
        ...{ facts, trigger },
        assessment: { verdict: 'unknown', reason: { because: 'unrecognised-key-state', keyState: HOSTILE } },
      }),
    ],
    'drift loop': [opened, approved, remediated, openedAgain],
    'refused by KMS': [opened, approved, failed({ because: 'kms-refused', operation: HOSTILE, code: HOSTILE })],
    'denied the change': [
      opened,
      approved,
      failed({ because: 'policy-denies', operation: HOSTILE, deniedBy: 'unspecified', principal: HOSTILE }),
    ],
    'not confirmed': [opened, approved, failed({ because: 'not-confirmed', expected: HOSTILE, lastRead: HOSTILE })],
    'asked for': [
      opened,
      {
        ...{ type: 'confirmation-requested', at },
        request: { action: 'exempt', by: person, at, terms, because: 'route-asks', lapsesAt: later({ days: 1 }) },
      },
      { type: 'request-withdrawn', at, by: person },
    ],
    'exempt and renewed': [
      opened,
      { type: 'exemption-granted', at, exemption },
      { type: 'exemption-renewed', at, exemption, by: person },
      { type: 'exemption-reminded', at, daysLeft: 7, owner: person },
      { type: 'exemption-shortened', at, by: person, until: later({ days: 2 }), owner: person },
      { type: 'exemption-end-accepted', at, by: person },
      { type: 'exemption-revoked', at, by: person },
    ],
    'backed out': [
      opened,
      approved,
      remediated,
      {
        ...{ type: 'back-out-approved', at, remedy: { id: 'disable-rotation' }, thenExempt: exemption },
        approval: { by: { kind: 'person', person }, at },
      },
      {
        ...{ type: 'backed-out', at, exemption, kmsRequestId: HOSTILE },
        proof: aProof({ rotationEnabled: false, rotationPeriodInDays: null, nextRotationAt: null }),
      },
    ],
    'closed by somebody': [
      opened,
      { type: 'finding-closed', at, trigger, closing: { because: 'not-applicable', reason: 'disabled', by: LONG } },
    ],
  };

  it.each(Object.entries(stories))('is only shown by the messages: %s', (_, events) => {
    const policy = aPolicy();
    const context = { policy, now: at };
    const { records } = seal(
      EMPTY_CHAIN,
      events,
      { cause: { kind: 'slack', id: 'request' }, policyVersion: 'v1', newId: randomUUID },
      digest,
    );
    for (const [index, record] of records.entries()) {
      const [first, ...rest] = events;
      const finding = given([first, ...rest.slice(0, index)]);
      const ref = { key: KEY.arn, episode: finding.episode };
      const shown = {
        message: renderFinding(finding, context),
        reply: renderReply(record, { ...context, finding }),
        notice: renderOwnerNotice(record, { ...context, finding, link: null })?.blocks,
        forms: (['exempt', 'renew-exemption', 'back-out', 'shorten-exemption'] as const).map((purpose) =>
          renderExemptionModal({ finding, purpose, ref, fourEyes: null, ...context }),
        ),
      };
      expect(liveParts(shown)).toEqual([]);
    }
  });

  it('is only shown by the sentence for a late click', () => {
    const sentence = refusalSentence({ reason: 'already-decided', status: 'approved', by: HOSTILE, at });
    expect(liveParts({ text: sentence })).toEqual([]);
  });

  it('is only shown when it comes by the real way', async () => {
    // The simulated SQS refuses characters beyond U+FFFF, which the real one takes.
    const description = LONG.replace(/[\u{10000}-\u{10ffff}]/gu, '');
    const bot = await startBot();
    const kms = new KMSClient({
      ...{ endpoint: bot.sandbox.awsUrl, region: 'eu-central-1' },
      credentials: { accessKeyId: PAYMENTS, secretAccessKey: 'any' },
      customUserAgent: '<!channel>',
    });
    try {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: description }));
      const arn = KeyMetadata?.Arn ?? '';
      await bot.visitor.settle();
      const opened = await bot.visitor.messageAbout(arn);
      expect(JSON.stringify(opened)).toContain('your bank');
      const until = await bot.visitor.day(20);
      const form = { user: 'U0APPROVER', arn, actionId: 'exempt' };
      await bot.visitor.fillIn(form, {
        owner: 'U0APPROVER',
        reason: description.slice(0, 900),
        ticket: description.slice(0, 150),
        until,
      });
      await bot.visitor.settle();
      const requested = await bot.visitor.messageAbout(arn);
      expect(JSON.stringify(requested)).toContain('Confirm exemption');
      expect(liveParts(requested.blocks)).toEqual([]);
      // An access key names nobody, so that it takes two.
      await bot.visitor.click('U0APPROVER2', arn, 'confirm-request');
      await bot.visitor.settle();
      const { views } = await bot.visitor.click('U0APPROVER', arn, 'renew-exemption');
      const message = await bot.visitor.messageAbout(arn);
      expect(message.text).toMatch(/^Exempt/);
      expect(message.replies.length).toBeGreaterThan(0);
      const { blocks, text, replies } = message;
      const shown = [...replies, { blocks, text }].map((part) => ({ text: part.text, blocks: part.blocks }));
      expect(liveParts(opened.blocks)).toEqual([]);
      expect(liveParts({ shown, forms: views.map(({ view }) => view) })).toEqual([]);
    } finally {
      kms.destroy();
      await bot.stop();
    }
  }, 60_000);
});
