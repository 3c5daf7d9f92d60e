import type { SandboxParts } from '../sandbox-parts.ts';
import { ACCOUNTS, REGIONS } from '../world.ts';

/** Everything the page shows. `pending` is one number; what is behind it is in `onTheWay`. */
export async function showState({ clock, kms, faults, slack, wiring }: SandboxParts): Promise<object> {
  const onTheWay = await wiring.pending();
  return {
    clock: { now: clock.now().toISOString() },
    accounts: ACCOUNTS,
    regions: REGIONS,
    ...slack.state(),
    keys: kms.state(),
    faults: [
      ...faults.list(),
      ...slack.faults.list().map(({ method, ...fault }) => ({ service: 'slack', operation: method, ...fault })),
    ],
    pending: Object.values(onTheWay).reduce((sum, count) => sum + count, 0),
    onTheWay,
    givenUp: wiring.givenUp(),
  };
}
