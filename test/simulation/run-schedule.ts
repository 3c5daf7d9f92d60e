import { digest } from '../../functions/adapters/digest.ts';
import { parsePolicy } from '../../functions/contracts/policy.ts';
import { POLICY_PARTITION } from '../../functions/contracts/table.ts';
import type { Policy } from '../../functions/domain/policy.ts';
import type { WorkingHours } from '../../functions/domain/working-hours.ts';
import { asEventBridgeEvent } from '../../sandbox/aws/cloudtrail.ts';
import { createKms } from '../../sandbox/aws/kms/kms.ts';
import { sandboxPolicy } from '../../sandbox/sandbox-policy.ts';
import { WORKSPACE } from '../../sandbox/world.ts';
import type { Choices } from './choices.ts';
import { Containers } from './containers.ts';
import { Coverage } from './coverage.ts';
import { EventQueues, type Losses, Schedule, StreamConsumers } from './event-sources.ts';
import { HttpApi } from './http-api.ts';
import { enterOutside, type Outside } from './interception.ts';
import { Invariants } from './invariants.ts';
import { KeyOwners } from './key-owners.ts';
import { MemoryTable } from './memory-table.ts';
import { Calendar, Operators } from './operators.ts';
import { People } from './people.ts';
import { NeverAtRest, NO_MISFORTUNE, Scheduler } from './scheduler.ts';
import { createAws } from './simulated-aws.ts';
import { createSlack, INTERACTION_URL, URL_OF_SLACK } from './simulated-slack.ts';
import type { Situation } from './situations.ts';
import { Sweeps } from './sweeps.ts';

/** How rough a run is. */
export type Circumstances = {
  keys: number;
  /** How often engineers and tools change a key. */
  keyActs: number;
  /** How often people do something in Slack. */
  peopleActs: number;
  /** How many calls, deliveries and functions go wrong at most, and how likely (of 1000) each does. */
  misfortunes: number;
  likelihood: number;
  /** How long KMS answers what was true before a change. */
  staleReadsMs: number;
  /** How long the table's indexes show what was true before a write. */
  indexLagMs: number;
  mode: 'ask' | 'auto' | 'observe';
  /** How often a policy is stored that cannot be used. */
  policyMistakes: number;
  /** Findings of a minute that have messages of their own. */
  digestThreshold: number;
  /** Whether the keys are made at once, and all their findings go to the same channel. */
  isStorm: boolean;
  /** When people look for the first time: in a storm, when it has broken loose or when they can approve all of it. */
  firstLook: 'at once' | 'soon' | 'at the digest';
  /** Whether nothing goes wrong until then, so that it goes wrong in what people do about the storm. */
  isCalmBefore: boolean;
  /** Whether people may exempt all keys of a pattern. */
  patterns: boolean;
  /** How often time passes in leaps, up to months, while nothing is under way. */
  leaps: number;
  /** How often the keys of all accounts are swept; the last time when everything is quiet. */
  sweeps: number;
  /** How many of the first events never arrive: keys made before the bot was there, events that got lost. */
  lostEvents: number;
};

export type ScheduleResult = {
  steps: number;
  violations: readonly string[];
  reached: readonly Situation[];
  story: readonly string[];
};

export const SECRETS = { botToken: 'xoxb-simulated-token', signingSecret: 'simulated-signing-secret' };
const GRACE = { creations: 6, changes: 2 };
const SOON_MS = 5 * 60_000;
/** A storm that is no digest by then becomes none. */
const LATEST_LOOK_MS = 60 * 60_000;
const BEGINNING = Date.parse('2030-01-01T00:00:00Z');

/**
 * Plays one schedule in a world of its own and says what was wrong about it. Every schedule begins at the same instant and
 * with cold containers, so that it is the same whatever this process has played before.
 */
