import { Duration, Stack } from 'aws-cdk-lib';
import { CfnEventBusPolicy, CfnRule, EventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type IQueue, Queue, RedrivePermission } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { FUNCTIONS } from '../functions/contracts/functions.ts';
import { type EventQueueName, QUEUE_EVENT_PATTERNS } from '../functions/contracts/kms-event.ts';
import { acknowledge } from './acknowledge.ts';
import { type Deployment, namesOf } from './deployment.ts';
import { DEAD_LETTER_RETENTION, EncryptedQueue } from './encrypted-queue.ts';

/**
 * How long a message waits before anybody looks at its key: most of the time that people's tools need to switch rotation on.
 * A policy that grants longer is honoured by detect-finding, which gives the message back.
 */
export const GRACE: Record<EventQueueName, Duration> = {
  creations: Duration.minutes(3),
  changes: Duration.seconds(30),
};

/**
 * Six times the timeout, as Lambda asks of a queue that it reads (Lambda Developer Guide, "Configuring a queue to use with
 * Lambda"). It is also the pause before a failed message comes again: twenty times make two hours, which AWS may be out of
 * order without a message being set aside.
 */
const VISIBILITY = Duration.seconds(6 * FUNCTIONS['detect-finding'].timeoutSeconds);
/** Waiting for the end of a grace period counts as a receive too. */
const MAX_RECEIVES = 20;

/**
 * The way in: a bus that the watched accounts send to, and for each kind of event a rule and a queue in which it waits for
 * its grace period. The bus keeps its default encryption: the events are what CloudTrail says of calls to KMS, without
 * a secret, and an event that could not be decrypted would be an event that nobody looks at.
 */
export class EventIntake extends Construct {
  public readonly bus: EventBus;
  public readonly queues: Record<EventQueueName, Queue>;
  public readonly deadLetterQueues: Record<EventQueueName, Queue>;
  /** Events that a rule matched and EventBridge could not put into the queue. */
  public readonly undelivered: Queue;
  public readonly rules: Record<EventQueueName, CfnRule>;
  readonly #deployment: Deployment;
  readonly #key: IKey;

  public constructor(scope: Construct, id: string, { deployment, key }: { deployment: Deployment; key: IKey }) {
    super(scope, id);
    this.#deployment = deployment;
    this.#key = key;
    const { name } = deployment;
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: namesOf(deployment).eventBus,
      description: 'Events about KMS keys, from every watched account and Region',
    });
    this.#admitSenders();
    this.deadLetterQueues = { creations: this.#deadLetters('creations'), changes: this.#deadLetters('changes') };
    this.queues = { creations: this.#eventQueue('creations'), changes: this.#eventQueue('changes') };
    this.undelivered = new EncryptedQueue(this, 'Undelivered', {
      key,
      queueName: `${name}-undelivered`,
      retentionPeriod: DEAD_LETTER_RETENTION,
      redriveAllowPolicy: { redrivePermission: RedrivePermission.DENY_ALL },
    });
    acknowledge(this.undelivered, { 'AwsSolutions-SQS3': 'It is the dead-letter queue of the rules.' });
    this.rules = { creations: this.#rule('creations'), changes: this.#rule('changes') };
    for (const queue of [this.queues.creations, this.queues.changes]) this.#admitRules(queue);
    this.#admitRules(this.undelivered);
  }

  /** The accounts of the organization, and the hub's own. Nobody can send as `aws.kms` but EventBridge itself. */
  #admitSenders(): void {
    const { organization } = this.#deployment;
    const { account, partition } = Stack.of(this);
    const allow = { Effect: 'Allow', Action: 'events:PutEvents', Resource: this.bus.eventBusArn };
    const policy = (statementId: string, statement: object) =>
      new CfnEventBusPolicy(this, statementId, {
        eventBusName: this.bus.eventBusName,
        statementId,
        statement: { Sid: statementId, ...allow, ...statement },
      });
    policy('HubAccount', { Principal: { AWS: `arn:${partition}:iam::${account}:root` } });
    if (organization !== undefined) {
      policy('Organization', {
        Principal: '*',
        Condition: { StringEquals: { 'aws:PrincipalOrgID': organization.id } },
      });
    }
  }

  #deadLetters(name: EventQueueName): Queue {
    const source = `${this.#deployment.name}-${name}`;
    return new EncryptedQueue(this, `${name}-dead-letters`, {
      key: this.#key,
      queueName: `${source}-dead-letters`,
      retentionPeriod: DEAD_LETTER_RETENTION,
      redriveAllowPolicy: {
        redrivePermission: RedrivePermission.BY_QUEUE,
        // By its name: the queue itself names this one already.
        sourceQueues: [Queue.fromQueueArn(this, `${name}-source`, this.#arn('sqs', source))],
      },
    });
  }

  #eventQueue(name: EventQueueName): Queue {
    return new EncryptedQueue(this, name, {
      key: this.#key,
      queueName: `${this.#deployment.name}-${name}`,
      deliveryDelay: GRACE[name],
      visibilityTimeout: VISIBILITY,
      // Shorter than that of the dead letters, which counts from when a message was first sent.
      retentionPeriod: Duration.days(7),
      deadLetterQueue: { queue: this.deadLetterQueues[name], maxReceiveCount: MAX_RECEIVES },
    });
  }

  /** With a single account the rule asks for that account; with an organization the bus lets nobody else in. */
  #rule(name: EventQueueName): CfnRule {
    const { organization, hub } = this.#deployment;
    const accounts = organization === undefined ? { account: [hub.account] } : {};
    return new CfnRule(this, `${name}-rule`, {
      name: this.#ruleName(name),
      description: `KMS events that wait in the queue of ${name}`,
      eventBusName: this.bus.eventBusName,
      eventPattern: { ...accounts, ...QUEUE_EVENT_PATTERNS[name] },
      targets: [
        {
          id: 'queue',
          arn: this.queues[name].queueArn,
          deadLetterConfig: { arn: this.undelivered.queueArn },
        },
      ],
    });
  }

  #admitRules(queue: IQueue): void {
    const bus = namesOf(this.#deployment).eventBus;
    const rules = (['creations', 'changes'] as const).map((name) =>
      this.#arn('events', `rule/${bus}/${this.#ruleName(name)}`),
    );
    queue.addToResourcePolicy(
      new PolicyStatement({
        sid: 'RulesOfTheBus',
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [queue.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': rules } },
      }),
    );
  }

  #ruleName(name: EventQueueName): string {
    return `${this.#deployment.name}-${name}`;
  }

  #arn(service: string, resource: string): string {
    const { partition, region, account } = Stack.of(this);
    return `arn:${partition}:${service}:${region}:${account}:${resource}`;
  }
}
