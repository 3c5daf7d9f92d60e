import * as z from 'zod';
import { ApiError } from './api-error.ts';
import type { Engine } from './engine.ts';
import { type StreamStore, streamSpecificationSchema } from './stream-store.ts';
import type { TableSettings, TableSettingsStore } from './table-settings.ts';

const keySchemaSchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.string() })).min(1);
const indexSchema = z.object({ IndexName: z.string(), KeySchema: keySchemaSchema, Projection: z.unknown() });
const tableSchema = z.object({
  TableName: z.string(),
  TableArn: z.string(),
  TableStatus: z.string(),
  KeySchema: keySchemaSchema,
  AttributeDefinitions: z.array(z.unknown()),
  GlobalSecondaryIndexes: z.array(indexSchema).optional(),
  LocalSecondaryIndexes: z.array(indexSchema).optional(),
});

/** What the front needs to know of a table. */
export type Table = z.infer<typeof tableSchema>;

/** The attributes of a table's primary key, partition key first. */
export function keyAttributesOf(table: Table): string[] {
  return table.KeySchema.map(({ AttributeName }) => AttributeName);
}

export type Tables = {
  /** The table's definition, cached. Throws ResourceNotFoundException. */
  get: (tableName: string) => Promise<Table>;
  /** The ARN of the table's stream, if it has one. */
  streamArnOf: (tableName: string) => string | undefined;
  /** Opens the streams of a data folder. */
  restore: () => Promise<void>;
  /** What the front adds to a table operation. Throws ApiError. */
  operations: Readonly<Record<string, (input: Record<string, unknown>) => Promise<Record<string, unknown>>>>;
};

const tableNameSchema = z.object({ TableName: z.string() });
const streamInputSchema = z.object({ StreamSpecification: streamSpecificationSchema.optional() });
const timeToLiveSchema = z.object({
  TimeToLiveSpecification: z.object({ Enabled: z.boolean(), AttributeName: z.string().min(1) }),
});
const recoverySchema = z.object({
  PointInTimeRecoverySpecification: z.object({ PointInTimeRecoveryEnabled: z.boolean() }),
});

/**
 * Table operations, with what dynalite lacks: streams, time to live, continuous backups. The last two are remembered
 * and answered and have no effect: DynamoDB may take days to delete an expired item, so nothing may rely on it, and
 * there is nothing to restore.
 */
