import { ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { policyVersion, type StoredPolicy } from '../../functions/adapters/policy-store.ts';
import { InvalidPolicy } from '../../functions/contracts/policy.ts';
import type { Policy } from '../../functions/domain/policy.ts';
import { type Check, Missing, type Verdict } from './check.ts';

/** The policy file as it was found. */
export type PolicyFile = { path: string; read: () => Promise<{ policy: Policy; document: unknown }> };

export function policyFileCheck({ path, read }: PolicyFile): Check {
  return {
    id: 'policy-file',
    title: `${path} is valid`,
    async look() {
      try {
        const { document, policy } = await read();
        const routes = policy.routes.length + 1;
        return {
          outcome: 'ok',
          seen: `Version ${policyVersion(document)}, ${routes === 1 ? 'one route' : `${routes} routes`}.`,
        };
      } catch (error) {
        const seen = error instanceof Error ? error.message : String(error);
        const todo =
          error instanceof InvalidPolicy
            ? `Correct it, then: npm run policy -- check ${path}`
            : 'Name the file with --policy <file>.';
        return { outcome: 'failed', seen, todo };
      }
    },
  };
}

export function storedPolicyCheck(file: PolicyFile, storedPolicy: () => Promise<StoredPolicy | null>): Check {
  return {
    id: 'policy-stored',
    title: 'The bot works by this policy',
    async look() {
      let stored: StoredPolicy | null;
      try {
        stored = await storedPolicy();
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
        return {
          outcome: 'not-applicable',
          seen: `There is no table yet. Once there is: npm run policy -- apply ${file.path}`,
        };
      }
      const { document } = await file.read().catch((cause: unknown) => {
        throw new Missing('policy-file', `${file.path} is of no use.`, { cause });
      });
      return judgeStoredPolicy(stored, document, file.path);
    },
  };
}

export function judgeStoredPolicy(stored: StoredPolicy | null, document: unknown, path: string): Verdict {
  if (stored === null) {
    return {
      outcome: 'failed',
      seen: 'No policy is stored: nothing is decided or remediated.',
      todo: `npm run policy -- apply ${path}`,
    };
  }
  const version = policyVersion(stored.document);
  if (version === policyVersion(document))
    return { outcome: 'ok', seen: `Version ${version}, stored at ${stored.storedAt}.` };
  return {
    outcome: 'failed',
    seen: `Version ${version} is stored, since ${stored.storedAt}; ${path} is ${policyVersion(document)}.`,
    todo: `npm run policy -- diff ${path}, then: npm run policy -- apply ${path}`,
  };
}
