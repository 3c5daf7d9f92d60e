import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** The longest that SQS keeps a message: somebody may be on holiday. */
export const DEAD_LETTER_RETENTION = Duration.days(14);

/** A queue under the hub's key that takes and gives messages over TLS only. */
export class EncryptedQueue extends Queue {
  public constructor(
    scope: Construct,
    id: string,
    {
      key,
      ...props
    }: Omit<QueueProps, 'encryption' | 'encryptionMasterKey' | 'enforceSSL'> & { key: IKey; queueName: string },
  ) {
    super(scope, id, {
      ...props,
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: key,
      dataKeyReuse: Duration.hours(1),
      enforceSSL: true,
    });
  }
}
