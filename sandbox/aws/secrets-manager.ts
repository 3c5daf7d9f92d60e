import { createHash, randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod';
import { AwsError } from './aws-error.ts';
import { type Caller, callerArn } from './caller.ts';

type Version = { id: string; content: string; createdAt: number; stages: Set<string> };
type Place = { accountId: string; region: string; name: string };
type Secret = Place & { arn: string; createdAt: number; versions: Version[] };

export type SecretsManager = {
  /**
   * Answers an operation of the JSON protocol.
   * @throws AwsError
   */
  call: (request: { operation: string; input: unknown; caller: Caller; region: string }) => Record<string, unknown>;
  /** Makes a secret, as a deployment does. */
  create: (secret: Place & { content: string }) => void;
  /** Removes a secret at once, if there is one. */
  remove: (secret: Place) => void;
};

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

const secretId = z.string().min(1).max(2048);
const token = z.string().min(32).max(64);
const stage = z.string().min(1).max(256);
const describeInput = z.object({ SecretId: secretId });
const getInput = z.object({ SecretId: secretId, VersionId: token.optional(), VersionStage: stage.optional() });
const putInput = z.object({
  SecretId: secretId,
  SecretString: z.string().min(1).max(65_536),
  ClientRequestToken: token.optional(),
  VersionStages: z.array(stage).min(1).max(20).default([CURRENT]),
});

/**
 * A simulated Secrets Manager, as far as somebody who reads, looks at or replaces a secret sees it: versions, their
 * staging labels, and the words in which it refuses. Secrets are made by `create` and go by `remove` alone.
 */
export function createSecretsManager(): SecretsManager {
  const secrets: Secret[] = [];

  /** By name in the caller's own account; by ARN, with or without its random end, anywhere, though others may not. */
  function find(id: string, operation: string, caller: Caller, region: string): Secret {
    const isArn = id.startsWith('arn:');
    const secret = secrets.find(({ accountId, region: place, name, arn }) =>
      isArn ? arn === id || arn.slice(0, -7) === id : name === id && place === region && accountId === caller.accountId,
    );
    if (secret === undefined || secret.region !== region) {
      throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    if (secret.accountId !== caller.accountId) {
      throw new AwsError(
        'AccessDeniedException',
        `User: ${callerArn(caller)} is not authorized to perform: secretsmanager:${operation} on resource: ${secret.arn} because no resource-based policy allows the secretsmanager:${operation} action`,
      );
    }
    return secret;
  }

  function getSecretValue(input: z.infer<typeof getInput>, secret: Secret) {
    const { VersionId: id, VersionStage: label = id === undefined ? CURRENT : undefined } = input;
    const version = secret.versions.find(
      ({ id: other, stages }) => (id === undefined || other === id) && (label === undefined || stages.has(label)),
    );
    if (version === undefined) {
      const wanted = id === undefined ? `staging label: ${label ?? CURRENT}` : `VersionId: ${id}`;
      throw new AwsError(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for ${wanted}`,
      );
    }
    return {
      ...{ ARN: secret.arn, Name: secret.name, VersionId: version.id, SecretString: version.content },
      ...{ VersionStages: [...version.stages], CreatedDate: version.createdAt / 1000 },
    };
  }

  function putSecretValue(input: z.infer<typeof putInput>, secret: Secret) {
    const { SecretString: content, ClientRequestToken: id = randomUUID(), VersionStages: stages } = input;
    const known = secret.versions.find((version) => version.id === id);
    if (known !== undefined && known.content !== content) {
      throw new AwsError(
        'ResourceExistsException',
        `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secret.arn}.`,
      );
    }
    const version = known ?? addVersion(secret, id, content);
    for (const label of stages) moveStage(secret, label, version);
    return { ARN: secret.arn, Name: secret.name, VersionId: id, VersionStages: [...version.stages] };
  }

  function describeSecret(secret: Secret) {
    const staged = secret.versions.filter(({ stages }) => stages.size > 0);
    const changedAt = Math.max(...secret.versions.map(({ createdAt }) => createdAt));
    return {
      ...{ ARN: secret.arn, Name: secret.name },
      ...{ CreatedDate: secret.createdAt / 1000, LastChangedDate: changedAt / 1000 },
      VersionIdsToStages: Object.fromEntries(staged.map(({ id, stages }) => [id, [...stages]])),
    };
  }

  return {
    call({ operation, input, caller, region }) {
      const secretOf = ({ SecretId }: { SecretId: string }) => find(SecretId, operation, caller, region);
      switch (operation) {
        case 'GetSecretValue': {
          const read = valid(getInput, input);
          return getSecretValue(read, secretOf(read));
        }
        case 'PutSecretValue': {
          const written = valid(putInput, input);
          return putSecretValue(written, secretOf(written));
        }
        case 'DescribeSecret':
          return describeSecret(secretOf(valid(describeInput, input)));
        default:
          throw new AwsError('UnknownOperationException', '');
      }
    },
    create({ accountId, region, name, content }) {
      // Six characters, so that a policy for one secret does not fit another of that name made later.
      const end = createHash('sha256').update(randomBytes(16)).digest('base64url').replace(/[_-]/g, 'x').slice(0, 6);
      const arn = `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${end}`;
      const secret: Secret = { accountId, region, name, arn, createdAt: Date.now(), versions: [] };
      moveStage(secret, CURRENT, addVersion(secret, randomUUID(), content));
      secrets.push(secret);
    },
    remove({ accountId, region, name }) {
      const index = secrets.findIndex(
        (secret) => secret.name === name && secret.region === region && secret.accountId === accountId,
      );
      if (index >= 0) secrets.splice(index, 1);
    },
  };
}

function addVersion(secret: Secret, id: string, content: string): Version {
  const version = { id, content, createdAt: Date.now(), stages: new Set<string>() };
  secret.versions.push(version);
  return version;
}

/** A label is on one version at a time; the version that AWSCURRENT leaves gets AWSPREVIOUS. */
function moveStage(secret: Secret, label: string, to: Version): void {
  const from = secret.versions.find(({ stages }) => stages.has(label));
  if (from === to) return;
  from?.stages.delete(label);
  to.stages.add(label);
  if (label !== CURRENT || from === undefined) return;
  for (const { stages } of secret.versions) stages.delete(PREVIOUS);
  from.stages.add(PREVIOUS);
}

function valid<T extends z.ZodType>(schema: T, input: unknown): z.infer<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const fields = result.error.issues.map(({ path }) => path.join('.'));
  // What was sent may be a secret: AWS hides it here as well.
  const member = (field: string) => `'${field.charAt(0).toLowerCase()}${field.slice(1)}'`;
  throw new AwsError(
    'ValidationException',
    `${fields.length} validation error${fields.length === 1 ? '' : 's'} detected: Value at ${fields.map(member).join(', ')} failed to satisfy constraint`,
  );
}
