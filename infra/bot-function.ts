import { Duration } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Architecture,
  type Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type * as z from 'zod/mini';
import type {
  announceFindingEnv,
  decideFindingEnv,
  detectFindingEnv,
  remediateKeyEnv,
  sweepKeysEnv,
} from '../functions/contracts/env.ts';
import { FUNCTIONS, type FunctionName } from '../functions/contracts/functions.ts';
import { acknowledge } from './acknowledge.ts';
import { type Deployment, namesOf } from './deployment.ts';
import { EncryptedLog } from './encrypted-log.ts';

type Environments = {
  'detect-finding': typeof detectFindingEnv;
  'decide-finding': typeof decideFindingEnv;
  'remediate-key': typeof remediateKeyEnv;
  'announce-finding': typeof announceFindingEnv;
  'sweep-keys': typeof sweepKeysEnv;
};
type EnvironmentOf<Name extends FunctionName> = z.input<Environments[Name]>;

/** The variables of a function: those without a default cannot be forgotten, and others cannot be set. */
export type FunctionEnvironment<Name extends FunctionName> = {
  readonly [Variable in keyof EnvironmentOf<Name>]: EnvironmentOf<Name>[Variable] & (string | undefined);
};

export type BotFunctionProps<Name extends FunctionName> = {
  name: Name;
  deployment: Deployment;
  /** One file `index.js`, see infra/bundling.ts. */
  code: Code;
  environment: FunctionEnvironment<Name>;
  /** All that its code calls, besides its own log and traces. */
  permissions: readonly PolicyStatement[];
  /** Encrypts its log. */
  key: IKey;
  /** Set aside, and the most there may be. */
  reservedConcurrency?: number | null;
};

/**
 * One of the bot's functions with its log and its role. The role has the name by which other accounts know it, and this one
 * policy: nothing else may add to it.
 */
export class BotFunction<Name extends FunctionName> extends Construct {
  public readonly function: LambdaFunction;
  public readonly role: Role;
  public readonly logGroup: LogGroup;

  public constructor(
    scope: Construct,
    { name, deployment, code, environment, permissions, key, reservedConcurrency = null }: BotFunctionProps<Name>,
  ) {
    super(scope, name);
    const functionName = `${deployment.name}-${name}`;
    this.logGroup = new EncryptedLog(this, 'Log', { logGroupName: `/aws/lambda/${functionName}`, deployment, key });
    this.role = new Role(this, 'Role', {
      roleName: namesOf(deployment).functionRole(name),
      description: `What ${name} may do`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        permissions: new PolicyDocument({ statements: [...permissions, this.#writeLog(), sendTraces()] }),
      },
    });
    const { timeoutSeconds, memoryMb } = FUNCTIONS[name];
    this.function = new LambdaFunction(this, 'Function', {
      functionName,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code,
      environment: Object.fromEntries(Object.entries(environment).filter(isSet)),
      timeout: Duration.seconds(timeoutSeconds),
      memorySize: memoryMb,
      // By its ARN: so nothing that is connected to the function can add to its role.
      role: Role.fromRoleArn(this, 'FixedRole', this.role.roleArn, { mutable: false }),
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      ...(reservedConcurrency === null ? {} : { reservedConcurrentExecutions: reservedConcurrency }),
    });
    if (reservedConcurrency === null) {
      acknowledge(this, {
        'NIST.800.53.R5-LambdaConcurrency':
          'Event sources bound it (maximum concurrency, lanes of the stream), or the deployment file says that the account has nothing to set aside.',
      });
    }
    acknowledge(this, {
      'NIST.800.53.R5-IAMNoInlinePolicy':
        'The policy is of this role alone and goes with it; a managed one could be attached to others.',
      'AwsSolutions-IAM5[Resource::*]':
        'X-Ray and ListStreams know no resources; units of the organization have ARNs that name an account not known here.',
      'NIST.800.53.R5-LambdaDLQ':
        'Nothing waits for it asynchronously: queues and stream have dead-letter queues of their own, the schedule comes again.',
      'NIST.800.53.R5-LambdaInsideVPC':
        'It talks to AWS and Slack over TLS and to nothing inside a network; a VPC would add a NAT gateway that has to work.',
    });
  }

  #writeLog(): PolicyStatement {
    return new PolicyStatement({
      sid: 'OwnLog',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [this.logGroup.logGroupArn],
    });
  }
}

function isSet(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

function sendTraces(): PolicyStatement {
  return new PolicyStatement({
    sid: 'Traces',
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
    resources: ['*'],
  });
}
