import { KMSClient } from '@aws-sdk/client-kms';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { KeyPlace } from '../domain/key.ts';
import { AssumeRoleFailed } from './kms-errors.ts';

/** How to get at the keys of other accounts. */
export type KeyAccess = {
  /** Name of the role in every account. */
  roleName: string;
  externalId: string;
  /** Shown in the CloudTrail of the key's account: which function made the call. */
  sessionName: string;
  /** Region of the STS endpoint; the function's own. */
  stsRegion: string | undefined;
};

export type KmsClients = {
  /** The client for the key's own account and Region: with any other Region KMS answers NotFoundException. */
  clientFor: (place: KeyPlace) => KMSClient;
  /** ARN of the role with which the key is reached. */
  principalFor: (place: KeyPlace) => string;
};

const ATTEMPTS = 3;
/** Each keeps credentials and connections; an organisation has more places than a function has memory. */
const MAX_CLIENTS = 100;
const TIMEOUTS = { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true };

/** Clients by account and Region with the credentials of the role there: the last used ones are kept, up to `maxClients`. */
export function createKmsClients(
  { roleName, externalId, sessionName, stsRegion }: KeyAccess,
  maxClients = MAX_CLIENTS,
): KmsClients {
  const clients = new Map<string, KMSClient>();
  const principalFor = ({ partition, accountId }: KeyPlace) => `arn:${partition}:iam::${accountId}:role/${roleName}`;

  function connect(key: KeyPlace): KMSClient {
    const assumeRole = fromTemporaryCredentials({
      params: { RoleArn: principalFor(key), RoleSessionName: sessionName, ExternalId: externalId },
      clientConfig: {
        maxAttempts: ATTEMPTS,
        requestHandler: TIMEOUTS,
        ...(stsRegion === undefined ? {} : { region: stsRegion }),
      },
    });
    return new KMSClient({
      region: key.region,
      maxAttempts: ATTEMPTS,
      requestHandler: TIMEOUTS,
      credentials: async (identityProperties) => {
        try {
          return await assumeRole(identityProperties);
        } catch (cause) {
          throw new AssumeRoleFailed(`cannot assume ${principalFor(key)}`, { cause });
        }
      },
    });
  }

  return {
    principalFor,
    clientFor(key) {
      const place = `${key.partition} ${key.accountId} ${key.region}`;
      const client = clients.get(place) ?? connect(key);
      // Whatever was used last stands last.
      clients.delete(place);
      clients.set(place, client);
      const [oldest] = clients.keys();
      if (clients.size > maxClients && oldest !== undefined) {
        clients.get(oldest)?.destroy();
        clients.delete(oldest);
      }
      return client;
    },
  };
}