export async function runSchedule({
  choices,
  circumstances,
  name,
  withStory,
}: {
  choices: Choices;
  circumstances: Circumstances;
  /** Its ids follow from it. */
  name: string;
  withStory: boolean;
}): Promise<ScheduleResult> {
  const story: string[] = [];
  const misfortune = { budget: circumstances.misfortunes, weight: circumstances.likelihood };
  const scheduler = new Scheduler({
    choices,
    startAt: BEGINNING,
    misfortune: circumstances.isCalmBefore ? NO_MISFORTUNE : misfortune,
    tell(line) {
      if (withStory) story.push(`${new Date(scheduler.now()).toISOString().slice(5, 23)}  ${line()}`);
    },
  });
  const document = policyDocument(circumstances);
  const invariants = new Invariants({ now: () => scheduler.now(), policy: parsePolicy(document) });
  const coverage = new Coverage();
  const losses: Losses = { deadLetters: [], givenUp: [] };
  const lockedOut = new Set<string>();

  const containers = new Containers(scheduler);
  const queues = new EventQueues({ scheduler, containers, losses, delaySeconds: GRACE });
  const streams = new StreamConsumers({ scheduler, containers, losses, coverage });
  let toLose = circumstances.lostEvents;
  const kms = createKms({
    staleReads: { ms: circumstances.staleReadsMs },
    emit(record) {
      if (toLose > 0 && !record.readOnly) toLose -= 1;
      else queues.put(asEventBridgeEvent(record));
      const policyChange = record.eventName === 'PutKeyPolicy' ? record.resources?.[0]?.ARN : undefined;
      if (policyChange !== undefined) lockedOut.add(policyChange);
    },
    emitServiceEvent: (event) => {
      queues.put(event);
    },
  });
  const table = new MemoryTable({
    now: () => scheduler.now(),
    indexLagMs: circumstances.indexLagMs,
    onWrite(changes) {
      invariants.onWrite(changes, scheduler.acting());
      coverage.onWrite(changes, scheduler.acting());
      streams.put(changes);
    },
  });
  const writePolicy = (content: unknown) => {
    table.overwrite({ pk: POLICY_PARTITION, sk: 'CURRENT', document: content, version: digest(content) });
  };
  writePolicy(document);

  const onTold = (requestId: string, words: string) => {
    invariants.onTold(requestId, words);
  };
  const slack = createSlack({ scheduler, onTold, ...SECRETS });
  const httpApi = new HttpApi({
    ...{ scheduler, containers, onTold },
    onFailure: (error) => {
      invariants.onAnswerFailed(error);
    },
  });
  const aws = createAws({
    ...{ scheduler, table, kms },
    slackSecret: { ...SECRETS, botId: WORKSPACE.botId, botUserId: WORKSPACE.botUserId },
    changeVisibility: (handle, seconds) => {
      queues.changeVisibility(handle, seconds);
    },
    publish: (message) => {
      invariants.onPublish(message);
    },
    onKmsCall: (call) => {
      invariants.onKmsCall(call);
    },
  });
  const outside: Outside = {
    now: () => scheduler.now(),
    sleep: (milliseconds) =>
      scheduler.call({
        what: () => `waits ${milliseconds} ms`,
        effect: () => undefined,
        // Clocks count whole milliseconds.
        readyAt: scheduler.now() + Math.ceil(milliseconds),
      }),
    aws: aws.send,
    http(call) {
      if (call.url === INTERACTION_URL) return httpApi.send(call);
      return call.url.startsWith(URL_OF_SLACK) ? slack.http(call) : aws.http(call);
    },
  };
  enterOutside(outside, name);

  const people = new People({
    ...{ scheduler, slack, coverage, acts: circumstances.peopleActs, mayExemptPatterns: circumstances.patterns },
    from: BEGINNING + LATEST[circumstances.firstLook],
    looksAtDigests: circumstances.firstLook === 'at the digest',
    onFirstLook() {
      if (circumstances.isCalmBefore) scheduler.setMisfortune(misfortune);
    },
  });
  const owners = new KeyOwners({
    ...{ scheduler, kms, keys: circumstances.keys, acts: circumstances.keyActs },
    atOnce: circumstances.isStorm,
  });
  const schedule = new Schedule({ scheduler, containers, dueAt: () => table.earliestDeadline() });
  const operators = new Operators({
    ...{ scheduler, mistakes: circumstances.policyMistakes },
    isCalm: () => circumstances.isCalmBefore && !people.haveLooked(),
    storePolicy(isUsable) {
      // Whoever repairs it may take the opportunity to change a mode.
      const mode = MODES[scheduler.pick([1, 1, 1])] ?? circumstances.mode;
      writePolicy(isUsable ? policyDocument({ ...circumstances, mode }) : { version: 1, routes: 'to be written' });
      invariants.policyIsBroken(!isUsable);
      if (!isUsable) coverage.policyIsBroken();
    },
  });
  const sweeps = new Sweeps({ scheduler, containers, sweeps: circumstances.sweeps });
  const calendar = new Calendar({
    ...{ scheduler, leaps: circumstances.leaps },
    isIdle: () => people.haveLooked() && !scheduler.isBusy() && people.waiting() === 0 && !operators.isPolicyBroken(),
    hasDeliveries: () => queues.pending() + streams.pending() > 0,
  });
  for (const source of [queues, streams, httpApi, schedule, owners, people, operators, calendar, sweeps])
    scheduler.add(source);
  scheduler.onTime(() => {
    kms.tick();
    table.expire();
  });

  try {
    const isQuiet = () =>
      !scheduler.isBusy() &&
      queues.pending() + streams.pending() + httpApi.pending() + people.waiting() + sweeps.pending() === 0;
    await scheduler.run(() => owners.isDone() && people.isDone() && isQuiet());
    scheduler.tell(() => '--- from here on nothing goes wrong, and nobody does anything any more ---');
    scheduler.setMisfortune(NO_MISFORTUNE);
    owners.stop();
    people.stop();
    operators.stop();
    calendar.stop();
    sweeps.stop();
    await scheduler.run(() => false);
  } catch (error) {
    if (!(error instanceof NeverAtRest)) throw error;
    invariants.violations.push(error.message);
  }
  invariants.atRest({
    keys: kms.state(),
    lockedOut,
    workspace: slack.workspace,
    deleted: people.deleted,
    rows: table.items(),
    ...losses,
  });
  const { violations } = invariants;
  return { steps: scheduler.steps(), violations, reached: coverage.reached(), story };
}

