import type * as z from 'zod';
import type { Region } from '../../world.ts';
import { type Caller, callerArn } from '../caller.ts';
import { denied } from './errors.ts';
import { arnOf, type KeyStore, type KmsKey } from './key-store.ts';
import { evaluateKeyPolicy, matches } from './policy.ts';
import { parseInput } from './validation.ts';

export type KmsSettings = {
  /** How long an on-demand rotation runs, in simulated milliseconds. */
  onDemandRotationMs: number;
  /** How long a new replica stays in Creating, in simulated milliseconds. */
  replicationMs: number;
  /** How long the keys stay in Updating after UpdatePrimaryRegion, in simulated milliseconds. */
  primaryUpdateMs: number;
  /**
   * IAM permissions of roles, as action patterns (`kms:Describe*`). A role that is not listed may do everything that
   * the key policies leave to IAM.
   */
  identityPolicies: Record<string, readonly string[]>;
};

/** A record that a call leaves besides its own, such as the CreateKey that ReplicateKey causes in the other Region. */
export type FurtherRecord = {
  eventName: string;
  region: Region;
  requestParameters: object;
  responseElements: object;
  resources?: { arn: string; accountId: string }[];
};

/** What an operation did: the answer, and what CloudTrail is to show where that differs from the answer. */
export type Outcome = {
  body: object;
  /** `null` unless given: CloudTrail shows little of what KMS answers. */
  responseElements?: object;
  /** What CloudTrail shows of the request, where it shows defaults that the caller left out. */
  requestParameters?: object;
  furtherRecords?: FurtherRecord[];
};

export type KeyAccess = {
  acceptAlias?: boolean;
  /** Whether AWS lets other accounts do this by key ARN if the key policy names them. */
  crossAccount?: boolean;
  /** Values of condition keys of the request, such as `kms:RotationPeriodInDays`. */
  conditionValues?: Record<string, string>;
};

/** One call as an operation sees it. */
export class Call {
  readonly operation: string;
  readonly caller: Caller;
  readonly region: Region;
  /** Milliseconds since 1970, simulated time. */
  readonly now: number;
  readonly store: KeyStore;
  readonly settings: KmsSettings;
  /** Filled as the operation looks keys up, so that the record of a failed call names the key too. */
  readonly resources: { arn: string; accountId: string }[] = [];
  /** What reads answer while a change has not come through everywhere yet. */
  readonly #asSeenByReaders: (key: KmsKey) => KmsKey;

  constructor(fields: {
    operation: string;
    caller: Caller;
    region: Region;
    now: number;
    store: KeyStore;
    settings: KmsSettings;
    asSeenByReaders: (key: KmsKey) => KmsKey;
  }) {
    this.operation = fields.operation;
    this.caller = fields.caller;
    this.region = fields.region;
    this.now = fields.now;
    this.store = fields.store;
    this.settings = fields.settings;
    this.#asSeenByReaders = fields.asSeenByReaders;
  }

  /**
   * The key that an identifier names, if this caller may do this operation with it.
   * @throws AwsError NotFoundException, InvalidArnException or AccessDeniedException
   */
  key(identifier: string, access: KeyAccess = {}): KmsKey {
    const place = { accountId: this.caller.accountId, region: this.region };
    const key = this.store.find(identifier, place, { acceptAlias: access.acceptAlias === true });
    this.concerns(arnOf(key), key.accountId);
    this.#authorize(key, access);
    return key;
  }

  /** The same for operations that only read, whose answer may be old for a while. */
  keyToRead(identifier: string, access: KeyAccess = {}): KmsKey {
    return this.#asSeenByReaders(this.key(identifier, access));
  }

  /** Says that CloudTrail's record names this resource. */
  concerns(arn: string, accountId: string): void {
    if (!this.resources.some((resource) => resource.arn === arn)) this.resources.push({ arn, accountId });
  }

  /**
   * For operations without a key, which only IAM decides.
   * @throws AwsError AccessDeniedException
   */
  requireIdentityPolicy(resource: string): void {
    if (!this.#identityPolicyAllows()) {
      throw denied(callerArn(this.caller), this.operation, resource, 'no-identity-policy');
    }
  }

  #authorize(key: KmsKey, access: KeyAccess): void {
    const deny = (reason: Parameters<typeof denied>[3]) =>
      denied(callerArn(this.caller), this.operation, arnOf(key), reason);
    const answer = evaluateKeyPolicy(key.policy, {
      caller: this.caller,
      action: `kms:${this.operation}`,
      keyArn: arnOf(key),
      conditionValues: { 'kms:KeySpec': key.keySpec, 'kms:KeyOrigin': key.origin, ...access.conditionValues },
    });
    const foreign = key.accountId !== this.caller.accountId;
    if (answer === 'denied') throw deny('key-policy-deny');
    if (answer === 'silent' || (foreign && access.crossAccount !== true)) throw deny('no-key-policy');
    // Another account needs both: the key policy and its own IAM. In the same account, naming the principal is enough.
    if ((answer === 'delegated' || foreign) && !this.#identityPolicyAllows()) throw deny('no-identity-policy');
  }

  #identityPolicyAllows(): boolean {
    if (this.caller.type !== 'AssumedRole') return true;
    const policies = this.settings.identityPolicies;
    const actions = Object.hasOwn(policies, this.caller.roleName) ? policies[this.caller.roleName] : undefined;
    return actions === undefined || actions.some((pattern) => matches(pattern, `kms:${this.operation}`));
  }
}

export type Operation = {
  readOnly: boolean;
  run: (raw: unknown, call: Call) => Outcome;
};

/** Makes an operation of a schema and a rule; the rule sees parsed input only. */
export function operation<Input>(definition: {
  readOnly?: boolean;
  input: z.ZodType<Input>;
  run: (input: Input, call: Call) => Outcome;
}): Operation {
  return {
    readOnly: definition.readOnly === true,
    run: (raw, call) => definition.run(parseInput(definition.input, raw), call),
  };
}

/** KMS's times on the wire: seconds since 1970. */
export const seconds = (milliseconds: number) => milliseconds / 1000;

export const DAY = 24 * 60 * 60 * 1000;
