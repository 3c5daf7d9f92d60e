import { GetAccountSettingsCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import type { Deployment } from '../../infra/deployment.ts';
import { awsSentence } from '../command-line.ts';
import type { Check, Verdict } from './check.ts';

/** "The maximum is the account's limit minus 100": AWS Lambda Developer Guide, "Configuring reserved concurrency". */
const UNRESERVED_AT_LEAST = 100;

/** Without credentials every other check about AWS fails for the same reason, so this one is about nothing else. */
export function credentialsCheck(client: STSClient, { hub }: Deployment): Check {
  return {
    id: 'credentials',
    title: `Credentials of the hub account, ${hub.account}`,
    async look() {
      try {
        const { Account: account = '', Arn: arn = '' } = await client.send(new GetCallerIdentityCommand({}));
        return judgeIdentity({ account, arn }, hub.account);
      } catch (error) {
        const seen = error instanceof Error ? (awsSentence(error).split('\n')[0] ?? '') : String(error);
        return {
          outcome: 'failed',
          seen,
          todo: 'aws sso login --profile <profile>, then run it again with --profile <profile>',
        };
      }
    },
  };
}

export function judgeIdentity({ account, arn }: { account: string; arn: string }, hubAccount: string): Verdict {
  if (account === hubAccount) return { outcome: 'ok', seen: arn };
  return {
    outcome: 'failed',
    seen: `These are credentials of account ${account}: ${arn}`,
    todo: `Use a profile of account ${hubAccount} (--profile), or correct hub.account in the deployment file.`,
  };
}

export type Concurrency = { limit: number; unreserved: number };

export function concurrencyCheck(
  client: LambdaClient,
  deployment: Deployment,
  isDeployed: () => Promise<boolean>,
): Check {
  return {
    id: 'lambda-concurrency',
    title: 'The Lambda quota allows what is set aside for the functions',
    async look() {
      const [{ AccountLimit }, deployed] = await Promise.all([
        client.send(new GetAccountSettingsCommand({})),
        isDeployed(),
      ]);
      const limit = AccountLimit?.ConcurrentExecutions ?? 0;
      const unreserved = AccountLimit?.UnreservedConcurrentExecutions ?? 0;
      return judgeConcurrency({ limit, unreserved }, deployment, deployed);
    },
  };
}

/** What is deployed is set aside already, so it no longer counts. */
export function judgeConcurrency(
  { limit, unreserved }: Concurrency,
  { operations: { reservedConcurrency: reserved }, hub }: Pick<Deployment, 'operations' | 'hub'>,
  isDeployed: boolean,
): Verdict {
  const needed = (reserved.decideFinding ?? 0) + (reserved.announceFinding ?? 0);
  const figures = `Quota ${limit}, not set aside ${unreserved}, wanted ${needed}.`;
  if (needed === 0) return { outcome: 'not-applicable', seen: 'Nothing is set aside.' };
  if (isDeployed) return { outcome: 'ok', seen: `${figures} It is set aside already.` };
  if (unreserved - needed >= UNRESERVED_AT_LEAST) return { outcome: 'ok', seen: figures };
  return {
    outcome: 'failed',
    seen: `${figures} ${UNRESERVED_AT_LEAST} have to be left.`,
    todo: [
      `aws service-quotas request-service-quota-increase --region ${hub.region} --service-code lambda --quota-code L-B99A9384 --desired-value 1000`,
      'Until then: reservedConcurrency: { decideFinding: null, announceFinding: null } in the deployment file.',
    ].join('\n'),
  };
}
