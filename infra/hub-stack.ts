import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { FunctionName } from '../functions/contracts/functions.ts';
import { acknowledge } from './acknowledge.ts';
import { BotFunction, type FunctionEnvironment } from './bot-function.ts';
import { type Deployment, namesOf } from './deployment.ts';
import { EncryptionKey } from './encryption-key.ts';
import { EventIntake } from './event-intake.ts';
import { StreamReactions, takeFromQueue } from './event-sources.ts';
import { FindingsTable } from './findings-table.ts';
import { KeySweep } from './key-sweep.ts';
import { Notices } from './notices.ts';
import { Operations } from './operations/operations.ts';
import * as allow from './permissions.ts';
import { Schedules } from './schedules.ts';
import { SlackApi } from './slack-api.ts';
import { SlackSecret } from './slack-secret.ts';

/** What every function runs, one file `index.js` each. */
export type FunctionCode = Readonly<Record<FunctionName, Code>>;

/** The bot itself, in the hub account: from the event bus to Slack. */
export class HubStack extends Stack {
  public readonly key: EncryptionKey;
  public readonly table: FindingsTable;
  public readonly notices: Notices;
  public readonly slackSecret: SlackSecret;
  public readonly intake: EventIntake;
  public readonly reactions: StreamReactions;
  public readonly functions: { readonly [Name in FunctionName]: BotFunction<Name> };
  public readonly slackApi: SlackApi;
  public readonly schedules: Schedules;
  public readonly keySweep: KeySweep;
  public readonly operations: Operations;

  public constructor(scope: Construct, { deployment, code }: { deployment: Deployment; code: FunctionCode }) {
    const { name, hub } = deployment;
    const names = namesOf(deployment);
    super(scope, names.hubStack, {
      description: 'kms-rotation-bot: event bus, queues, functions, findings table and the door for Slack',
      env: { account: hub.account, region: hub.region },
      terminationProtection: true,
    });
    this.key = new EncryptionKey(this, 'Key', deployment);
    this.table = new FindingsTable(this, 'Findings', { tableName: names.table, key: this.key });
    this.notices = new Notices(this, 'Notices', { name, key: this.key });
    this.slackSecret = new SlackSecret(this, 'SlackSecret', { secretName: names.slackSecret, key: this.key });
    this.intake = new EventIntake(this, 'Intake', { deployment, key: this.key });
    this.reactions = new StreamReactions(this, 'Reactions', {
      table: this.table,
      key: this.key,
      queueName: `${name}-stream-failures`,
    });

    this.functions = this.#makeFunctions(deployment, code);
    const detect = this.functions['detect-finding'];
    const remediate = this.functions['remediate-key'];
    const announce = this.functions['announce-finding'];
    const sweep = this.functions['sweep-keys'];
    if (deployment.organization !== undefined) {
      const { readRole, remediateRole } = names;
      for (const { role } of [detect, sweep]) acknowledge(role, allow.everyAccount(readRole));
      acknowledge(remediate.role, allow.everyAccount(readRole, remediateRole));
    }

    const { creations, changes } = this.intake.queues;
    takeFromQueue(detect, 'Creations', { queue: creations, target: detect.function });
    takeFromQueue(detect, 'Changes', { queue: changes, target: detect.function });
    this.reactions.start('detect-finding', detect.function);
    this.reactions.start('remediate-key', remediate.function);
    const { announceFinding: atOnce } = deployment.operations.reservedConcurrency;
    this.reactions.start('announce-finding', announce.function, atOnce);
    this.reactions.start('sweep-keys', sweep.function);
    this.slackApi = new SlackApi(this, 'SlackApi', {
      deployment,
      key: this.key,
      decideFinding: this.functions['decide-finding'].function,
    });
    this.schedules = new Schedules(this, 'Schedules', {
      name,
      key: this.key,
      sweepKeys: sweep.function,
    });

    this.keySweep = new KeySweep(this, 'KeySweep', { deployment, sweepKeys: sweep.function, key: this.key });
    const { key, table, intake, reactions, functions, slackApi, schedules, keySweep } = this;
    this.operations = new Operations(this, 'Operations', {
      ...{ deployment, key, table, intake, reactions, functions, slackApi, schedules, keySweep },
    });

    this.#output('SlackRequestUrl', this.slackApi.requestUrl, 'Request URL of the Slack app');
    this.#output('SlackSecretArn', this.slackSecret.secretArn, 'Filled by npm run slack:connect');
    this.#output('TableName', this.table.tableName, 'Findings, audit events and the policy');
    this.#output('NoticesTopicArn', this.notices.topicArn, 'Audit events and alerts, to subscribe to');
    this.#output('AlarmTopicArn', this.operations.topic.topicArn, 'Alarms, to subscribe to');
    this.#output('EventBusArn', this.intake.bus.eventBusArn, 'Where watched accounts send events to');
  }

