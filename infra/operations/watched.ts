import type { FunctionName } from '../../functions/contracts/functions.ts';
import type { BotFunction } from '../bot-function.ts';
import type { Deployment } from '../deployment.ts';
import type { EventIntake } from '../event-intake.ts';
import type { StreamReactions } from '../event-sources.ts';
import type { FindingsTable } from '../findings-table.ts';
import type { KeySweep } from '../key-sweep.ts';
import type { Schedules } from '../schedules.ts';
import type { SlackApi } from '../slack-api.ts';

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
