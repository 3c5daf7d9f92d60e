import * as z from 'zod';
import { parseApproveAll } from '../../functions/contracts/slack-actions.ts';
import { REGIONS } from '../../sandbox/world.ts';
import { createKey, type PlannedKey } from './events.ts';
import { createHttpClient } from './http-client.ts';
import { lookAtWorld, type RootMessage, rootMessages, untilSettled, type World } from './outside.ts';
import { atRate } from './pace.ts';
import type { Plan } from './plan.ts';
import { type Part, progress } from './report.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import type { WatchedCalls } from './watch-calls.ts';

/** Two accounts whose findings go to the same channel. */
const ACCOUNTS = ['111122223333', '123456789012'];
const APPROVER = 'U0APPROVER';
/** KMS, "Request quotas": EnableKeyRotation, per account and Region; the bot plans for a third of it. */
const ENABLE_PER_SECOND = 15;
/** Slack, "Rate limits", Tier 3. */
const UPDATES_PER_MINUTE = 50;

const clickAnswer = z.object({
  ok: z.boolean(),
  durationMs: z.number(),
  ephemerals: z.array(z.object({ text: z.string() })),
});
const actions = z.object({
  type: z.literal('actions'),
  elements: z.array(z.object({ action_id: z.string(), value: z.string() })),
});

/** Thousands of findings at once for one channel, with Slack's rate limits; then one person approves all of them. */
export async function stormRun({ storm: { findings: count, perSecond, threshold }, limits }: Plan): Promise<Part> {
  const server = await startServer('slack', { digestThreshold: threshold });
  const client = createHttpClient(server.awsUrl, { sockets: 20, timeoutMs: 60_000 });
  try {
    progress(`${count} findings at once`);
    const start = performance.now();
    const seconds = () => (performance.now() - start) / 1000;
    const keys = Array.from({ length: count }, (_, index): PlannedKey => {
      const [accountId = '', region = REGIONS[0]] = [ACCOUNTS[index % 2], REGIONS[Math.floor(index / 2) % 2]];
      return { is: 'problem', accountId, region, arn: undefined, createdAt: 0 };
    });
    await atRate(keys, { perSecond, atMostOpen: 20 }, async (key) => {
      await createKey(key, client);
    });
    await settled(server, limits.settleSeconds * 5);
    const toldAfter = seconds();
    await passMinutes(server, limits.settleSeconds);
    const before = await rootMessages(server.awsUrl);
    const digest = before.find(({ postId }) => postId.startsWith('digest#'));
    const button = digest === undefined ? null : approveAllOf(digest);
    if (digest === undefined || button === null)
      return { rows: [], violations: ['the storm has no digest to approve'] };
    const own = before.filter(({ postId }) => !postId.startsWith('digest#')).length;

    progress(`${own} messages of their own, ${button.count} findings in the digest; one click for all of them`);
    const clicked = performance.now();
    const acknowledged = await clickApproveAll(server, digest);
    await settled(server, limits.settleSeconds * 10);
    await passMinutes(server, limits.settleSeconds);
    const decidedIn = (performance.now() - clicked) / 1000;
    const [world, calls] = [await lookAtWorld(server.awsUrl), await server.counted()];
    const slack = (method: string) => calls.find(({ what }) => what === `Slack ${method}`);
    const enabling = calls.filter(({ what }) => what.startsWith('KMS EnableKeyRotation'));
    const fastest = Math.max(...enabling.map(({ mostInASecond }) => mostInASecond));
    const updates = slack('chat.update');
    return {
      rows: [
        {
          what: `storm of ${count} findings`,
          value: `${own} messages of their own and one digest after ${toldAfter.toFixed(0)} s; Slack was called ${describe(slack('chat.postMessage'))} to post and ${describe(updates)} to update`,
        },
        {
          what: 'approving all of it',
          value: `${button.count} keys; acknowledged in ${acknowledged.durationMs.toFixed(0)} ms, all decided and proven in ${decidedIn.toFixed(0)} s`,
        },
        {
          what: 'EnableKeyRotation',
          value: `${enabling.reduce((sum, each) => sum + each.calls, 0)} calls; at most ${fastest} a second in an account and Region`,
        },
      ],
      violations: [
        ...(acknowledged.ok && acknowledged.durationMs < limits.clickMs
          ? []
          : ['the click was not acknowledged in time']),
        ...(fastest > ENABLE_PER_SECOND ? [`EnableKeyRotation was called ${fastest} times in a second`] : []),
        ...((updates?.mostInAMinute ?? 0) > UPDATES_PER_MINUTE ? ['chat.update was called too often'] : []),
        ...(own > threshold * Math.ceil(toldAfter / 60) ? [`${own} findings have messages of their own`] : []),
        ...violationsOfStorm(world, keys, button.count),
      ].map((violation) => `storm: ${violation}`),
    };
  } finally {
    client.close();
    await server.stop();
  }
}

