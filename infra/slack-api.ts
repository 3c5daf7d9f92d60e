import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Deployment } from './deployment.ts';
import { EncryptedLog } from './encrypted-log.ts';

const PATH = '/slack/events';

/** Requests per second: a workspace in which everybody clicks at once, and what one attacker may cost. */
const RATE = { rateLimit: 20, burstLimit: 40 };

/** No body, no header, no query: a request of Slack holds what people wrote. */
const LOGGED = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  route: '$context.routeKey',
  status: '$context.status',
  responseLatency: '$context.responseLatency',
  integrationLatency: '$context.integrationLatency',
  integrationError: '$context.integrationErrorMessage',
  sourceIp: '$context.identity.sourceIp',
};

/** The one door to the internet: POST /slack/events, for whatever Slack sends. */
export class SlackApi extends Construct {
  public readonly api: HttpApi;
  public readonly stage: HttpStage;
  public readonly accessLog: LogGroup;
  /** To be entered in the Slack app as request URL. */
  public readonly requestUrl: string;

  public constructor(
    scope: Construct,
    id: string,
    { deployment, decideFinding, key }: { deployment: Deployment; decideFinding: IFunction; key: IKey },
  ) {
    super(scope, id);
    this.api = new HttpApi(this, 'Api', {
      apiName: `${deployment.name}-slack`,
      description: 'Requests of Slack',
      createDefaultStage: false,
    });
    this.accessLog = new EncryptedLog(this, 'AccessLog', {
      // With this prefix the resource policy of CloudWatch Logs does not grow with every API (its limit is 5120 characters).
      logGroupName: `/aws/vendedlogs/${deployment.name}-slack-api`,
      deployment,
      key,
    });
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: RATE,
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.accessLog),
        format: AccessLogFormat.custom(JSON.stringify(LOGGED)),
      },
    });
    const [route] = this.api.addRoutes({
      path: PATH,
      methods: [HttpMethod.POST],
      integration: new HttpLambdaIntegration('DecideFinding', decideFinding),
    });
    this.requestUrl = `${this.api.apiEndpoint}${PATH}`;
    if (route !== undefined) {
      acknowledge(route, {
        'AwsSolutions-APIG4':
          'Slack signs its requests; decide-finding checks the signature of the raw bytes before anything else.',
      });
    }
  }
}
