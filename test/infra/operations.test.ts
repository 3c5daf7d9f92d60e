import { readFileSync } from 'node:fs';
import { jest } from '@jest/globals';
import type { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { digest } from '../../functions/adapters/digest.ts';
import { createMetrics } from '../../functions/adapters/metrics.ts';
import { measure } from '../../functions/announce-finding/measure.ts';
import { FUNCTION_NAMES } from '../../functions/contracts/functions.ts';
import { METRICS, METRICS_NAMESPACE, type MetricDatum, type MetricName } from '../../functions/contracts/metrics.ts';
import { STREAM_CONSUMER_NAMES } from '../../functions/contracts/stream-consumers.ts';
import { EMPTY_CHAIN, seal } from '../../functions/domain/audit.ts';
import { countStuck } from '../../functions/sweep-keys/gauges.ts';
import { aFinding, anOpening, later } from '../builders.ts';
import {
  type AlarmProperties,
  alarmResource,
  type Emitted,
  evaluate,
  type State,
  statesOf,
} from './simulated-alarms.ts';
import { DEPLOYMENT_FILES, synthesise } from './synthesise.ts';

const metricNames = Object.keys(METRICS);
const isOwn = (name: string): name is MetricName => metricNames.includes(name);
const [alone, organization] = await Promise.all(DEPLOYMENT_FILES.map((file) => synthesise(file)));
if (alone === undefined || organization === undefined) throw new Error('two deployment files');
const { hub } = alone;

function alarmsOf(template: Template): AlarmProperties[] {
  return Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
    (resource) => alarmResource.parse(resource).Properties,
  );
}
const alarms = alarmsOf(hub);
const shortName = ({ AlarmName }: AlarmProperties) => AlarmName.replace('kms-rotation-bot-', '');

