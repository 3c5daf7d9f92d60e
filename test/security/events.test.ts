import { randomUUID } from 'node:crypto';
import { createKeyReader } from '../../functions/adapters/kms.ts';
import { parseKeyEvent } from '../../functions/contracts/kms-event.ts';
import { detectFinding } from '../../functions/detect-finding/detect-finding.ts';
import { parseKeyArn } from '../../functions/domain/key.ts';
import { PAYMENTS } from '../../sandbox/scenarios/visitor.ts';
import { READ_ROLE } from '../../sandbox/world.ts';
import { aPolicy, KEY } from '../builders.ts';
import { type Bot, startBot } from './support/bot.ts';

let bot: Bot;
beforeAll(async () => {
  bot = await startBot();
}, 30_000);
afterAll(() => bot.stop(), 30_000);

type Forgery = { account?: string; region?: string; eventName?: string; who?: object; id?: string };

/** An event as EventBridge delivers it, saying whatever its author likes about a key. */
function forged(arn: string, { account, region, eventName = 'DisableKeyRotation', who, id }: Forgery = {}): object {
  const [, , , regionOfKey = '', accountOfKey = ''] = arn.split(':');
  const at = new Date().toISOString();
  const place = { account: account ?? accountOfKey, region: region ?? regionOfKey };
  return {
    ...{ version: '0', id: randomUUID(), source: 'aws.kms', ...place, time: at, resources: [] },
    'detail-type': 'AWS API Call via CloudTrail',
    detail: {
      ...{ eventVersion: '1.11', eventID: id ?? randomUUID(), eventName, eventSource: 'kms.amazonaws.com' },
      ...{ eventTime: at, awsRegion: place.region, recipientAccountId: place.account },
      userIdentity: who ?? { type: 'AWSService', invokedBy: 'forged.example' },
      requestParameters: { keyId: arn },
      resources: [{ ARN: arn }],
    },
  };
}

it('forged event about a key that rotates', async () => {
  const arn = await bot.visitor.makeKey({ as: 'terraform' });
  await bot.visitor.act(arn, 'enable-rotation');
  await bot.visitor.settle();
  const before = await bot.visitor.trail(arn);
  for (const eventName of ['DisableKeyRotation', 'CreateKey', 'ImportKeyMaterial']) {
    await bot.visitor.sendToQueue('kms-key-changes', forged(arn, { eventName }));
  }
  await bot.visitor.settle();
  expect(await bot.visitor.trail(arn)).toEqual(before);
  expect((await bot.visitor.rotationOf(arn)).enabled).toBe(true);
}, 30_000);

it('forged event about a key of a foreign account', async () => {
  const foreign = 'arn:aws:kms:eu-central-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const touched = () => {
    throw new Error('nobody may look at this key, and no role may be asked for');
  };
  const deps = {
    now: () => new Date(),
    loadPolicy: () => Promise.resolve({ policy: aPolicy() }),
    ...{ loadFinding: touched, observeKey: touched, carryOut: touched, patternsOf: touched },
  };
  const fromMember = forged(foreign, { account: PAYMENTS });
  await expect(detectFinding(fromMember, deps)).rejects.toThrow('of account 444455556666 names arn:aws:kms');
  const kmsEvent = {
    ...{ version: '0', id: randomUUID(), source: 'aws.kms', account: PAYMENTS, region: 'eu-central-1' },
    ...{ time: new Date().toISOString(), resources: [foreign], 'detail-type': 'KMS CMK Rotation' },
    detail: { 'key-id': KEY.keyId },
  };
  await expect(detectFinding(kmsEvent, deps)).rejects.toThrow('names arn:aws:kms');
});

it('forged event whose ARN is none', () => {
  const arns = [
    'arn:aws:kms:evil.example/?:444455556666:key/1234abcd',
    'arn:aws:kms:eu-central-1@evil.example:444455556666:key/1234abcd',
    'arn:aws:kms:eu-central-1:444455556666:key/../../x',
    'arn:aws:iam:eu-central-1:444455556666:key/1234abcd',
    'arn:aws:kms:eu-central-1:444455556666:alias/x',
    '../1234abcd',
  ];
  for (const arn of arns) {
    expect(() => parseKeyEvent(forged(arn, { account: PAYMENTS, region: 'eu-central-1' }))).toThrow('is not the ARN');
  }
  const hostileRegion = forged('1234abcd', { account: PAYMENTS, region: 'evil.example/' });
  expect(() => parseKeyEvent(hostileRegion)).toThrow('is not the ARN');
});

it('replayed event', async () => {
  const arn = await bot.openFinding();
  const id = randomUUID();
  const genuine = forged(arn, { id, eventName: 'EnableKeyRotation' });
  await bot.visitor.act(arn, 'lock-out-bot');
  await bot.visitor.sendToQueue('kms-key-changes', genuine);
  await bot.visitor.settle();
  const before = await bot.visitor.trail(arn);
  expect(before.at(-1)).toBe('finding-reassessed');
  await bot.visitor.act(arn, 'let-bot-in');
  await bot.visitor.sendToQueue('kms-key-changes', genuine);
  await bot.visitor.settle();
  expect(await bot.visitor.trail(arn)).toEqual(before);
}, 30_000);

it('key policy that shuts the bot out', async () => {
  const arn = await bot.visitor.makeKey();
  await bot.visitor.act(arn, 'lock-out-bot');
  await bot.visitor.settle();
  const { text } = await bot.visitor.messageAbout(arn);
  expect(text).toMatch(/^Key rotation cannot be checked/);
  await bot.visitor.act(arn, 'let-bot-in');
}, 30_000);

it('confused deputy in AssumeRole', async () => {
  const arn = await bot.visitor.makeKey({ account: PAYMENTS, as: 'terraform' });
  const key = parseKeyArn(arn);
  if (key === null) throw new Error(`${arn} is no key`);
  const access = { roleName: READ_ROLE, sessionName: 'test', stsRegion: 'eu-central-1' };
  const ours = createKeyReader({ ...access, externalId: process.env['EXTERNAL_ID'] ?? '' });
  const others = createKeyReader({ ...access, externalId: 'of-somebody-else' });
  expect((await ours.observeKey(key)).seen).toBe('key');
  expect(await others.observeKey(key)).toEqual({
    ...{ seen: 'refusal', facts: null },
    reason: {
      ...{ because: 'access-denied', operation: 'sts:AssumeRole', deniedBy: 'unspecified' },
      principal: `arn:aws:iam::${PAYMENTS}:role/${READ_ROLE}`,
    },
  });
  await bot.visitor.settle();
}, 30_000);
