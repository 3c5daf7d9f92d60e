import { RemovalPolicy } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  Billing,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { INDEX_BY_GROUP, INDEX_BY_TIME, TABLE_ATTRIBUTES } from '../functions/contracts/table.ts';

const text = (name: string): Attribute => ({ name, type: AttributeType.STRING });

/**
 * Findings, audit events, claims on messages and the policy: what functions/contracts/table.ts describes. It holds the
 * audit trail, so nothing that happens to the stack takes it away.
 */
export class FindingsTable extends TableV2 {
  public constructor(scope: Construct, id: string, { tableName, key }: { tableName: string; key: IKey }) {
    const { partitionKey, sortKey, groupKey, groupSort, timeKey, timeSort, timeToLive } = TABLE_ATTRIBUTES;
    super(scope, id, {
      tableName,
      partitionKey: text(partitionKey),
      sortKey: text(sortKey),
      globalSecondaryIndexes: [
        { indexName: INDEX_BY_GROUP, partitionKey: text(groupKey), sortKey: text(groupSort) },
        { indexName: INDEX_BY_TIME, partitionKey: text(timeKey), sortKey: text(timeSort) },
      ],
      timeToLiveAttribute: timeToLive,
      billing: Billing.onDemand(),
      dynamoStream: StreamViewType.NEW_IMAGE,
      encryption: TableEncryptionV2.customerManagedKey(key),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
