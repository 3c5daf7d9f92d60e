import { simulatedSecret } from '../simulated-secret.ts';
import { SlackApiError } from './api-error.ts';

/** Slack's page "Handling user interaction": a trigger_id is good for three seconds, once. */
const TRIGGER_LIFETIME_MS = 3000;
/** Long enough to tell one that is too old from one that never was. */
const REMEMBERED_MS = 10 * 60_000;

/** Who acted, and in which view if it was in one. */
export type Trigger = { user: string; viewId?: string };
export type Triggers = {
  /** A trigger_id for an interaction that is about to be sent. */
  issue: (trigger: Trigger) => string;
  /** Exchanges it; throws invalid_trigger_id, exchanged_trigger_id or expired_trigger_id. */
  exchange: (triggerId: string) => Trigger;
};

/** `clock` counts milliseconds: real ones, whatever the sandbox's date is, as a trigger_id races the network. */
export function createTriggers(clock: () => number = () => performance.now()): Triggers {
  const issued = new Map<string, { trigger: Trigger; at: number; exchanged: boolean }>();
  let count = 0;
  return {
    issue(trigger) {
      for (const [id, { at }] of issued) {
        if (clock() - at < REMEMBERED_MS) break;
        issued.delete(id);
      }
      count += 1;
      const id = `${1_000_000 + count}.${Math.round(clock())}.${simulatedSecret()}`;
      issued.set(id, { trigger, at: clock(), exchanged: false });
      return id;
    },
    exchange(triggerId) {
      const entry = issued.get(triggerId);
      if (entry === undefined) throw new SlackApiError('invalid_trigger_id');
      if (entry.exchanged) throw new SlackApiError('exchanged_trigger_id');
      if (clock() - entry.at > TRIGGER_LIFETIME_MS) throw new SlackApiError('expired_trigger_id');
      entry.exchanged = true;
      return entry.trigger;
    },
  };
}
