import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Scenario } from './scenario.ts';
import { expectSame } from './surprise.ts';

const openedBy = z.object({ trigger: z.object({ eventId: z.string(), at: z.string() }) });

/** A CreateKey event as EventBridge delivers it, with what the bot reads of it. */
function creationEvent(arn: string, eventID: string, at: string): object {
  const [, , , region = '', account = ''] = arn.split(':');
  return {
    ...{ version: '0', id: randomUUID(), source: 'aws.kms', account, region, time: at, resources: [] },
    'detail-type': 'AWS API Call via CloudTrail',
    detail: {
      ...{ eventVersion: '1.11', eventID, eventName: 'CreateKey', eventSource: 'kms.amazonaws.com' },
      ...{ eventTime: at, awsRegion: region, recipientAccountId: account },
      userIdentity: { type: 'AWSService', invokedBy: 'sandbox.example' },
      responseElements: { keyMetadata: { arn } },
    },
  };
}

const replayedEvent: Scenario = {
  name: 'replayed-event',
  story: 'The event that opened a finding is delivered again, weeks later: nothing is appended. A new event counts.',
  async play(visitor) {
    const arn = await visitor.makeKey();
    await visitor.settle();
    const { events } = await visitor.audit(arn);
    const { eventId, at } = openedBy.parse(events[0]?.event).trigger;
    await visitor.click('U0APPROVER', arn, 'approve');
    await visitor.settle();
    // What a second look would find is different now, so only the event's id can be why nothing happens.
    await visitor.act(arn, 'lock-out-bot');
    const before = await visitor.trail(arn);
    await visitor.sendToQueue('kms-key-creations', creationEvent(arn, eventId, at));
    await visitor.settle();
    visitor.say(`the event ${eventId} was delivered again`);
    expectSame('nothing is appended', await visitor.trail(arn), before);
    await visitor.sendToQueue('kms-key-creations', creationEvent(arn, randomUUID(), at));
    await visitor.settle();
    expectSame('another event is', (await visitor.trail(arn)).at(-1), 'finding-opened');
    await visitor.act(arn, 'let-bot-in');
  },
};

/** Deliveries that come more than once. */
export const redelivery: readonly Scenario[] = [replayedEvent];