/** Logical ids that are in some part of a template. */
const idsIn = (part: unknown): string[] =>
  [...JSON.stringify(part ?? null).matchAll(/"(?:Ref|Fn::GetAtt)":\[?"([^"]+)"/g)].map(([, id]) => id ?? '');
const resources = (type: string) => Object.entries(hub.findResources(type));
/** Whether some alarm is about this metric of this resource. */
const isWatched = (id: string, metricName: string) =>
  alarms.some(({ MetricName, Dimensions }) => MetricName === metricName && idsIn(Dimensions).includes(id));

describe('docs/runbook.md', () => {
  const [, ...sections] = readFileSync('docs/runbook.md', 'utf8').split(/^## /m);
  const anchorOf = (section: string) => section.split('\n')[0]?.trim().toLowerCase().replaceAll(' ', '-') ?? '';
  const anchors = sections.map(anchorOf);
  const linked = alarms.map(({ AlarmDescription }) => AlarmDescription.split('#').at(-1) ?? '');

  it('has a section for each alarm, and no other', () => {
    expect(new Set(anchors)).toEqual(new Set(linked));
    expect(anchors).toHaveLength(new Set(anchors).size);
  });

  test.each(sections.map((section) => [anchorOf(section), section]))(
    'says of %s what it is and what to do',
    (_, section) => {
      const parts = ['**Description.**', '**Investigation.**', '**Resolution.**'].map((part) => section.indexOf(part));
      expect(parts.every((place) => place > 0)).toBe(true);
      expect(parts).toEqual(parts.toSorted((a, b) => a - b));
    },
  );

  it('names only what is there: sections, functions and queues', () => {
    const text = sections.join('');
    const named = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name ?? ''))];
    expect(anchors).toEqual(expect.arrayContaining(named(/\]\(#([a-z-]+)\)/g)));
    expect(FUNCTION_NAMES).toEqual(expect.arrayContaining(named(/^logs ([a-z-]+) '/gm)));
    const queues = resources('AWS::SQS::Queue').map(([, queue]) => JSON.stringify(queue));
    const urls = named(/\$\(queue ([a-z-]+)\)/g);
    expect(urls.length).toBeGreaterThan(3);
    for (const name of urls) expect(queues.join('')).toContain(`"QueueName":"kms-rotation-bot-${name}"`);
  });
});

describe('every alarm', () => {
  test.each(DEPLOYMENT_FILES)('of %s tells the topic when it begins and ends, and says what it means', (file) => {
    const template = file === DEPLOYMENT_FILES[0] ? hub : organization.hub;
    const [topic] = Object.entries(template.findResources('AWS::SNS::Topic')).filter(([, found]) =>
      JSON.stringify(found).includes('kms-rotation-bot-alarms'),
    );
    const tell = [{ Ref: topic?.[0] }];
    for (const alarm of alarmsOf(template)) {
      expect(alarm).toMatchObject({ AlarmActions: tell, OKActions: tell });
      expect(alarm.AlarmDescription).toMatch(/^[A-Z].{30,}\. What to do: https:\/\/\S+\/runbook\.md#[a-z-]+$/);
      // PutMetricAlarm: a day, or seven for periods of an hour and more.
      expect(alarm.Period * alarm.EvaluationPeriods).toBeLessThanOrEqual(86_400 * (alarm.Period < 3600 ? 1 : 7));
    }
    expect(alarmsOf(template)).toHaveLength(alarms.length);
  });

  it('about a metric of the bot names one that exists, as the function that emits it writes it', () => {
    const own = alarms.filter(({ Namespace }) => Namespace === METRICS_NAMESPACE);
    expect(own.length).toBeGreaterThan(5);
    for (const { MetricName, Dimensions } of own) {
      if (!isOwn(MetricName)) throw new Error(`nothing emits ${MetricName}`);
      const { emittedBy, dimensions } = METRICS[MetricName];
      expect(dimensions).toEqual([]);
      expect(Dimensions).toEqual([{ Name: 'service', Value: `kms-rotation-bot-${emittedBy}` }]);
    }
  });
});

describe('nothing is without an alarm:', () => {
  const fn = resources('AWS::Lambda::Function');
  const mappings = resources('AWS::Lambda::EventSourceMapping');
  const source = z.object({
    Properties: z.object({ EventSourceArn: z.unknown(), FunctionName: z.unknown() }),
  });

  test.each(fn.map(([id]) => id))('the function %s', (id) => {
    expect([isWatched(id, 'Errors'), isWatched(id, 'Throttles')]).toEqual([true, true]);
  });

  test.each(resources('AWS::SQS::Queue').map(([id]) => id))('the queue %s', (id) => {
    const isRead = mappings.some(([, found]) => idsIn(source.parse(found).Properties.EventSourceArn).includes(id));
    expect(isWatched(id, isRead ? 'ApproximateAgeOfOldestMessage' : 'ApproximateNumberOfMessagesVisible')).toBe(true);
  });

  it('what reads the stream', () => {
    const readers = mappings
      .map(([, found]) => source.parse(found).Properties)
      .filter(({ EventSourceArn }) => JSON.stringify(EventSourceArn).includes('StreamArn'))
      .flatMap(({ FunctionName }) => idsIn(FunctionName));
    expect(readers).toHaveLength(STREAM_CONSUMER_NAMES.length);
    for (const id of readers) expect(isWatched(id, 'IteratorAge')).toBe(true);
  });

  it('rules, the sweep of keys, schedules and the API', () => {
    const expected: Record<string, string[]> = {
      'AWS::Events::Rule': ['InvocationsFailedToBeSentToDlq'],
      'AWS::StepFunctions::StateMachine': ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsSucceeded'],
      'AWS::Scheduler::ScheduleGroup': ['TargetErrorCount'],
      'AWS::ApiGatewayV2::Api': ['5xx'],
      'AWS::DynamoDB::GlobalTable': ['ThrottledRequests', 'SystemErrors'],
    };
    for (const [type, metrics] of Object.entries(expected)) {
      expect(resources(type).length).toBeGreaterThan(0);
      for (const [id] of resources(type)) {
        for (const metric of metrics)
          expect({ id, metric, watched: isWatched(id, metric) }).toMatchObject({ watched: true });
      }
    }
  });
});

describe('the topic', () => {
  it('lets alarms of this account in, and is read and written over TLS only', () => {
    const policies = JSON.stringify(resources('AWS::SNS::TopicPolicy').filter(([id]) => id.includes('AlarmTopic')));
    expect(policies).toContain('"Service":"cloudwatch.amazonaws.com"');
    expect(policies).toContain('"aws:SourceAccount":"111122223333"');
    expect(policies).toContain('"aws:SecureTransport":"false"');
  });

  it('is under a key that CloudWatch may use', () => {
    const [key] = resources('AWS::KMS::Key').map(([, found]) => JSON.stringify(found));
    expect(key).toMatch(/CloudWatchAlarmsIntoTopic/);
    const topic = resources('AWS::SNS::Topic').find(([id]) => id.includes('AlarmTopic'));
    expect(JSON.stringify(topic)).toContain('KmsMasterKeyId');
  });

  it('tells the addresses of the deployment file', () => {
    const { alarmEmails } = organization.deployment.operations;
    expect(alarmEmails.length).toBeGreaterThan(0);
    for (const Endpoint of alarmEmails) {
      organization.hub.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint });
    }
  });
});

describe('the dashboard', () => {
  const body = JSON.stringify(Object.values(hub.findResources('AWS::CloudWatch::Dashboard'))).replaceAll('\\', '');

  it('shows every metric of the bot, by its name', () => {
    const plain = [...body.matchAll(/"KmsRotationBot","(\w+)","service","kms-rotation-bot-([a-z-]+)"/g)];
    const searched = [...body.matchAll(/service="kms-rotation-bot-([a-z-]+)" MetricName="(\w+)"/g)];
    const shown = [
      ...plain.map(([, name, service]) => [name, service]),
      ...searched.map(([, service, name]) => [name, service]),
    ];
    for (const [name = '', service] of shown) {
      if (!isOwn(name)) throw new Error(`nothing emits ${name}`);
      expect(service).toBe(METRICS[name].emittedBy);
    }
    expect(new Set(shown.map(([name]) => name))).toEqual(new Set(metricNames));
  });

  it('searches where a metric has further dimensions', () => {
    expect(body).toContain('{KmsRotationBot,service,problem,severity}');
    expect(body).toContain('{KmsRotationBot,service,decision}');
  });

  it('shows all alarms', () => {
    const [[, dashboard] = []] = resources('AWS::CloudWatch::Dashboard');
    const ids = new Set(idsIn(dashboard));
    for (const [id] of resources('AWS::CloudWatch::Alarm')) expect(ids).toContain(id);
  });
});

const emfLine = z.looseObject({
  _aws: z.object({
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string() })),
      }),
    ),
  }),
});
type Own = { namespace: string; name: string; dimensions: object[]; value: number };