function describe(calls: WatchedCalls | undefined): string {
  if (calls === undefined) return 'never';
  return `${calls.calls} times (at most ${calls.mostInAMinute} a minute, ${calls.limited} refused for now)`;
}

/** Each key has one finding, shown once; all of the digest are approved by the person, once, and rotate. */
function violationsOfStorm(world: World, keys: readonly PlannedKey[], inDigest: number): string[] {
  const found: string[] = [];
  const shown = new Map<string, number>();
  for (const { postId } of world.messages) {
    const [arn = ''] = postId.split('#');
    shown.set(arn, (shown.get(arn) ?? 0) + 1);
  }
  let decided = 0;
  for (const { arn = '' } of keys) {
    const { snapshots = [], events = [] } = world.records.get(arn) ?? {};
    const approvals = events.flatMap(({ event }) => (event.type === 'remediation-approved' ? [event.approval.by] : []));
    const isOwn = shown.has(arn);
    if (snapshots.length !== 1) found.push(`lost: ${arn} has ${snapshots.length} findings`);
    if ((shown.get(arn) ?? 0) > 1) found.push(`${arn} is shown ${String(shown.get(arn))} times`);
    if (approvals.length !== (isOwn ? 0 : 1)) found.push(`${arn} was approved ${approvals.length} times`);
    if (approvals.some((by) => by.kind !== 'person' || by.person.userId !== APPROVER)) {
      found.push(`${arn} was approved by somebody else`);
    }
    if (!isOwn && world.rotationOf.get(arn) !== true) found.push(`${arn} does not rotate`);
    if (!isOwn && snapshots[0]?.finding.status === 'remediated') decided += 1;
  }
  if (decided !== inDigest) found.push(`${decided} of ${inDigest} keys were remediated`);
  const digest = world.messages.find(({ postId }) => postId.startsWith('digest#'));
  if (digest !== undefined && approveAllOf(digest) !== null) found.push('the digest still offers to approve');
  if (world.givenUp > 0) found.push(`${world.givenUp} stream records were given up`);
  return found;
}

function approveAllOf({ blocks }: RootMessage): { count: number } | null {
  const buttons = z
    .array(z.unknown())
    .parse(blocks)
    .flatMap((block) => actions.safeParse(block).data?.elements ?? []);
  return parseApproveAll(buttons.find(({ action_id }) => action_id === 'approve-all')?.value);
}

async function clickApproveAll({ slackUrl }: ServerProcess, { channel, ts }: RootMessage) {
  const body = JSON.stringify({ user: APPROVER, channel, ts, actionId: 'approve-all' });
  return clickAnswer.parse(await (await fetch(`${slackUrl}/sandbox/click`, { method: 'POST', body })).json());
}

/** What a digest shows last is rendered by the clock; twice, because members are offered only after some seconds. */
async function passMinutes({ awsUrl, slackUrl }: ServerProcess, settleSeconds: number): Promise<void> {
  for (let left = 2; left > 0; left -= 1) {
    await fetch(`${slackUrl}/sandbox/clock`, { method: 'POST', body: JSON.stringify({ advance: '1m' }) });
    await untilSettled(awsUrl, settleSeconds);
  }
}

/** As `untilSettled`, which waits for ten minutes at most. */
async function settled({ awsUrl }: ServerProcess, atMostSeconds: number): Promise<void> {
  const end = performance.now() + atMostSeconds * 1000;
  while (performance.now() < end) {
    if ((await untilSettled(awsUrl, 120)).pending === 0) return;
  }
}
