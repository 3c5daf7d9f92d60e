import { Construct } from 'constructs';
import type { EncryptionKey } from '../encryption-key.ts';
import { RunbookAlarm } from './alarm.ts';
import { AlarmTopic } from './alarm-topic.ts';
import { alarmsOf } from './alarms.ts';
import { OperationsDashboard } from './dashboard.ts';
import type { Watched } from './watched.ts';

/** Alarms with a topic of their own, and one dashboard. */
export class Operations extends Construct {
  public readonly topic: AlarmTopic;
  public readonly alarms: readonly RunbookAlarm[];
  public readonly dashboard: OperationsDashboard;

  public constructor(scope: Construct, id: string, { key, ...watched }: Watched & { key: EncryptionKey }) {
    super(scope, id);
    const { deployment } = watched;
    this.topic = new AlarmTopic(this, 'AlarmTopic', { deployment, key });
    this.alarms = alarmsOf(watched).map(
      (definition) => new RunbookAlarm(this, definition, { deployment, topic: this.topic }),
    );
    this.dashboard = new OperationsDashboard(this, 'Dashboard', { ...watched, alarms: this.alarms });
  }
}
