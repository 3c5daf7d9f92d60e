import { readdirSync, readFileSync } from 'node:fs';
import {
  KEY_EVENTS,
  type KeyEventName,
  KeyNotNamed,
  KMS_EVENT_PATTERN,
  parseKeyEvent,
  QUEUE_EVENT_PATTERNS,
} from '../../../functions/contracts/kms-event.ts';
import { matches } from '../../../sandbox/aws/event-bridge.ts';

const FOLDER = new URL('../../fixtures/', import.meta.url);

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
}

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const MULTI_REGION_ID = 'key/mrk-1234abcd12ab34cd56ef1234567890ab';
const KEY_ID = 'key/1234abcd-12ab-34cd-56ef-1234567890ab';

type Expected = { eventName: KeyEventName; arn?: string; who?: string; tool?: string; errorCode?: string };

/** What every captured event says. The names of the fixtures say what is special about each. */
const EVENTS: Record<string, Expected> = {
  'create-key-terraform': { eventName: 'CreateKey', who: 'infrastructure/terraform-20260302', tool: 'Terraform' },
  'create-key-cloudformation': {
    ...{ eventName: 'CreateKey', who: 'deployment/AWSCloudFormation', tool: 'AWS CloudFormation' },
  },
  'create-key-root': { eventName: 'CreateKey', who: 'root of 111122223333', tool: 'AWS Management Console' },
  'create-key-service': { eventName: 'CreateKey', who: 'backup.amazonaws.com', tool: 'backup.amazonaws.com' },
  'disable-key-rotation-identity-center': {
    eventName: 'DisableKeyRotation',
    ...{ who: 'jane.doe@corp.example (AdministratorAccess)', tool: 'AWS Management Console' },
  },
  'disable-key-rotation-bare-id': { eventName: 'DisableKeyRotation' },
  'disable-key-rotation-denied': { eventName: 'DisableKeyRotation', errorCode: 'AccessDenied' },
  'disable-key-rotation-gov': {
    ...{ eventName: 'DisableKeyRotation', arn: `arn:aws-us-gov:kms:us-gov-west-1:111122223333:${KEY_ID}` },
  },
  'import-key-material': { eventName: 'ImportKeyMaterial' },
  'enable-key-rotation': { eventName: 'EnableKeyRotation', tool: 'AWS SDK for Python' },
  'enable-key': { eventName: 'EnableKey' },
  'disable-key': { eventName: 'DisableKey' },
  'schedule-key-deletion': { eventName: 'ScheduleKeyDeletion' },
  'cancel-key-deletion': { eventName: 'CancelKeyDeletion' },
  'replicate-key': { eventName: 'ReplicateKey', arn: `arn:aws:kms:eu-central-1:111122223333:${MULTI_REGION_ID}` },
  'update-primary-region-old': {
    ...{ eventName: 'UpdatePrimaryRegion', arn: `arn:aws:kms:eu-central-1:111122223333:${MULTI_REGION_ID}` },
  },
  'update-primary-region-new': {
    ...{ eventName: 'UpdatePrimaryRegion', arn: `arn:aws:kms:eu-west-1:111122223333:${MULTI_REGION_ID}` },
    tool: 'kms.amazonaws.com',
  },
  'update-primary-region-new-bare-id': {
    ...{ eventName: 'UpdatePrimaryRegion', arn: `arn:aws:kms:eu-west-1:111122223333:${MULTI_REGION_ID}` },
    tool: 'kms.amazonaws.com',
  },
  'rotate-key-on-demand': { eventName: 'RotateKeyOnDemand', tool: 'AWS SDK for JavaScript' },
  'delete-imported-key-material': { eventName: 'DeleteImportedKeyMaterial' },
  'tag-resource-china': { eventName: 'TagResource', arn: `arn:aws-cn:kms:cn-north-1:111122223333:${KEY_ID}` },
  'untag-resource-lower-case-arn': { eventName: 'UntagResource' },
  'kms-cmk-rotation': { eventName: 'KMS CMK Rotation' },
  'kms-cmk-rotation-key-id-only': { eventName: 'KMS CMK Rotation' },
  'kms-imported-key-material-expiration': { eventName: 'KMS Imported Key Material Expiration' },
};

/** Events of KMS that are none of the bot's business. */
const OTHERS = ['kms-cmk-deletion', 'describe-key', 'rotate-key-service-event'];

const events = Object.entries(EVENTS).map(([name, expected]) => ({ name, ...expected }));

describe('the captured events', () => {
  it('are all of those that are there', () => {
    const files = readdirSync(FOLDER).map((file) => file.replace('.json', ''));
    expect(files.sort()).toEqual([...Object.keys(EVENTS), ...OTHERS].sort());
  });

  it('have one of every name', () => {
    expect(new Set(events.map(({ eventName }) => eventName))).toEqual(new Set(KEY_EVENTS));
  });
});

