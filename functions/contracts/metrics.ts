/**
 * The CloudWatch namespace of everything the bot counts. Each metric has the dimension `service`, the name of the function
 * that emits it, so that two deployments are told apart.
 */
export const METRICS_NAMESPACE = 'KmsRotationBot';

type Definition = {
  unit: 'Count' | 'Seconds';
  emittedBy: 'announce-finding' | 'sweep-keys' | 'detect-finding';
  /** Beside the function's name. None of them names a key: each value would be a metric that is paid for. */
  dimensions: readonly string[];
  meaning: string;
};

/**
 * Every metric of the bot. Those of announce-finding count audit events that have been announced; the stream delivers at
 * least once, so after a failure an event may be counted twice. For exact numbers ask the audit trail.
 */
export const METRICS = {
  FindingsOpened: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: ['problem', 'severity'] },
    meaning: 'Episodes that began, by what is wrong and how severe it is',
  },
  FindingsClosed: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'Findings that settled without the bot: compliant again, or nothing to rotate any more',
  },
  FindingsDecided: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: ['decision'] },
    meaning: 'Decisions by people, and by the policy in automatic routes',
  },
  FindingsEscalated: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'Findings that nobody decided about in the time that the policy allows',
  },
  CommandsRefused: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'Attempts to decide that the rules refused',
  },
  TimeToDecision: {
    ...{ unit: 'Seconds', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'From the opening of the episode to a decision of a person while the finding was open',
  },
  TimeToRemediate: {
    ...{ unit: 'Seconds', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'From the opening of the episode to rotation read back as it should be',
  },
  RemediationsConfirmed: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'Changes of a key, or their back-outs, that were read back from KMS',
  },
  RemediationsFailed: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'Approved changes of a key that ended without the wanted result',
  },
  ExemptionsGranted: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'Findings that became exempt',
  },
  ExemptionsEnded: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'Exempt findings that are exempt no more: expired, revoked or settled',
  },
  SlackRefused: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'Announcements that Slack refuses for good; nobody reads them in Slack',
  },
  SlackRateLimited: {
    ...{ unit: 'Count', emittedBy: 'announce-finding', dimensions: [] },
    meaning: 'Calls that Slack put off; the stream brings the event again',
  },
  EventsHandled: {
    ...{ unit: 'Count', emittedBy: 'detect-finding', dimensions: [] },
    meaning: 'Events about keys that were looked into',
  },
  EventsUnreadable: {
    ...{ unit: 'Count', emittedBy: 'detect-finding', dimensions: [] },
    meaning: 'Receipts of a message that is no event the bot can read; it comes again until it is set aside',
  },
  SweepsDone: {
    ...{ unit: 'Count', emittedBy: 'sweep-keys', dimensions: [] },
    meaning: 'Runs that did what was due, though single findings may have failed',
  },
  DueFindingsFailed: {
    ...{ unit: 'Count', emittedBy: 'sweep-keys', dimensions: [] },
    meaning: 'Findings that were due and could not be brought forward in this run',
  },
  PolicyUnreadable: {
    ...{ unit: 'Count', emittedBy: 'sweep-keys', dimensions: [] },
    meaning: '1 for a run without a usable policy, 0 for one with',
  },
  FindingsStuck: {
    ...{ unit: 'Count', emittedBy: 'sweep-keys', dimensions: [] },
    meaning: 'Findings that were approved and have had no result for longer than the watchdog waits',
  },
  FindingsOpen: {
    ...{ unit: 'Count', emittedBy: 'sweep-keys', dimensions: [] },
    meaning: 'Findings that wait for a decision: open or failed',
  },
  ExemptionsLive: {
    ...{ unit: 'Count', emittedBy: 'sweep-keys', dimensions: [] },
    meaning: 'Exemptions that hold',
  },
  ExemptionsExpiring: {
    ...{ unit: 'Count', emittedBy: 'sweep-keys', dimensions: [] },
    meaning: 'Exemptions that end within seven days',
  },
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof METRICS;

/** The functions that emit metrics. */
export type Emitter = (typeof METRICS)[MetricName]['emittedBy'];

type NameOf<E extends Emitter> = {
  [N in MetricName]: (typeof METRICS)[N]['emittedBy'] extends E ? N : never;
}[MetricName];

/** One value of one of the metrics that this function emits. */
export type MetricDatum<E extends Emitter> = { name: NameOf<E>; value: number; dimensions?: Record<string, string> };
