import * as z from 'zod/mini';
import { parsePolicy } from '../contracts/policy.ts';
import {
  CURRENT_POLICY_SORT_KEY,
  POLICY_PARTITION,
  POLICY_VERSION_SORT_KEY_PREFIX,
  policyVersionSortKey,
} from '../contracts/table.ts';
import type { Policy } from '../domain/policy.ts';
import { digest } from './digest.ts';
import { type DynamoDbTable, type Expression, TransactionRefused } from './dynamodb.ts';

/** No usable policy: nothing may be decided or remediated until there is one. */
export class PolicyUnreadable extends Error {
  public override readonly name = 'PolicyUnreadable';
}

/** Somebody else stored a policy meanwhile; nothing was stored. */
export class PolicyChanged extends Error {
  public override readonly name = 'PolicyChanged';
}

export type LoadedPolicy = { policy: Policy; version: string };

/** A policy as somebody stored it, whether or not this version of the bot can use it. */
export type StoredPolicy = { document: unknown; version: string; storedAt: string };

/** A changed policy takes effect within this time everywhere. */
const CACHE_MS = 60_000;
const KEY = { pk: POLICY_PARTITION, sk: CURRENT_POLICY_SORT_KEY };
const policyItem = z.object({ document: z.optional(z.unknown()) });
const storedItem = z.object({ document: z.optional(z.unknown()), version: z.string(), storedAt: z.string() });

/**
 * The policy document, kept in the findings table so that it changes without a deployment and is read like the rest.
 * Its version is the first half of its SHA-256.
 */
export function createPolicyStore({ table, now }: { table: DynamoDbTable; now: () => Date }) {
  let cached: { at: number; loaded: LoadedPolicy } | undefined;

  async function storedPolicy(): Promise<StoredPolicy | null> {
    const item = await table.get(KEY);
    return item === undefined ? null : stored(item);
  }

  return {
    /** @throws PolicyUnreadable when it is missing or not valid. Not cached then, so that a repair works at once. */
    async loadPolicy(): Promise<LoadedPolicy> {
      // A clock that went back must not keep a policy for ever.
      if (cached !== undefined && Math.abs(now().getTime() - cached.at) < CACHE_MS) return cached.loaded;
      cached = undefined;
      const item = await table.get(KEY);
      if (item === undefined) throw new PolicyUnreadable('no rotation policy is stored yet');
      const { document } = policyItem.parse(item);
      const loaded = { policy: usable(document), version: policyVersion(document) };
      cached = { at: now().getTime(), loaded };
      return loaded;
    },

    /** What is stored, unchecked; null when nothing is. */
    storedPolicy,

    /** Every policy that was stored with `putPolicy`, the oldest first. */
    async policyHistory(): Promise<StoredPolicy[]> {
      const items = await table.query({
        keyCondition: {
          expression: 'pk = :pk AND begins_with(sk, :version)',
          values: { ':pk': POLICY_PARTITION, ':version': POLICY_VERSION_SORT_KEY_PREFIX },
        },
        consistent: true,
      });
      return items.map(stored);
    },

    /**
     * Stores a policy after checking it, in the place of the one with version `replaces` (null: of none). Left out, it
     * is whatever stands there when the call begins. What was stored stays in the history.
     * @throws InvalidPolicy, PolicyChanged; then nothing is stored.
     */
    async putPolicy(document: unknown, replaces?: string | null): Promise<{ version: string }> {
      parsePolicy(document);
      const version = policyVersion(document);
      const expected = replaces === undefined ? ((await storedPolicy())?.version ?? null) : replaces;
      const storedAt = now().toISOString();
      const content = { document, storedAt, version };
      const history = { pk: POLICY_PARTITION, sk: policyVersionSortKey(storedAt, version), ...content };
      try {
        await table.putTogether([
          { item: { ...KEY, ...content }, condition: standsAt(expected) },
          { item: history, condition: standsAt(null) },
        ]);
      } catch (cause) {
        if (!(cause instanceof TransactionRefused)) throw cause;
        const current = await storedPolicy();
        // What stands in the way may be this very document, stored by an attempt whose answer was lost.
        if (current?.version !== version) {
          const words = `the stored policy is ${nameOf(current?.version)}, not ${nameOf(expected)}`;
          throw new PolicyChanged(words, { cause });
        }
      }
      cached = undefined;
      return { version };
    },
  };
}

/** Identifies what a policy document says, whatever the order of its keys. */
export function policyVersion(document: unknown): string {
  return digest(document).slice(0, 32);
}

function nameOf(version: string | null | undefined): string {
  return version ?? 'none';
}

function standsAt(version: string | null): Expression {
  if (version === null) return { expression: 'attribute_not_exists(pk)' };
  if (version === '') return { expression: 'attribute_not_exists(#version)', names: { '#version': 'version' } };
  return { expression: '#version = :version', names: { '#version': 'version' }, values: { ':version': version } };
}

/** A row that was written by hand has neither version nor time: both are empty then. */
function stored(item: unknown): StoredPolicy {
  const row = storedItem.safeParse(item);
  if (row.success) return { document: row.data.document, version: row.data.version, storedAt: row.data.storedAt };
  const { document } = policyItem.parse(item);
  return { document, version: '', storedAt: '' };
}

function usable(document: unknown): Policy {
  try {
    return parsePolicy(document);
  } catch (error) {
    throw new PolicyUnreadable('the stored rotation policy is not valid', { cause: error });
  }
}
