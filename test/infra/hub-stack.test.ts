import { readdirSync, readFileSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { FUNCTION_NAMES, FUNCTIONS } from '../../functions/contracts/functions.ts';
import { QUEUE_EVENT_PATTERNS } from '../../functions/contracts/kms-event.ts';
import { STREAM_CONSUMER_NAMES, streamFilters } from '../../functions/contracts/stream-consumers.ts';
import { assertPattern, matches } from '../../sandbox/aws/event-bridge.ts';
import { DEPLOYMENT_FILES, synthesise } from './synthesise.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);
const rule = z.object({ Properties: z.object({ Name: z.string(), EventPattern: z.looseObject({}) }) });

const [alone, organization] = await Promise.all(DEPLOYMENT_FILES.map((file) => synthesise(file)));
if (alone === undefined || organization === undefined) throw new Error('two deployment files');
const { hub } = alone;

function patternsOf(template: typeof hub): Record<string, Record<string, unknown>> {
  const rules = Object.values(template.findResources('AWS::Events::Rule')).map((found) => rule.parse(found).Properties);
  return Object.fromEntries(
    rules.map(({ Name, EventPattern }) => [Name.replace('kms-rotation-bot-', ''), EventPattern]),
  );
}

describe('the rules', () => {
  it('have the patterns of the sandbox, and with a single account ask for that account', () => {
    expect(patternsOf(organization.hub)).toEqual(QUEUE_EVENT_PATTERNS);
    const { creations, changes } = QUEUE_EVENT_PATTERNS;
    const account = ['111122223333'];
    expect(patternsOf(hub)).toEqual({ creations: { account, ...creations }, changes: { account, ...changes } });
  });

  test.each(readdirSync(FIXTURES).filter((name) => name.endsWith('.json')))(
    'decide about %s as the sandbox does',
    (file) => {
      const fixture = z.looseObject({}).parse(JSON.parse(readFileSync(new URL(file, FIXTURES), 'utf8')));
      const event = { ...fixture, account: '111122223333' };
      for (const template of [hub, organization.hub]) {
        const { creations, changes } = patternsOf(template);
        assertPattern(creations);
        assertPattern(changes);
        expect([matches(creations, event), matches(changes, event)]).toEqual([
          matches(QUEUE_EVENT_PATTERNS.creations, fixture),
          matches(QUEUE_EVENT_PATTERNS.changes, fixture),
        ]);
      }
      expect(matches(patternsOf(hub)['creations'], { ...fixture, account: '999999999999' })).toBe(false);
      expect(matches(patternsOf(hub)['changes'], { ...fixture, account: '999999999999' })).toBe(false);
    },
  );
});

describe('the bus', () => {
  const statement = (allowed: object) => ({
    Statement: Match.objectLike({ Effect: 'Allow', Action: 'events:PutEvents', ...allowed }),
  });

  it('lets in the hub account alone', () => {
    hub.resourceCountIs('AWS::Events::EventBusPolicy', 1);
    const root = { AWS: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::111122223333:root']] } };
    hub.hasResourceProperties('AWS::Events::EventBusPolicy', statement({ Principal: root }));
  });

  it('lets in the organization when there is one', () => {
    organization.hub.resourceCountIs('AWS::Events::EventBusPolicy', 2);
    const Condition = { StringEquals: { 'aws:PrincipalOrgID': 'o-exampleorgid' } };
    organization.hub.hasResourceProperties('AWS::Events::EventBusPolicy', statement({ Principal: '*', Condition }));
  });
});

describe('the queues', () => {
  it('delay by the grace period, and come again before they are set aside', () => {
    for (const [QueueName, DelaySeconds] of [
      ['kms-rotation-bot-creations', 180],
      ['kms-rotation-bot-changes', 30],
    ]) {
      hub.hasResourceProperties('AWS::SQS::Queue', {
        QueueName,
        DelaySeconds,
        VisibilityTimeout: 360,
        RedrivePolicy: Match.objectLike({ maxReceiveCount: 20 }),
      });
    }
  });

  it('are encrypted with the key of the hub, speak TLS only, and keep what was set aside for two weeks', () => {
    hub.allResourcesProperties('AWS::SQS::Queue', {
      KmsMasterKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] },
    });
    hub.allResourcesProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
    const kept = hub.findResources('AWS::SQS::Queue', { Properties: { MessageRetentionPeriod: 1_209_600 } });
    expect(Object.keys(kept)).toHaveLength(4);
  });
});

