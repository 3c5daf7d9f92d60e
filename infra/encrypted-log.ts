import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import * as z from 'zod/mini';
import type { Deployment } from './deployment.ts';

const retentionDays = z.enum(RetentionDays);

/**
 * A log under the hub's key, kept as long as the deployment file says. It stays when the stack goes, but not when the very first
 * deployment fails: then its name would be taken in the second.
 */
export class EncryptedLog extends LogGroup {
  public constructor(
    scope: Construct,
    id: string,
    { logGroupName, deployment, key }: { logGroupName: string; deployment: Deployment; key: IKey },
  ) {
    super(scope, id, {
      logGroupName,
      retention: z.parse(retentionDays, deployment.operations.logRetentionDays),
      encryptionKey: key,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
  }
}
