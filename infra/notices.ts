import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

/** Where audit events and alerts are published for whoever wants them: a SIEM, a ticket system, an on-call rota. */
export class Notices extends Topic {
  public constructor(scope: Construct, id: string, { name, key }: { name: string; key: IKey }) {
    super(scope, id, { topicName: `${name}-notices`, masterKey: key, enforceSSL: true });
  }
}