describe('parseKeyEvent', () => {
  test.each(events)(
    '$name: which key, and that it was $eventName',
    ({ name, eventName, arn = KEY, errorCode = null }) => {
      const event = parseKeyEvent(fixture(name));
      expect(event).toMatchObject({ eventName, key: { arn }, errorCode, at: '2026-03-02T09:00:00.000Z' });
      expect(event.trigger).toMatchObject({ eventName, eventId: event.eventId, at: event.at });
    },
  );

  test.each(events.filter(({ eventName }) => !eventName.startsWith('KMS')))(
    '$name: who did it, and with what',
    ({ name, who = 'deployer', tool = 'AWS CLI' }) => {
      expect(parseKeyEvent(fixture(name)).trigger).toMatchObject({ kind: 'cloudtrail', actor: { name: who }, tool });
    },
  );

  it("is known by CloudTrail's eventID, which is the same however often the event is delivered", () => {
    const first = fixture('create-key-terraform');
    const again = changed('create-key-terraform', { id: 'another-delivery' });
    expect(parseKeyEvent(again).eventId).toBe(parseKeyEvent(first).eventId);
  });

  it('tells the two records of UpdatePrimaryRegion apart', () => {
    const [first, second] = ['update-primary-region-old', 'update-primary-region-new'].map((name) =>
      parseKeyEvent(fixture(name)),
    );
    expect(first?.eventId).not.toBe(second?.eventId);
  });

  it('has the e-mail address of an IAM Identity Center session, and only of one that has one', () => {
    expect(parseKeyEvent(fixture('disable-key-rotation-identity-center')).trigger).toMatchObject({
      actor: { type: 'AssumedRole', email: 'jane.doe@corp.example', accountId: '111122223333' },
    });
    expect(parseKeyEvent(fixture('create-key-terraform')).trigger).toMatchObject({ actor: { email: null } });
  });

  it('keeps apart who asked and which service did it for them', () => {
    expect(parseKeyEvent(fixture('create-key-cloudformation')).trigger).toMatchObject({
      actor: { name: 'deployment/AWSCloudFormation', invokedBy: 'cloudformation.amazonaws.com' },
    });
    expect(parseKeyEvent(fixture('create-key-service')).trigger).toMatchObject({
      actor: { type: 'AWSService', arn: null, accountId: null, invokedBy: 'backup.amazonaws.com' },
    });
  });

  it("has no culprit for KMS's own events", () => {
    const { trigger } = parseKeyEvent(fixture('kms-cmk-rotation'));
    expect(Object.keys(trigger).sort()).toEqual(['at', 'eventId', 'eventName', 'kind']);
  });
});