/** What CloudWatch makes of the lines that a function writes. */
function ownData(act: () => void): Own[] {
  const lines: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    lines.push(String(chunk));
    return true;
  });
  act();
  write.mockRestore();
  return lines.flatMap((text) => {
    const line = emfLine.parse(JSON.parse(text));
    return line._aws.CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
      Metrics.map(({ Name: name }) => ({
        ...{ namespace, name, value: z.number().parse(line[name]) },
        dimensions: (Dimensions[0] ?? []).map((dimension) => ({ Name: dimension, Value: line[dimension] })),
      })),
    );
  });
}

const HOUR = 60;
const DAY = 24 * HOUR;
const every = (minutes: number, value: number, { from = 0, until }: { from?: number; until: number }): Emitted[] =>
  Array.from({ length: Math.ceil((until - from) / minutes) }, (_, index) => ({
    minute: from + index * minutes,
    value,
  }));

const announce = createMetrics('announce-finding', { AWS_LAMBDA_FUNCTION_NAME: 'kms-rotation-bot-announce-finding' });
const detect = createMetrics('detect-finding', { AWS_LAMBDA_FUNCTION_NAME: 'kms-rotation-bot-detect-finding' });
const sweep = createMetrics('sweep-keys', { AWS_LAMBDA_FUNCTION_NAME: 'kms-rotation-bot-sweep-keys' });

const sealing = { cause: { kind: 'clock' as const, id: 'run-1' }, policyVersion: '1', newId: () => 'event-1' };
const [opened] = seal(EMPTY_CHAIN, [anOpening()], sealing, digest).records;
if (opened === undefined) throw new Error('nothing was sealed');
const failure = {
  type: 'remediation-failed',
  at: later({ minutes: 20 }),
  kmsRequestId: null,
  failure: { because: 'rotation-limit-reached' },
} as const;
const stuckAt = (minutes: number) =>
  countStuck(later({ minutes }), {
    findingsByStatus: (status) => Promise.resolve(status === 'approved' ? [aFinding('approved')] : []),
  });
