import { randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod';
import { REGIONS, type Region } from '../../world.ts';
import { invalidArn, notFound } from './errors.ts';
import { KEY_SPECS, KEY_USAGES } from './key-specs.ts';
import { tagInput } from './validation.ts';

const time = z.number();

const keyMaterialSchema = z.object({
  id: z.string(),
  state: z.enum(['CURRENT', 'NON_CURRENT', 'PENDING_ROTATION', 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION']),
  /** When it became current through a rotation; the first material of a key never did. */
  rotationDate: time.optional(),
  rotationType: z.enum(['AUTOMATIC', 'ON_DEMAND']).optional(),
  /** The rest is for imported material only. */
  importState: z.enum(['IMPORTED', 'PENDING_IMPORT']).optional(),
  description: z.string().optional(),
  expirationModel: z.enum(['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE']).optional(),
  validTo: time.optional(),
});
export type KeyMaterial = z.infer<typeof keyMaterialSchema>;

export const KEY_STATES = [
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingReplicaDeletion',
  'PendingImport',
  'Unavailable',
  'Creating',
  'Updating',
] as const;
export type KeyState = (typeof KEY_STATES)[number];

const kmsKeySchema = z.object({
  keyId: z.string(),
  accountId: z.string(),
  region: z.enum(REGIONS),
  creationDate: time,
  description: z.string(),
  keySpec: z.enum(KEY_SPECS),
  keyUsage: z.enum(KEY_USAGES),
  origin: z.enum(['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE']),
  keyManager: z.enum(['CUSTOMER', 'AWS']),
  keyState: z.enum(KEY_STATES),
  /** Creating and Updating pass by themselves: at this time into that state. */
  settles: z.object({ at: time, into: z.enum(KEY_STATES) }).optional(),
  /** A primary that waits for its replicas has no date yet. */
  deletion: z.object({ windowInDays: z.number(), date: time.optional() }).optional(),
  policy: z.string(),
  tags: z.array(tagInput),
  rotation: z.object({
    enabled: z.boolean(),
    periodInDays: z.number(),
    /** When rotation was last enabled; the schedule counts from here. */
    enabledAt: time.optional(),
    nextDate: time.optional(),
    /** An on-demand rotation under way. */
    onDemand: z.object({ startedAt: time, endsAt: time }).optional(),
  }),
  /** When the key was last enabled after having been disabled: a rotation missed meanwhile happens then, not earlier. */
  reenabledAt: time.optional(),
  /** Oldest first. Empty for keys whose material KMS does not hold or never rotates. */
  materials: z.array(keyMaterialSchema),
  customKeyStoreId: z.string().optional(),
  cloudHsmClusterId: z.string().optional(),
  xksKeyId: z.string().optional(),
  /** Set on multi-Region keys; the primary is the one in this Region. */
  primaryRegion: z.enum(REGIONS).optional(),
});
/** One KMS key. Times are milliseconds since 1970. Primary and replicas of a multi-Region key are separate keys with one id. */
export type KmsKey = z.infer<typeof kmsKeySchema>;

const aliasSchema = z.object({
  name: z.string(),
  accountId: z.string(),
  region: z.enum(REGIONS),
  targetKeyId: z.string(),
  creationDate: time,
  lastUpdatedDate: time,
});
export type Alias = z.infer<typeof aliasSchema>;

const snapshotSchema = z.object({ version: z.literal(1), keys: z.array(kmsKeySchema), aliases: z.array(aliasSchema) });

/** Where a caller looks for keys: without an ARN only in the own account. */
export type Place = { accountId: string; region: Region };

const KEY_ID = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;
const ARN = /^arn:aws:kms:([a-z0-9-]+):(\d{12}):(key|alias)\/(.+)$/;

/** The ARN of a key, from its own fields. */
export function arnOf(key: Pick<KmsKey, 'region' | 'accountId' | 'keyId'>): string {
  return `arn:aws:kms:${key.region}:${key.accountId}:key/${key.keyId}`;
}

/** The ARN of an alias. */
export function aliasArn(alias: Pick<Alias, 'region' | 'accountId' | 'name'>): string {
  return `arn:aws:kms:${alias.region}:${alias.accountId}:${alias.name}`;
}

/** A new key id; ids of multi-Region keys begin with `mrk-`. */
export function newKeyId(multiRegion: boolean): string {
  return multiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID();
}

/** 64 hex digits, the form of a key material id. */
export const newMaterialId = () => randomBytes(32).toString('hex');

const byId = (a: KmsKey, b: KmsKey) => (a.keyId < b.keyId ? -1 : a.keyId > b.keyId ? 1 : 0);

/** All keys and aliases of all accounts and Regions, in memory. */
export class KeyStore {
  #keys = new Map<string, KmsKey>();
  #aliases: Alias[] = [];

  /** Every key, in no order. */
  all(): KmsKey[] {
    return [...this.#keys.values()];
  }

  /** Every key, in no order and without a copy. */
  each(): Iterable<KmsKey> {
    return this.#keys.values();
  }

  /** Every key, sorted by id so that a page marker stays right when keys come and go. */
  keys(): KmsKey[] {
    return this.all().sort(byId);
  }

  keysAt(place: Place): KmsKey[] {
    return this.all()
      .filter((key) => key.accountId === place.accountId && key.region === place.region)
      .sort(byId);
  }

  byArn(arn: string): KmsKey | undefined {
    return this.#keys.get(arn);
  }

  add(key: KmsKey): void {
    this.#keys.set(arnOf(key), key);
  }

  /** A deleted key takes its aliases with it. */
  remove(key: KmsKey): void {
    this.#keys.delete(arnOf(key));
    this.#aliases = this.#aliases.filter((alias) => !isAliasOf(alias, key));
  }

  /**
   * Finds the key that an identifier names.
   * @throws AwsError NotFoundException, or InvalidArnException for an ARN that cannot be one of a key
   */
  find(identifier: string, place: Place, options: { acceptAlias: boolean }): KmsKey {
    const { region, accountId, kind, id } = this.#parse(identifier, place);
    if (region !== place.region) throw notFound(`Invalid arn ${region}`);
    if (kind === 'alias') {
      if (!options.acceptAlias) throw notFound(`Invalid keyId '${identifier}'`);
      const alias = this.alias({ accountId, region: place.region }, id);
      const arn = `arn:aws:kms:${region}:${accountId}:${id}`;
      const target = alias && this.byArn(arnOf({ region: place.region, accountId, keyId: alias.targetKeyId }));
      if (target === undefined) throw notFound(`Alias ${arn} is not found.`);
      return target;
    }
    if (!KEY_ID.test(id)) throw notFound(`Invalid keyId '${id}'`);
    const arn = arnOf({ region: place.region, accountId, keyId: id });
    const key = this.byArn(arn);
    if (key === undefined) throw notFound(`Key '${arn}' does not exist`);
    return key;
  }

  #parse(identifier: string, place: Place): { region: string; accountId: string; kind: 'key' | 'alias'; id: string } {
    if (identifier.startsWith('alias/')) return { ...place, kind: 'alias', id: identifier };
    if (!identifier.startsWith('arn:')) return { ...place, kind: 'key', id: identifier };
    const [, region, accountId, kind, id] = ARN.exec(identifier) ?? [];
    if (region === undefined || accountId === undefined || id === undefined) {
      throw invalidArn(`Invalid ARN '${identifier}'`);
    }
    return kind === 'alias'
      ? { region, accountId, kind: 'alias', id: `alias/${id}` }
      : { region, accountId, kind: 'key', id };
  }

  aliases(place: Place): Alias[] {
    return this.#aliases
      .filter((alias) => alias.accountId === place.accountId && alias.region === place.region)
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  alias(place: Place, name: string): Alias | undefined {
    return this.aliases(place).find((alias) => alias.name === name);
  }

  aliasesOf(key: KmsKey): Alias[] {
    return this.aliases(key).filter((alias) => isAliasOf(alias, key));
  }

  addAlias(alias: Alias): void {
    this.#aliases.push(alias);
  }

  removeAlias(alias: Alias): void {
    this.#aliases = this.#aliases.filter((other) => other !== alias);
  }

  /** The primary of a multi-Region key; a single-Region key is its own. */
  primaryOf(key: KmsKey): KmsKey {
    if (key.primaryRegion === undefined) return key;
    return this.byArn(arnOf({ ...key, region: key.primaryRegion })) ?? key;
  }

  replicasOf(key: KmsKey): KmsKey[] {
    return this.all().filter(
      (other) => other.keyId === key.keyId && other.accountId === key.accountId && isReplica(other),
    );
  }

  snapshot(): unknown {
    return structuredClone({ version: 1, keys: this.keys(), aliases: this.#aliases });
  }

  /** Takes the place of everything that was there. @throws ZodError when the JSON is not a snapshot */
  restore(json: unknown): void {
    const snapshot = snapshotSchema.parse(json);
    this.#keys = new Map(snapshot.keys.map((key) => [arnOf(key), key]));
    this.#aliases = snapshot.aliases;
  }
}

/** Says whether a key is a multi-Region replica. */
export function isReplica(key: KmsKey): boolean {
  return key.primaryRegion !== undefined && key.primaryRegion !== key.region;
}

function isAliasOf(alias: Alias, key: KmsKey): boolean {
  return alias.targetKeyId === key.keyId && alias.accountId === key.accountId && alias.region === key.region;
}