  #makeFunctions(deployment: Deployment, code: FunctionCode): HubStack['functions'] {
    const { table, notices, slackSecret, intake } = this;
    const { readRole, remediateRole } = namesOf(deployment);
    const { decideFinding, announceFinding } = deployment.operations.reservedConcurrency;
    const TABLE_NAME = table.tableName;
    const keyAccess = { READ_ROLE_NAME: readRole, EXTERNAL_ID: deployment.externalId };
    const SLACK_SECRET_ID = slackSecret.secretArn;
    const TOPIC_ARN = notices.topicArn;
    const { creations, changes } = intake.queues;
    const queues = { CREATIONS_QUEUE_URL: creations.queueUrl, CHANGES_QUEUE_URL: changes.queueUrl };
    const watched = {
      WATCHED_REGIONS: deployment.regions.join(','),
      ...(deployment.organization === undefined ? {} : { WATCHED_UNITS: deployment.organization.targets.join(',') }),
    };
    const stream = allow.consumeStream(table, this.reactions.failures);

    const make = <Name extends FunctionName>(
      functionName: Name,
      environment: FunctionEnvironment<Name>,
      permissions: PolicyStatement[],
      reservedConcurrency: number | null = null,
    ) =>
      new BotFunction(this, {
        ...{ name: functionName, deployment, code: code[functionName], key: this.key },
        ...{ environment, permissions, reservedConcurrency },
      });

    return {
      'detect-finding': make('detect-finding', { TABLE_NAME, ...keyAccess, ...queues }, [
        ...allow.changeFindings(table),
        allow.readPatterns(table),
        allow.consumeQueues([creations, changes]),
        ...stream,
        allow.assumeRoles(deployment, readRole),
      ]),
      'decide-finding': make(
        'decide-finding',
        { TABLE_NAME, SLACK_SECRET_ID },
        [
          ...allow.changeFindings(table),
          allow.readTrail(table),
          allow.listFindings(table),
          allow.storeBatches(table),
          allow.changePatterns(table),
          allow.readSecret(slackSecret),
        ],
        decideFinding,
      ),
      'remediate-key': make('remediate-key', { TABLE_NAME, ...keyAccess, REMEDIATE_ROLE_NAME: remediateRole }, [
        ...allow.changeFindings(table),
        ...stream,
        allow.assumeRoles(deployment, readRole, remediateRole),
      ]),
      'announce-finding': make(
        'announce-finding',
        { TABLE_NAME, SLACK_SECRET_ID, TOPIC_ARN },
        [
          allow.readFindings(table),
          allow.readTrail(table),
          allow.listFindings(table),
          allow.showFindings(table),
          allow.countArrivals(table),
          ...stream,
          allow.publishTo(notices),
          allow.readSecret(slackSecret),
        ],
        announceFinding,
      ),
      'sweep-keys': make('sweep-keys', { TABLE_NAME, ...keyAccess, TOPIC_ARN, ...watched }, [
        ...allow.changeFindings(table),
        ...(deployment.organization === undefined ? [] : [allow.listAccounts()]),
        allow.findDueFindings(table),
        allow.listFindings(table),
        allow.readTrail(table),
        allow.keepDigests(table),
        allow.changePatterns(table),
        ...stream,
        allow.assumeRoles(deployment, readRole),
        allow.publishTo(notices),
      ]),
    };
  }

  #output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