const [stuck, notStuck] = await Promise.all([stuckAt(60), stuckAt(11)]);

type Put = () => void;
const announced =
  (...data: MetricDatum<'announce-finding'>[]): Put =>
  () => {
    announce.put(data);
  };
const detected =
  (...data: MetricDatum<'detect-finding'>[]): Put =>
  () => {
    detect.put(data);
  };
const swept =
  (...data: MetricDatum<'sweep-keys'>[]): Put =>
  () => {
    sweep.put(data);
  };
const announcedOpening = announced(...measure(opened, aFinding('open')));
const handled = detected({ name: 'EventsHandled', value: 1 });
const done = swept({ name: 'SweepsDone', value: 1 }, { name: 'PolicyUnreadable', value: 0 });
const policyUnreadable = swept({ name: 'PolicyUnreadable', value: 1 });

/** What the functions emit that an alarm of the bot's own metrics is about, by the alarm: in trouble, and in health. */
const OWN: Record<string, { trouble: Put; health: Put; everyMinutes: number }> = {
  'no-events-handled': { trouble: () => undefined, health: handled, everyMinutes: 12 * HOUR },
  'events-unreadable': {
    trouble: detected({ name: 'EventsUnreadable', value: 1 }),
    ...{ health: handled, everyMinutes: 6 },
  },
  'slack-refused': {
    trouble: announced({ name: 'SlackRefused', value: 1 }),
    ...{ health: announcedOpening, everyMinutes: 60 },
  },
  'remediations-failed': {
    trouble: announced(...measure({ ...opened, event: failure }, aFinding('open'))),
    ...{ health: announcedOpening, everyMinutes: 60 },
  },
  'findings-stuck': { trouble: swept(...stuck), health: swept(...notStuck), everyMinutes: 1 },
  'deadlines-not-swept': { trouble: policyUnreadable, health: done, everyMinutes: 1 },
  'policy-unreadable': { trouble: policyUnreadable, health: done, everyMinutes: 1 },
  'due-findings-failed': {
    trouble: swept({ name: 'DueFindingsFailed', value: 2 }),
    ...{ health: done, everyMinutes: 1 },
  },
};

function emitted(alarm: AlarmProperties, put: Put, everyMinutes: number, until: number): Emitted[] {
  const data = ownData(() => {
    put();
    for (const { middleware } of [announce, detect, sweep]) middleware.after();
  }).filter(
    ({ namespace, name, dimensions }) =>
      namespace === alarm.Namespace &&
      name === alarm.MetricName &&
      JSON.stringify(dimensions) === JSON.stringify(alarm.Dimensions),
  );
  return data.flatMap(({ value }) => every(everyMinutes, value, { until }));
}

/** What AWS's own metrics are like: a series that has to wake somebody, and one that must not. */
function series(alarm: AlarmProperties, until: number): { trouble: Emitted[]; health: Emitted[] } {
  const name = shortName(alarm);
  const own = OWN[name];
  if (own !== undefined) {
    return {
      trouble: emitted(alarm, own.trouble, own.everyMinutes, until),
      health: emitted(alarm, own.health, own.everyMinutes, until),
    };
  }
  const half = until / 2;
  switch (alarm.MetricName) {
    case 'Invocations': // Two heartbeats a day; then none.
      return { trouble: every(12 * HOUR, 1, { until: half }), health: every(12 * HOUR, 1, { until }) };
    case 'ExecutionsSucceeded': // Once a day; then no more.
      return { trouble: every(DAY, 1, { until: DAY }), health: every(DAY, 1, { from: 30, until }) };
    case 'ApproximateNumberOfMessagesVisible': // The queue is empty, and from then on it is not.
      return {
        trouble: [...every(5, 0, { until: half }), ...every(5, 1, { from: half, until })],
        health: every(5, 0, { until: half }),
      };
    case 'ApproximateAgeOfOldestMessage': // Seconds; the detector is away for two hours, or messages wait as they should.
      return { trouble: every(1, 7200, { from: half, until }), health: every(1, 600, { until }) };
    case 'IteratorAge': // Milliseconds; Slack is down, or for a moment many announcements are due.
      return { trouble: every(1, 1_800_000, { from: half, until }), health: every(90, 1_000_000, { until }) };
    case 'Duration': // Milliseconds; DynamoDB is slow, or a single cold start was.
      return {
        trouble: every(2, 2900, { from: half, until }),
        health: [...every(2, 90, { until }), { minute: 7, value: 2800 }],
      };
    case 'Errors':
    case 'Throttles':
      // A message that fails comes again every six minutes. One failure that heals wakes nobody, where nobody waits.
      return {
        trouble: every(6, 1, { from: half, until }),
        health: [...every(1, 0, { until }), ...(name.startsWith('decide') ? [] : [{ minute: 42, value: 1 }])],
      };
    case 'ThrottledRequests':
    case 'SystemErrors':
      return { trouble: every(2, 3, { from: half, until }), health: [{ minute: 42, value: 1 }] };
    case '5xx':
    case 'ExecutionsFailed':
    case 'ExecutionsTimedOut':
    case 'TargetErrorCount':
    case 'InvocationsFailedToBeSentToDlq':
      return { trouble: [{ minute: 42, value: 1 }], health: every(1, 0, { until }) };
    default:
      throw new Error(`what is ${alarm.MetricName} like in trouble?`);
  }
}

