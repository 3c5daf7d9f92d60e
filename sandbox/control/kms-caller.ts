import * as z from 'zod';
import type { RequestOrigin } from '../aws/caller.ts';
import type { Kms } from '../aws/kms/kms.ts';
import type { Region } from '../world.ts';
import { Refused } from './refused.ts';

const refusal = z.object({ __type: z.string(), message: z.string().default('') });

/** Calls the KMS API as somebody, in one account and Region. */
export type CallKms = <T extends z.ZodType>(operation: string, input: object, answer: T) => z.infer<T>;

export const anything = z.unknown();

/** @throws Refused with KMS's own error, when KMS refuses */
export function callerOf(kms: Kms, origin: RequestOrigin, region: Region): CallKms {
  return (operation, input, answer) => {
    const { status, body } = kms.call({ operation, input, region, ...origin });
    if (status === 200) return answer.parse(body);
    const { __type, message } = refusal.parse(body);
    throw new Refused(`KMS refuses ${operation}: ${__type}${message === '' ? '' : `: ${message}`}`);
  };
}