describe('who did it', () => {
  const role = { type: 'AssumedRole', arn: 'arn:aws:sts::111122223333:assumed-role/deploy/run-7' };

  test.each<[string, object, string]>([
    ['a role without its session issuer', role, 'deploy/run-7'],
    ['a role of which only the principal is told', { type: 'AssumedRole', principalId: 'AROA:run-7' }, 'AROA:run-7'],
    [
      'an IAM user without a name',
      { type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/x' },
      'arn:aws:iam::111122223333:user/x',
    ],
    ['a federated user', { type: 'FederatedUser', principalId: '111122223333:fed' }, '111122223333:fed'],
    ['a SAML user', { type: 'SAMLUser', userName: 'saml-user' }, 'saml-user'],
    ['root of an account not told', { type: 'Root' }, 'root of the account'],
    ['an identity without a type', { accountId: '111122223333', invokedBy: 'AWS Internal' }, 'AWS Internal'],
    ['an identity of which nothing is told', {}, 'unknown identity'],
  ])('%s', (_, userIdentity, name) => {
    const event = changed('disable-key', {}, { userIdentity });
    expect(parseKeyEvent(event).trigger).toMatchObject({ actor: { name } });
  });
});

describe('which tool it was', () => {
  test.each<[string, object, string]>([
    ['OpenTofu', { userAgent: 'APN/1.0 HashiCorp/1.0 OpenTofu/1.8.0 aws-sdk-go-v2/1.30' }, 'OpenTofu'],
    ['Go', { userAgent: 'aws-sdk-go-v2/1.30.4 ua/2.0' }, 'AWS SDK for Go'],
    ['Java', { userAgent: 'aws-sdk-java/2.27.0' }, 'AWS SDK for Java'],
    ['another', { userAgent: 'in-house/1.0' }, 'in-house/1.0'],
    [
      'the console by its credentials',
      { userAgent: 'x', sessionCredentialFromConsole: 'true' },
      'AWS Management Console',
    ],
    ['none told', { userAgent: null }, 'unknown tool'],
    ['an empty one', { userAgent: '' }, 'unknown tool'],
  ])('%s', (_, detail, tool) => {
    expect(parseKeyEvent(changed('disable-key', {}, detail)).trigger).toMatchObject({ tool });
  });
});

describe('an event that cannot be read', () => {
  it.each<[string, object, object, string]>([
    ['another source', { source: 'aws.s3' }, {}, 'source'],
    ['another detail-type', { 'detail-type': 'Scheduled Event' }, {}, 'detail-type'],
    ['an account that is none', { account: '1' }, {}, 'account'],
    ['another eventName', {}, { eventName: 'Decrypt' }, 'eventName'],
    ['another eventSource', {}, { eventSource: 's3.amazonaws.com' }, 'eventSource'],
    ['another format', {}, { eventVersion: '2.0' }, 'only major version 1 of the CloudTrail record format is known'],
    ['no eventID', {}, { eventID: undefined }, 'eventID'],
    ['a time that is none', {}, { eventTime: 'yesterday' }, 'eventTime'],
    ['a time before the year 0 in UTC', {}, { eventTime: '0000-01-01T00:00:00+01:00' }, 'a year from 0000 to 9999'],
    ['a time after the year 9999 in UTC', {}, { eventTime: '9999-12-31T23:59:59-01:00' }, 'a year from 0000 to 9999'],
    ['no identity', {}, { userIdentity: null }, 'userIdentity'],
  ])('names the fault: %s', (_, envelope, detail, fault) => {
    expect(() => parseKeyEvent(changed('disable-key', envelope, detail))).toThrow(fault);
  });

  it.each([null, undefined, 'text', [], {}])('%j is none', (event) => {
    expect(() => parseKeyEvent(event)).toThrow(/invalid/i);
  });

  it('says when no key is named', () => {
    const nothing = { requestParameters: null, responseElements: null, resources: null };
    expect(() => parseKeyEvent(changed('disable-key', {}, nothing))).toThrow(KeyNotNamed);
  });

  it.each(['alias/payments', 'not a key'])('says when what is named is no key: %s', (keyId) => {
    const named = { requestParameters: { keyId }, responseElements: null, resources: null };
    expect(() => parseKeyEvent(changed('disable-key', {}, named))).toThrow(KeyNotNamed);
  });
});

describe('a session name of outside', () => {
  it.each<[string, string, string | null]>([
    ['an address', 'owner@corp.example', 'owner@corp.example'],
    ['the longest address', `${'a'.repeat(241)}@corp.example`, `${'a'.repeat(241)}@corp.example`],
    ['longer than any address', `${'a'.repeat(242)}@corp.example`, null],
    ['what would make the search for an address take minutes', `a@${'.'.repeat(200_000)}@`, null],
  ])('is an e-mail address or not: %s', (_, session, email) => {
    const arn = `arn:aws:sts::111122223333:assumed-role/deployer/${session}`;
    const event = changed('disable-key', {}, { userIdentity: { type: 'AssumedRole', arn } });
    expect(parseKeyEvent(event).trigger).toMatchObject({ actor: { email } });
  });
});

describe('the event pattern', () => {
  test.each(events.filter(({ errorCode }) => errorCode === undefined))('lets $name through', ({ name }) => {
    expect(matches(KMS_EVENT_PATTERN, fixture(name))).toBe(true);
  });

  test.each(events.filter(({ errorCode }) => errorCode === undefined))('gives $name to one queue', ({ name }) => {
    const { creations, changes } = QUEUE_EVENT_PATTERNS;
    const isCreation = name.startsWith('create-key');
    expect(matches(creations, fixture(name))).toBe(isCreation);
    expect(matches(changes, fixture(name))).toBe(!isCreation);
  });

  test.each([...OTHERS, 'disable-key-rotation-denied'])('gives %s to no queue', (name) => {
    const { creations, changes } = QUEUE_EVENT_PATTERNS;
    expect([matches(creations, fixture(name)), matches(changes, fixture(name))]).toEqual([false, false]);
  });

  test.each([...OTHERS, 'disable-key-rotation-denied'])('keeps %s out', (name) => {
    expect(matches(KMS_EVENT_PATTERN, fixture(name))).toBe(false);
  });

  it('keeps out what is not of KMS', () => {
    expect(matches(KMS_EVENT_PATTERN, changed('disable-key', { source: 'aws.s3' }))).toBe(false);
    expect(matches(KMS_EVENT_PATTERN, changed('disable-key', {}, { eventSource: 's3.amazonaws.com' }))).toBe(false);
  });
});

/** A captured event with fields of the envelope and of the record replaced; as JSON, like on the wire. */
function changed(name: string, envelope: object, detail: object = {}): unknown {
  const event = fixture(name);
  if (typeof event !== 'object' || event === null || !('detail' in event)) throw new Error(`${name} is no event`);
  const record = event.detail;
  if (typeof record !== 'object') throw new Error(`${name} has no record`);
  return JSON.parse(JSON.stringify({ ...event, ...envelope, detail: { ...record, ...detail } }));
}