/** Closed for three hours of the night only: while something is overdue the sweep runs every minute until they are over. */
const WORKING_HOURS: WorkingHours = {
  timeZone: 'Africa/Lagos',
  days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
  ...{ from: '03:00', to: '24:00' },
};

const LATEST: Record<Circumstances['firstLook'], number> = {
  ...{ 'at once': 0, soon: SOON_MS, 'at the digest': LATEST_LOOK_MS },
};

const MODES = ['ask', 'auto', 'observe'] as const;

/** Of one account in a storm, so that who approves all may not approve each. */
const FEWER_APPROVERS = ['U0APPROVER'];

function policyDocument({ mode, digestThreshold, isStorm, patterns }: Circumstances): Policy {
  const policy = parsePolicy(sandboxPolicy(GRACE));
  const graceSeconds = { default: 30, byEventName: { CreateKey: 180 } };
  const mayExempt = patterns ? policy.exemptions.patterns : null;
  const exemptions = { ...policy.exemptions, maximumTotalDays: 90, patterns: mayExempt };
  // One reminder is as good as three, and most schedules end with them.
  const unanswered = { remindAfterHours: [24], escalateAfterHours: 48, escalationChannel: 'C0SECURITY' };
  const { channel } = policy.defaultRoute;
  // One account asks for two people, so that schedules have both kinds.
  const routes = policy.routes.map((route) => ({
    ...{ ...route, fourEyes: true, workingHours: WORKING_HOURS },
    ...(isStorm ? { channel, approvers: { ...route.approvers, users: FEWER_APPROVERS } } : {}),
  }));
  return {
    ...{ ...policy, graceSeconds, unanswered, exemptions, routes },
    digest: { ...policy.digest, threshold: digestThreshold },
    defaultRoute: { ...policy.defaultRoute, mode },
  };
}
