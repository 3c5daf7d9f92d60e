import { Construct } from 'constructs';
import type { FunctionName } from '../../functions/contracts/functions.ts';
import type { BotFunction } from '../bot-function.ts';
import type { Deployment } from '../deployment.ts';
import type { EncryptionKey } from '../encryption-key.ts';
import type { EventIntake } from '../event-intake.ts';
import type { StreamReactions } from '../event-sources.ts';
import type { FindingsTable } from '../findings-table.ts';
import type { KeySweep } from '../key-sweep.ts';
import type { Schedules } from '../schedules.ts';
import type { SlackApi } from '../slack-api.ts';
import { RunbookAlarm } from './alarm.ts';
import { AlarmTopic } from './alarm-topic.ts';
import { alarmsOf } from './alarms.ts';
import { OperationsDashboard } from './dashboard.ts';

/** The parts of the hub that somebody has to know of when they stop working. */
export type Watched = {
  deployment: Deployment;
  table: FindingsTable;
  intake: EventIntake;
  reactions: StreamReactions;
  functions: { readonly [Name in FunctionName]: BotFunction<Name> };
  slackApi: SlackApi;
  schedules: Schedules;
  keySweep: KeySweep;
};

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