export function createTables(engine: Engine, streams: StreamStore, settings: TableSettingsStore): Tables {
  const known = new Map<string, Table>();

  async function get(tableName: string): Promise<Table> {
    const cached = known.get(tableName);
    if (cached !== undefined) return cached;
    const { Table: table } = await engine.call('DescribeTable', { TableName: tableName });
    const parsed = tableSchema.parse(table);
    if (parsed.TableStatus === 'ACTIVE') known.set(tableName, parsed);
    return parsed;
  }

  function openStream(table: Table, stream: NonNullable<TableSettings['stream']>): void {
    if (!stream.specification.StreamEnabled) return;
    streams.open({
      streamArn: stream.arn,
      streamLabel: stream.label,
      tableName: table.TableName,
      viewType: stream.specification.StreamViewType,
      keySchema: table.KeySchema,
      createdAt: stream.createdAt,
    });
  }

  /** Remembers a stream specification. Switching a stream on gives it a new label, hence a new ARN, as AWS does. */
  function applyStream(table: Table, input: Record<string, unknown>): void {
    const { StreamSpecification: specification } = streamInputSchema.parse(input);
    if (specification === undefined) return;
    const current = settings.get(table.TableName);
    const enabled = current.stream?.specification.StreamEnabled === true;
    if (specification.StreamEnabled === enabled) {
      throw new ApiError(
        'ValidationException',
        `Table already ${enabled ? 'has an enabled' : 'has a disabled'} stream`,
      );
    }
    if (current.stream !== undefined) streams.remove(current.stream.arn);
    const now = new Date();
    const label = now.toISOString().slice(0, -1);
    const stream = { specification, label, arn: `${table.TableArn}/stream/${label}`, createdAt: now.getTime() / 1000 };
    settings.set(table.TableName, { ...current, stream });
    openStream(table, stream);
  }

  function decorate(description: unknown): Record<string, unknown> {
    const table = z.looseObject({ TableName: z.string() }).parse(description);
    const { stream } = settings.get(table.TableName);
    if (stream?.specification.StreamEnabled !== true) return table;
    return {
      ...table,
      StreamSpecification: stream.specification,
      LatestStreamLabel: stream.label,
      LatestStreamArn: stream.arn,
    };
  }

  return {
    get,
    streamArnOf(tableName) {
      const { stream } = settings.get(tableName);
      return stream?.specification.StreamEnabled === true ? stream.arn : undefined;
    },
    async restore() {
      for (const tableName of settings.tableNames()) {
        const { stream } = settings.get(tableName);
        if (stream !== undefined) openStream(await get(tableName), stream);
      }
    },
    operations: {
      async CreateTable(input) {
        const { StreamSpecification: specification } = streamInputSchema.parse(input);
        const { TableDescription: description } = await engine.call('CreateTable', input);
        const table = tableSchema.parse(description);
        await engine.untilSettled(table.TableName);
        known.delete(table.TableName);
        settings.remove(table.TableName);
        if (specification?.StreamEnabled === true) applyStream(table, input);
        return { TableDescription: decorate(description) };
      },
      async DescribeTable(input) {
        const { Table: table } = await engine.call('DescribeTable', input);
        return { Table: decorate(table) };
      },
      async UpdateTable(input) {
        const { StreamSpecification: specification, TableName, ...others } = input;
        if (specification === undefined) {
          const { TableDescription: description } = await engine.call('UpdateTable', input);
          await engine.untilSettled(z.string().parse(TableName));
          known.delete(z.string().parse(TableName));
          return { TableDescription: decorate(description) };
        }
        const table = await get(z.string().parse(TableName));
        applyStream(table, input);
        const onlyKeys = new Set(['AttributeDefinitions', 'DeletionProtectionEnabled']);
        const forDynalite = Object.keys(others).some((name) => !onlyKeys.has(name));
        if (forDynalite) await engine.call('UpdateTable', { TableName, ...others });
        await engine.untilSettled(table.TableName);
        known.delete(table.TableName);
        const { Table: updated } = await engine.call('DescribeTable', { TableName });
        return { TableDescription: decorate(updated) };
      },
      async DeleteTable(input) {
        const { TableDescription: description } = await engine.call('DeleteTable', input);
        const { TableName: tableName } = tableNameSchema.parse(input);
        await engine.untilSettled(tableName);
        const decorated = decorate(description);
        const { stream } = settings.get(tableName);
        if (stream !== undefined) streams.remove(stream.arn);
        known.delete(tableName);
        settings.remove(tableName);
        return { TableDescription: decorated };
      },
      async UpdateTimeToLive(input) {
        const { TableName: tableName } = await get(tableNameSchema.parse(input).TableName);
        const { TimeToLiveSpecification: specification } = timeToLiveSchema.parse(input);
        const current = settings.get(tableName);
        if (specification.Enabled === (current.timeToLiveAttribute !== undefined)) {
          throw new ApiError(
            'ValidationException',
            `TimeToLive is already ${specification.Enabled ? 'enabled' : 'disabled'}`,
          );
        }
        settings.set(tableName, {
          ...current,
          timeToLiveAttribute: specification.Enabled ? specification.AttributeName : undefined,
        });
        return { TimeToLiveSpecification: specification };
      },
      async DescribeTimeToLive(input) {
        const { TableName: tableName } = await get(tableNameSchema.parse(input).TableName);
        const { timeToLiveAttribute } = settings.get(tableName);
        return {
          TimeToLiveDescription:
            timeToLiveAttribute === undefined
              ? { TimeToLiveStatus: 'DISABLED' }
              : { TimeToLiveStatus: 'ENABLED', AttributeName: timeToLiveAttribute },
        };
      },
      async UpdateContinuousBackups(input) {
        const { TableName: tableName } = await getForBackup(input);
        const { PointInTimeRecoverySpecification: specification } = recoverySchema.parse(input);
        settings.set(tableName, {
          ...settings.get(tableName),
          pointInTimeRecovery: specification.PointInTimeRecoveryEnabled,
        });
        return continuousBackups(settings.get(tableName).pointInTimeRecovery);
      },
      async DescribeContinuousBackups(input) {
        const { TableName: tableName } = await getForBackup(input);
        return continuousBackups(settings.get(tableName).pointInTimeRecovery);
      },
    },
  };

  /** The backup operations have an error of their own for a missing table (API_UpdateContinuousBackups). */
  async function getForBackup(input: Record<string, unknown>): Promise<Table> {
    const { TableName: tableName } = tableNameSchema.parse(input);
    try {
      return await get(tableName);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new ApiError('TableNotFoundException', `Table not found: ${tableName}`);
    }
  }
}

function continuousBackups(pointInTimeRecovery: boolean): Record<string, unknown> {
  return {
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: {
        PointInTimeRecoveryStatus: pointInTimeRecovery ? 'ENABLED' : 'DISABLED',
        ...(pointInTimeRecovery ? { RecoveryPeriodInDays: 35 } : {}),
      },
    },
  };
}
