import {
  DescribeKeyCommand,
  GetKeyRotationStatusCommand,
  type KeyMetadata,
  type KMSClient,
  type ListKeyRotationsCommandOutput,
  ListKeysCommand,
  paginateListAliases,
  paginateListKeyRotations,
  paginateListResourceTags,
} from '@aws-sdk/client-kms';
import {
  type GateInputs,
  gate,
  isProblem,
  type KeyObservation,
  type RotationReading,
  type UnknownReason,
} from '../domain/assessment.ts';
import { type KeyFacts, type KeyIdentity, type KeyPlace, parseKeyArn, type Tag } from '../domain/key.ts';
import type { ReadBack } from '../domain/read-back.ts';
import { createKmsClients, type KeyAccess, type KmsClients } from './kms-clients.ts';
import { failureOf, type KmsFailure, TransientKmsError } from './kms-errors.ts';

/** Keys of a place; `nextMarker` is null on the last page. Or why they cannot be listed. */
export type KeyPage =
  | { listed: true; keys: KeyIdentity[]; nextMarker: string | null }
  | { listed: false; reason: UnknownReason };

export type KeyReader = {
  /**
   * Lists the keys of an account and Region, those of AWS too, page by page. A refused call is part of the answer.
   * @throws TransientKmsError for what may pass by itself
   */
  listKeys: (place: KeyPlace, marker: string | null) => Promise<KeyPage>;
  /**
   * Looks at a key: its metadata, then only the rotation call that the eligibility gate names, then aliases and tags if
   * the key can be a problem at all. A refused call is part of the answer.
   * @throws TransientKmsError for what may pass by itself
   */
  observeKey: (key: KeyIdentity) => Promise<KeyObservation>;
  /**
   * Reads a key's rotation as proof of a change; all null when the key does not show any.
   * @throws TransientKmsError for what may pass by itself
   */
  readBack: (key: KeyIdentity) => Promise<ReadBack>;
};

