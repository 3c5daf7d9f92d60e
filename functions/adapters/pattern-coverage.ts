import * as z from 'zod/mini';
import { findingSchema } from '../contracts/records.ts';
import * as keys from '../contracts/table.ts';
import type { Status } from '../domain/finding.ts';
import { isMeantBy, type KeyPattern } from '../domain/key-pattern.ts';
import type { DynamoDbTable } from './dynamodb.ts';

/** A key with a finding; `alias` is its first, null when it has none. */
export type CoveredKey = { arn: string; alias: string | null; status: CoveredStatus };
export type CoveredStatus = (typeof STATUSES)[number];

/** What a pattern covers now; `isAll` is false when there may be more that were not looked at in the time. */
export type Coverage = { keys: CoveredKey[]; isAll: boolean };

/** Those that somebody has to decide about, or has exempt: the rest needs no exemption. */
const STATUSES = ['open', 'failed', 'exempt'] as const satisfies readonly Status[];
const PAGE = 200;
/** It is asked while somebody waits for Slack, which waits for three seconds. */
const LONGEST_MS = 1200;

const findingItem = z.object({ finding: findingSchema, groupSort: z.string() });

/**
 * Answers which keys a pattern means, of those that have a finding. The bot knows no other keys here: those that comply
 * have none.
 */
export function createPatternCoverage({ table, now }: { table: DynamoDbTable; now: () => Date }) {
  async function ofStatus(
    status: CoveredStatus,
    pattern: KeyPattern,
    { atMost, until }: { atMost: number; until: number },
  ): Promise<{ found: { key: CoveredKey; sort: string }[]; isAll: boolean }> {
    const found: { key: CoveredKey; sort: string }[] = [];
    for (let before: string | null = null; ; ) {
      const items: Awaited<ReturnType<DynamoDbTable['query']>> = await table.query({
        index: keys.INDEX_BY_GROUP,
        keyCondition: {
          expression: `groupKey = :group${before === null ? '' : ' AND groupSort < :before'}`,
          values: { ':group': keys.statusGroup(status), ...(before === null ? {} : { ':before': before }) },
        },
        limit: PAGE,
        newestFirst: true,
      });
      for (const item of items) {
        const { finding, groupSort: sort } = findingItem.parse(item);
        before = sort;
        const { key, facts } = finding;
        if (!isMeantBy(pattern, key, facts)) continue;
        if (found.length === atMost) return { found, isAll: false };
        found.push({ key: { arn: key.arn, alias: facts?.aliases[0] ?? null, status }, sort });
      }
      // One query answers at most 1 MB, which may be less than the limit: only an empty page is surely the last.
      if (items.length === 0) return { found, isAll: true };
      if (now().getTime() >= until) return { found, isAll: false };
    }
  }

  /** At most so many of each status, those whose finding is newest first. */
  return async function coverage(pattern: KeyPattern, { atMost }: { atMost: number }): Promise<Coverage> {
    const until = now().getTime() + LONGEST_MS;
    const parts = await Promise.all(STATUSES.map((status) => ofStatus(status, pattern, { atMost, until })));
    const found = parts.flatMap((part) => part.found).sort((a, b) => (a.sort < b.sort ? 1 : -1));
    return {
      keys: found.slice(0, atMost).map(({ key }) => key),
      isAll: found.length <= atMost && parts.every(({ isAll }) => isAll),
    };
  };
}
