import { randomBytes } from 'node:crypto';
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  type ImportKeyMaterialCommandInput,
  KMSClient,
} from '@aws-sdk/client-kms';
import type { CloudTrailRecord, EventBridgeEvent } from '../../../sandbox/aws/cloudtrail.ts';
import { createFaults, type Faults } from '../../../sandbox/aws/faults.ts';
import { startGateway } from '../../../sandbox/aws/gateway.ts';
import { createKms, type Kms, type KmsOptions } from '../../../sandbox/aws/kms/kms.ts';
import { createSecretsManager, type SecretsManager } from '../../../sandbox/aws/secrets-manager.ts';
import { createSts, type StsOptions } from '../../../sandbox/aws/sts.ts';
import { installClock, type SandboxClock } from '../../../sandbox/clock.ts';
import type { Region } from '../../../sandbox/world.ts';

export const DEV_ACCOUNT = '123456789012';
export const PROD_ACCOUNT = '444455556666';

export const SECOND = 1000;
export const DAY = 24 * 60 * 60 * SECOND;

/** A running AWS endpoint with a KMS behind it, and everything that it let out. */
export type AwsFixture = {
  url: string;
  kms: Kms;
  secrets: SecretsManager;
  faults: Faults;
  clock: SandboxClock;
  records: CloudTrailRecord[];
  events: EventBridgeEvent[];
  /** A real SDK client of that account; it tries each call once. */
  client: (account?: string, region?: Region) => KMSClient;
  stop: () => Promise<void>;
};

export async function startAws(options: { kms?: Partial<KmsOptions>; sts?: StsOptions } = {}): Promise<AwsFixture> {
  const clock = installClock();
  const records: CloudTrailRecord[] = [];
  const events: EventBridgeEvent[] = [];
  const faults = createFaults();
  const kms = createKms({
    emit: (record) => {
      records.push(record);
    },
    emitServiceEvent: (event) => {
      events.push(event);
    },
    ...options.kms,
  });
  const secrets = createSecretsManager();
  const gateway = await startGateway({
    port: 0,
    kms,
    secrets,
    sts: createSts(options.sts),
    faults,
    upstreams: { dynamodb: 'http://127.0.0.1:1', queues: 'http://127.0.0.1:1' },
    control: (request) => Promise.resolve({ status: 200, body: { path: request.path, body: request.body } }),
  });
  const clients = new Map<string, KMSClient>();
  return {
    url: gateway.url,
    kms,
    secrets,
    faults,
    clock,
    records,
    events,
    client(account = DEV_ACCOUNT, region = 'eu-central-1') {
      const known = clients.get(account + region);
      if (known !== undefined) return known;
      const made = new KMSClient({
        endpoint: gateway.url,
        region,
        credentials: { accessKeyId: account, secretAccessKey: 'any' },
        maxAttempts: 1,
      });
      clients.set(account + region, made);
      return made;
    },
    async stop() {
      for (const client of clients.values()) client.destroy();
      await gateway.close();
      clock.uninstall();
    },
  };
}

export type MadeKey = { id: string; arn: string };

export async function makeKey(client: KMSClient, input: CreateKeyCommandInput = {}): Promise<MadeKey> {
  const { KeyMetadata } = await client.send(new CreateKeyCommand(input));
  if (KeyMetadata?.KeyId === undefined || KeyMetadata.Arn === undefined) throw new Error('no key came back');
  return { id: KeyMetadata.KeyId, arn: KeyMetadata.Arn };
}

/** Imports bytes that were never wrapped; the sandbox takes them for key material of their own. */
export async function importMaterial(
  client: KMSClient,
  key: MadeKey,
  input: Partial<ImportKeyMaterialCommandInput> = {},
): Promise<string> {
  const parameters = await client.send(
    new GetParametersForImportCommand({
      KeyId: key.id,
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    }),
  );
  const imported = await client.send(
    new ImportKeyMaterialCommand({
      KeyId: key.id,
      ImportToken: parameters.ImportToken,
      EncryptedKeyMaterial: randomBytes(256),
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      ...input,
    }),
  );
  return imported.KeyMaterialId ?? '';
}

export type Answer = { error: string; message: string } | Record<string, unknown>;

/** What a call answered: the fields without the SDK's metadata, or name and message of the error. */
export async function answerOf(call: Promise<object>): Promise<Answer> {
  try {
    return Object.fromEntries(Object.entries(await call).filter(([name]) => name !== '$metadata'));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: error.name, message: error.message };
  }
}

/** Jest's matchers, without their `any`. */
export const anyDate: unknown = expect.any(Date);
export const anyText: unknown = expect.any(String);
export const like = (pattern: RegExp): unknown => expect.stringMatching(pattern);
export const having = (fields: Record<string, unknown>): unknown => expect.objectContaining(fields);