/** A call that KMS refused for good; never leaves this file. */
class Refused extends Error {
  public override readonly name = 'Refused';
  public readonly failure: KmsFailure;
  public constructor(failure: KmsFailure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** Small enough that a page is looked at within seconds: a function that runs out of time goes on at the next page. */
const KEYS_PER_PAGE = 50;

const NOTHING_READ: ReadBack = {
  rotationEnabled: null,
  rotationPeriodInDays: null,
  nextRotationAt: null,
  currentKeyMaterialId: null,
};

/** Reads keys in every account and Region through the role of `access`. */
export function createKeyReader(access: KeyAccess): KeyReader {
  return keyReaderWith(createKmsClients(access));
}

/** Reads keys with whatever credentials the clients have. */
export function keyReaderWith({ clientFor, principalFor }: KmsClients): KeyReader {
  /** @throws Refused, TransientKmsError */
  async function ask<T>(place: KeyPlace, operation: string, call: (client: KMSClient) => Promise<T>): Promise<T> {
    try {
      return await call(clientFor(place));
    } catch (error) {
      throw new Refused(failureOf(error, { operation, principal: principalFor(place) }));
    }
  }

  async function listKeys(place: KeyPlace, marker: string | null): Promise<KeyPage> {
    const operation = 'kms:ListKeys';
    const input = { Limit: KEYS_PER_PAGE, ...(marker === null ? {} : { Marker: marker }) };
    try {
      const answer = await ask(place, operation, (client) => client.send(new ListKeysCommand(input)));
      const keys = (answer.Keys ?? []).map(({ KeyArn: arn = '' }) => parseKeyArn(arn)).filter((key) => key !== null);
      return { listed: true, keys, nextMarker: answer.Truncated === true ? (answer.NextMarker ?? null) : null };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { failure } = error;
      if (failure.kind === 'access-denied') {
        const { operation: denied, deniedBy, principal } = failure;
        return { listed: false, reason: { because: 'access-denied', operation: denied, deniedBy, principal } };
      }
      const { operation: refused, code } = failure.kind === 'refused' ? failure : { operation, code: failure.kind };
      return { listed: false, reason: { because: 'kms-refused', operation: refused, code } };
    }
  }

  const describe = (key: KeyIdentity) =>
    ask(key, 'kms:DescribeKey', async (client) => {
      const { KeyMetadata: metadata } = await client.send(new DescribeKeyCommand({ KeyId: key.arn }));
      if (metadata === undefined) throw new TransientKmsError(`DescribeKey of ${key.arn} answered without metadata`);
      return metadata;
    });

  const rotationStatus = (key: KeyIdentity) =>
    ask(key, 'kms:GetKeyRotationStatus', async (client) => {
      const status = await client.send(new GetKeyRotationStatusCommand({ KeyId: key.arn }));
      const { KeyRotationEnabled: enabled, RotationPeriodInDays: period, NextRotationDate: next } = status;
      if (enabled === undefined) throw new TransientKmsError(`GetKeyRotationStatus of ${key.arn} answered nothing`);
      return { enabled, periodInDays: period ?? null, nextRotationAt: next?.toISOString() ?? null };
    });

  const materials = (key: KeyIdentity) =>
    ask(key, 'kms:ListKeyRotations', async (client) => {
      const found: NonNullable<ListKeyRotationsCommandOutput['Rotations']> = [];
      const request = { KeyId: key.arn, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' as const };
      for await (const page of paginateListKeyRotations({ client }, request)) found.push(...(page.Rotations ?? []));
      return found;
    });

  const aliases = (key: KeyIdentity) =>
    ask(key, 'kms:ListAliases', async (client) => {
      const found: string[] = [];
      for await (const page of paginateListAliases({ client }, { KeyId: key.arn })) {
        for (const { AliasName: name } of page.Aliases ?? []) {
          if (name !== undefined) found.push(name.replace(/^alias\//, ''));
        }
      }
      return found.sort();
    });

  const tags = (key: KeyIdentity) =>
    ask(key, 'kms:ListResourceTags', async (client) => {
      const found: Tag[] = [];
      for await (const page of paginateListResourceTags({ client }, { KeyId: key.arn })) {
        for (const { TagKey, TagValue } of page.Tags ?? []) {
          if (TagKey !== undefined) found.push({ key: TagKey, value: TagValue ?? '' });
        }
      }
      return found.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    });

  async function readRotation(key: KeyIdentity, facts: GateInputs): Promise<RotationReading> {
    const way = gate(facts);
    switch (way.next) {
      case 'nothing':
        return { kind: 'not-read' };
      case 'wait':
        throw new TransientKmsError(`${key.arn} is in state ${way.keyState}`);
      case 'read-rotation-status': {
        const { enabled, periodInDays } = await rotationStatus(key);
        return enabled ? { kind: 'automatic', enabled, periodInDays } : { kind: 'automatic', enabled };
      }
      case 'read-key-material': {
        const all = await materials(key);
        const pending = all.find(({ KeyMaterialState: state }) => state === 'PENDING_ROTATION');
        const rotatedAt = all.map(({ RotationDate: date }) => date?.toISOString() ?? '').sort();
        return {
          kind: 'imported',
          pendingKeyMaterialId: pending?.KeyMaterialId ?? null,
          lastRotatedAt: rotatedAt.findLast((at) => at !== '') ?? null,
        };
      }
    }
  }

  async function observeKey(key: KeyIdentity): Promise<KeyObservation> {
    let facts: KeyFacts | null = null;
    try {
      const described = factsOf(key, await describe(key));
      facts = described;
      if (!canBeProblem(described)) return { seen: 'key', facts, reading: await readRotation(key, described) };
      // Routes may depend on both, so a key of which they cannot be told is not judged: the wrong people would be asked.
      const asked = await Promise.allSettled([readRotation(key, described), aliases(key), tags(key)]);
      const [reading, aliasNames, tagList] = asked;
      // In the order of the questions, whichever answer came first: the same refusals are told in the same words.
      if (reading.status === 'rejected') throw reading.reason;
      if (aliasNames.status === 'rejected') throw aliasNames.reason;
      if (tagList.status === 'rejected') throw tagList.reason;
      facts = { ...described, aliases: aliasNames.value, tags: tagList.value };
      return { seen: 'key', facts, reading: reading.value };
    } catch (error) {
      if (error instanceof Refused) return refusedObservation(error.failure, facts, key);
      throw error;
    }
  }

  async function readBack(key: KeyIdentity): Promise<ReadBack> {
    try {
      const metadata = await describe(key);
      const way = gate(factsOf(key, metadata));
      switch (way.next) {
        case 'nothing':
          return NOTHING_READ;
        case 'wait':
          throw new TransientKmsError(`${key.arn} is in state ${way.keyState}`);
        case 'read-rotation-status': {
          const { enabled, periodInDays, nextRotationAt } = await rotationStatus(key);
          const currentKeyMaterialId = metadata.CurrentKeyMaterialId ?? null;
          return { rotationEnabled: enabled, rotationPeriodInDays: periodInDays, nextRotationAt, currentKeyMaterialId };
        }
        case 'read-key-material': {
          const current = (await materials(key)).find(({ KeyMaterialState: state }) => state === 'CURRENT');
          return { ...NOTHING_READ, currentKeyMaterialId: current?.KeyMaterialId ?? null };
        }
      }
    } catch (error) {
      if (error instanceof Refused) return NOTHING_READ;
      throw error;
    }
  }

  return { listKeys, observeKey, readBack };
}

function canBeProblem(facts: GateInputs): boolean {
  const way = gate(facts);
  return way.next !== 'nothing' || isProblem(way.assessment);
}

/** @throws TransientKmsError when the key changed between two calls, so that one has to look again */
function refusedObservation(failure: KmsFailure, facts: KeyFacts | null, key: KeyIdentity): KeyObservation {
  switch (failure.kind) {
    case 'not-found':
      if (facts !== null) throw new TransientKmsError(`${key.arn} vanished while it was read`);
      return { seen: 'no-key' };
    case 'key-state':
      throw new TransientKmsError(`${key.arn} changed its state while it was read`);
    case 'access-denied': {
      const { operation, deniedBy, principal } = failure;
      return { seen: 'refusal', facts, reason: { because: 'access-denied', operation, deniedBy, principal } };
    }
    case 'limit-exceeded':
      return refused(facts, { because: 'kms-refused', operation: 'kms', code: 'LimitExceededException' });
    case 'refused':
      return refused(facts, { because: 'kms-refused', operation: failure.operation, code: failure.code });
  }
}

function refused(facts: KeyFacts | null, reason: UnknownReason): KeyObservation {
  return { seen: 'refusal', facts, reason };
}

/** A field that KMS leaves out is an empty text, which the gate treats like every other word it does not know. */
function factsOf(key: KeyIdentity, metadata: KeyMetadata): KeyFacts {
  const multiRegion = metadata.MultiRegionConfiguration;
  return {
    ...key,
    aliases: [],
    description: metadata.Description ?? '',
    tags: [],
    keyManager: metadata.KeyManager ?? '',
    keyState: metadata.KeyState ?? '',
    keySpec: metadata.KeySpec ?? '',
    keyUsage: metadata.KeyUsage ?? '',
    origin: metadata.Origin ?? '',
    customKeyStoreId: metadata.CustomKeyStoreId ?? null,
    multiRegionKeyType: multiRegion?.MultiRegionKeyType ?? null,
    primaryArn: multiRegion?.PrimaryKey?.Arn ?? null,
    createdAt: metadata.CreationDate?.toISOString() ?? '',
  };
}
