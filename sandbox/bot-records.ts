import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readAuditTrail, readPatternTrail } from '../functions/adapters/audit-trail.ts';
import { tableOverSdk } from '../functions/adapters/dynamodb-sdk.ts';
import { createFindingsTable } from '../functions/adapters/findings-table.ts';
import { createPatternsTable } from '../functions/adapters/patterns-table.ts';
import { createPolicyStore } from '../functions/adapters/policy-store.ts';
import type { AuditEvent, ChainVerdict } from '../functions/domain/audit.ts';
import type { PatternRecord } from '../functions/domain/pattern-audit.ts';

export type AuditTrail<Event = AuditEvent> = { events: Event[]; chain: ChainVerdict };

/** The sandbox's own look into the findings table, past the faults that are planted for the functions. */
export type BotRecords = {
  putPolicy: (document: unknown) => Promise<void>;
  /** A key's events, oldest first, and whether their chain and the snapshot hold together. */
  auditOf: (keyArn: string) => Promise<AuditTrail>;
  /** The same of an exemption of a pattern. */
  auditOfPattern: (id: string) => Promise<AuditTrail<PatternRecord>>;
};

/** Opens the table through the bot's own code: how it is laid out is the bot's business. */
export function openBotRecords(dynamodb: DynamoDBClient, tableName: string): BotRecords {
  const table = tableOverSdk({ client: DynamoDBDocumentClient.from(dynamodb), tableName });
  const findings = createFindingsTable(table);
  const patterns = createPatternsTable(table);
  const policies = createPolicyStore({ table, now: () => new Date() });
  return {
    async putPolicy(document) {
      await policies.putPolicy(document);
    },
    async auditOf(keyArn) {
      const { events, verdict } = await readAuditTrail(findings, keyArn);
      return { events, chain: verdict };
    },
    async auditOfPattern(id) {
      const { events, verdict } = await readPatternTrail(patterns, id);
      return { events, chain: verdict };
    },
  };
}
