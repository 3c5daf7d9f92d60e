import { SLACK_SECRET_ID } from '../../sandbox/function-environment.ts';
import { setEnvironment } from '../../sandbox/process-environment.ts';
import { READ_ROLE, REGIONS, REMEDIATE_ROLE, UNIT_ID } from '../../sandbox/world.ts';
import { QUEUE_URLS } from './event-sources.ts';
import { installInterception } from './interception.ts';
import { SLACK_API_URL } from './simulated-slack.ts';

/** Makes this process simulate, for good; before anything of the product is loaded into it. */
export function enterSimulation(): void {
  installInterception();
  // Bolt writes to the console what it cannot handle; the story says it already.
  console.error = () => undefined;
  setEnvironment({
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: '111122223333',
    AWS_SECRET_ACCESS_KEY: 'simulated',
    // Lambda's own setting, which goes before a function's LOG_LEVEL.
    AWS_LAMBDA_LOG_LEVEL: 'FATAL',
    LOG_LEVEL: 'ERROR',
    POWERTOOLS_METRICS_DISABLED: 'true',
    TABLE_NAME: 'kms-rotation-bot',
    TOPIC_ARN: 'arn:aws:sns:eu-central-1:111122223333:kms-rotation-notices',
    CREATIONS_QUEUE_URL: QUEUE_URLS.creations,
    CHANGES_QUEUE_URL: QUEUE_URLS.changes,
    READ_ROLE_NAME: READ_ROLE,
    REMEDIATE_ROLE_NAME: REMEDIATE_ROLE,
    EXTERNAL_ID: 'simulated-external-id',
    WATCHED_REGIONS: REGIONS.join(','),
    WATCHED_UNITS: UNIT_ID,
    SLACK_API_URL,
    SLACK_SECRET_ID,
  });
}