describe('over simulated metrics', () => {
  const LONG = 6 * DAY;

  test.each(alarms.map((alarm) => [shortName(alarm), alarm] as const))(
    '%s alarms in trouble and is quiet in health',
    (_, alarm) => {
      const until = alarm.Period < 3600 ? 6 * HOUR : LONG;
      const { trouble, health } = series(alarm, until);
      expect(statesOf(alarm, trouble, until)).toContain('ALARM');
      expect(new Set(statesOf(alarm, health, until))).toEqual(new Set(['OK']));
    },
  );

  it.each([
    ['no-events-arrive', 24, 28],
    ['key-sweep-missing', 48, 54],
  ])('%s is told after %i to %i hours without', (name, least, most) => {
    const alarm = alarms.find((one) => shortName(one) === name);
    if (alarm === undefined) throw new Error(name);
    const states = statesOf(alarm, every(12 * HOUR, 1, { until: 2 * DAY + 1 }), LONG);
    const hoursWithout = states.indexOf('ALARM') - 48;
    expect(hoursWithout).toBeGreaterThanOrEqual(least);
    expect(hoursWithout).toBeLessThanOrEqual(most);
  });

  it('ends when what was wrong is over', () => {
    const alarm = alarms.find((one) => shortName(one) === 'detect-finding-errors');
    if (alarm === undefined) throw new Error('no alarm');
    expect(statesOf(alarm, every(6, 1, { until: 60 }), 6 * HOUR).at(-1)).toBe('OK');
  });
});

describe('the simulated evaluation', () => {
  const settings = {
    Period: 60,
    EvaluationPeriods: 3,
    Threshold: 1,
    ComparisonOperator: 'GreaterThanThreshold',
  } as const;
  const read = (range: string) => Array.from(range, (one) => (one === '-' ? null : one === 'X' ? 2 : 0));
  const treatments = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;
  const retained = 'INSUFFICIENT_DATA';

  // CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data": its two tables, 3 of 3 and 2 of 3.
  it.each<[number, string, State[]]>([
    [3, '0-X-X', ['OK', 'OK', 'OK', 'OK']],
    [3, '0----', ['OK', 'OK', 'OK', 'OK']],
    [3, '-----', ['INSUFFICIENT_DATA', retained, 'ALARM', 'OK']],
    [3, '0XX-X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    [3, '--X--', ['ALARM', retained, 'ALARM', 'OK']],
    [2, '0-X-X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    [2, '00X0X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    [2, '0-X--', ['OK', 'OK', 'ALARM', 'OK']],
    [2, '----0', ['OK', 'OK', 'ALARM', 'OK']],
    [2, '---X-', ['ALARM', retained, 'ALARM', 'OK']],
  ])('decides about %i of 3 over %s as CloudWatch does', (DatapointsToAlarm, range, expected) => {
    const states = treatments.map((TreatMissingData) =>
      evaluate({ ...settings, DatapointsToAlarm, TreatMissingData }, read(range), retained),
    );
    expect(states).toEqual(expected);
  });
});
