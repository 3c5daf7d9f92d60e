import type { Status } from './finding.ts';

/**
 * The keys with a finding that a pattern means, as people see them before they ask for its exemption or confirm it. The bot
 * knows keys by their findings; `isAll` is false when there was no time to look at all of them.
 */
export type CoveredKeys = { keys: readonly { arn: string; alias: string | null; status: Status }[]; isAll: boolean };
