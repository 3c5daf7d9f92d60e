import * as z from 'zod/mini';
import { parsePolicy } from '../contracts/policy.ts';
import { POLICY_PARTITION } from '../contracts/table.ts';
import type { Policy } from '../domain/policy.ts';
import { digest } from './digest.ts';
import type { DynamoDbTable } from './dynamodb.ts';

/** No usable policy: nothing may be decided or remediated until there is one. */
export class PolicyUnreadable extends Error {
  public override readonly name = 'PolicyUnreadable';
}

export type LoadedPolicy = { policy: Policy; version: string };

/** A changed policy takes effect within this time everywhere. */
const CACHE_MS = 60_000;
const KEY = { pk: POLICY_PARTITION, sk: 'CURRENT' };
const policyItem = z.object({ document: z.unknown() });

/**
 * The policy document, kept in the findings table so that it changes without a deployment and is read like the rest.
 * Its version is the first half of its SHA-256.
 */
export function createPolicyStore({ table, now }: { table: DynamoDbTable; now: () => Date }) {
  let cached: { at: number; loaded: LoadedPolicy } | undefined;

  return {
    /** @throws PolicyUnreadable when it is missing or not valid. Not cached then, so that a repair works at once. */
    async loadPolicy(): Promise<LoadedPolicy> {
      if (cached !== undefined && now().getTime() - cached.at < CACHE_MS) return cached.loaded;
      cached = undefined;
      const item = await table.get(KEY);
      if (item === undefined) throw new PolicyUnreadable('no rotation policy is stored yet');
      const { document } = policyItem.parse(item);
      const loaded = { policy: usable(document), version: versionOf(document) };
      cached = { at: now().getTime(), loaded };
      return loaded;
    },

    /** Stores a policy after checking it. @throws InvalidPolicy; then nothing is stored. */
    async putPolicy(document: unknown): Promise<{ version: string }> {
      parsePolicy(document);
      const version = versionOf(document);
      await table.put({ ...KEY, document, storedAt: now().toISOString(), version });
      cached = undefined;
      return { version };
    },
  };
}

function usable(document: unknown): Policy {
  try {
    return parsePolicy(document);
  } catch (error) {
    throw new PolicyUnreadable('the stored rotation policy is not valid', { cause: error });
  }
}

function versionOf(document: unknown): string {
  return digest(document).slice(0, 32);
}
