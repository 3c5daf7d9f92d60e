import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Command, Option } from 'commander';
import { tableOverSdk } from '../functions/adapters/dynamodb-sdk.ts';
import { createFindingsTable, type FindingsTable } from '../functions/adapters/findings-table.ts';
import { createPatternsTable, type PatternsTable } from '../functions/adapters/patterns-table.ts';
import { createPolicyStore } from '../functions/adapters/policy-store.ts';
import type { Finding, Status } from '../functions/domain/finding.ts';
import { namesOf, readDeployment } from '../infra/deployment.ts';

/** How a command finds the bot's table. */
export type HubOptions = { deployment: string; table?: string; region?: string; profile?: string };

/** What is kept in the table, with the credentials of whoever runs the command. */
export type Hub = {
  findings: FindingsTable;
  patterns: PatternsTable;
  policies: ReturnType<typeof createPolicyStore>;
  close: () => void;
};

export const DEFAULT_DEPLOYMENT = 'deployment.yaml';

/** Adds the options of `HubOptions`. */
export function withHubOptions(command: Command): Command {
  return command
    .option('--deployment <file>', 'deployment file, for the name of the table and its Region', DEFAULT_DEPLOYMENT)
    .option('--table <name>', "another table than the deployment's; the file is not read then")
    .option('--region <region>', "Region of the table; default: the hub's, or with --table that of the environment")
    .addOption(profileOption());
}

export function profileOption(): Option {
  return new Option('--profile <name>', 'profile of the AWS configuration; default: that of the environment');
}

/** @throws InvalidDeployment */
async function openHub({ deployment: file, table: named, region: wanted, profile }: HubOptions): Promise<Hub> {
  const place = named === undefined ? await placeOf(file) : { tableName: named, region: undefined };
  const region = wanted ?? place.region;
  const client = new DynamoDBClient({
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
  });
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const table = tableOverSdk({ client: documents, tableName: place.tableName });
  return {
    findings: createFindingsTable(table),
    patterns: createPatternsTable(table),
    policies: createPolicyStore({ table, now: () => new Date() }),
    close() {
      client.destroy();
    },
  };
}

/** Opens the hub for as long as the work takes. */
export async function onHub<T>(options: HubOptions, work: (hub: Hub) => Promise<T>): Promise<T> {
  const hub = await openHub(options);
  try {
    return await work(hub);
  } finally {
    hub.close();
  }
}

export const STATUSES: readonly Status[] = ['open', 'approved', 'remediated', 'failed', 'exempt', 'closed'];

/** The findings of these statuses; one query each. */
export async function allFindings({ findings }: Hub, statuses: readonly Status[] = STATUSES): Promise<Finding[]> {
  return (await Promise.all(statuses.map((status) => findings.findingsByStatus(status)))).flat();
}

async function placeOf(file: string): Promise<{ tableName: string; region: string }> {
  const deployment = await readDeployment(file);
  return { tableName: namesOf(deployment).table, region: deployment.hub.region };
}