describe('the functions', () => {
  test.each(FUNCTION_NAMES)(
    '%s runs on Node.js 24, within what the contract gives it, in a role that others know',
    (name) => {
      const { timeoutSeconds, memoryMb } = FUNCTIONS[name];
      hub.hasResourceProperties('AWS::Lambda::Function', {
        FunctionName: `kms-rotation-bot-${name}`,
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Timeout: timeoutSeconds,
        MemorySize: memoryMb,
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogFormat: 'JSON', LogGroup: Match.anyValue() },
      });
      hub.hasResourceProperties('AWS::IAM::Role', { RoleName: `kms-rotation-bot-${name}` });
      hub.hasResourceProperties('AWS::Logs::LogGroup', {
        LogGroupName: `/aws/lambda/kms-rotation-bot-${name}`,
        RetentionInDays: 365,
        KmsKeyId: Match.anyValue(),
      });
    },
  );

  it('set concurrency aside as the deployment file says', () => {
    for (const [name, ReservedConcurrentExecutions] of [
      ['decide-finding', 20],
      ['announce-finding', 5],
    ]) {
      const FunctionName = `kms-rotation-bot-${String(name)}`;
      hub.hasResourceProperties('AWS::Lambda::Function', { FunctionName, ReservedConcurrentExecutions });
    }
  });

  it('stay within the limits that their code counts on', () => {
    expect(FUNCTIONS['remediate-key'].timeoutSeconds).toBeGreaterThanOrEqual(180);
    expect(FUNCTIONS['remediate-key'].timeoutSeconds).toBeLessThan(300);
    expect(FUNCTIONS['announce-finding'].timeoutSeconds).toBeLessThan(90);
    expect(FUNCTIONS['sweep-keys'].timeoutSeconds).toBeGreaterThan(20);
  });
});

it.each(STREAM_CONSUMER_NAMES)('starts %s from the stream, tried for half a day', (name) => {
  hub.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
    FilterCriteria: { Filters: streamFilters(name).map((filter) => ({ Pattern: JSON.stringify(filter) })) },
    BatchSize: 1,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: 43_200,
    ParallelizationFactor: name === 'announce-finding' ? 5 : 10,
    DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
  });
});

it('takes from both event queues one message at a time', () => {
  const sources = hub.findResources('AWS::Lambda::EventSourceMapping', {
    Properties: {
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 10 },
    },
  });
  expect(Object.keys(sources)).toHaveLength(2);
});

it('keeps the table: recovery, protection, its own key, whatever happens to the stack', () => {
  hub.hasResource('AWS::DynamoDB::GlobalTable', {
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      TableName: 'kms-rotation-bot',
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      Replicas: [
        Match.objectLike({
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          SSESpecification: Match.anyValue(),
        }),
      ],
    },
  });
});

it('rotates its own key every year', () => {
  hub.hasResource('AWS::KMS::Key', {
    DeletionPolicy: 'Retain',
    Properties: { EnableKeyRotation: true, RotationPeriodInDays: 365 },
  });
});

it('lets the internet reach POST /slack/events and nothing else, logged without what people wrote', () => {
  hub.resourceCountIs('AWS::ApiGatewayV2::Route', 1);
  hub.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: 'POST /slack/events' });
  hub.resourceCountIs('AWS::Lambda::Url', 0);
  hub.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
    DefaultRouteSettings: { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 },
    AccessLogSettings: { Format: Match.not(Match.stringLikeRegexp('body|header|querystring')) },
  });
});

it('sweeps every minute, and twice a day tags its own key', () => {
  hub.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(1 minute)' });
  hub.hasResourceProperties('AWS::Scheduler::Schedule', {
    ScheduleExpression: 'rate(12 hours)',
    Target: Match.objectLike({
      Arn: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':scheduler:::aws-sdk:kms:tagResource']] },
    }),
  });
});
