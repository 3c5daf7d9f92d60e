import * as z from 'zod';
import { identityCenterPerson, isRegion, principalArn } from '../aws/caller.ts';
import type { Kms } from '../aws/kms/kms.ts';
import { defaultKeyPolicy } from '../aws/kms/policy.ts';
import { REGIONS } from '../world.ts';
import { actor, originOf } from './acting-as.ts';
import { importMaterial } from './key-material.ts';
import { anything, type CallKms, callerOf } from './kms-caller.ts';
import { Refused } from './refused.ts';

const target = { arn: z.string(), ...actor };
const act = <A extends string, S extends z.ZodRawShape>(action: A, more: S) =>
  z.strictObject({ ...target, action: z.literal(action), ...more });

export const actOnKeyBody = z.discriminatedUnion('action', [
  act('enable-rotation', { periodInDays: z.int().optional() }),
  act('disable-rotation', {}),
  act('import-material', {}),
  act('delete-material', { keyMaterialId: z.string().optional() }),
  act('rotate-on-demand', {}),
  act('disable', {}),
  act('enable', {}),
  act('schedule-deletion', { days: z.int().min(7).max(30).default(7) }),
  act('cancel-deletion', {}),
  act('replicate', { region: z.enum(REGIONS) }),
  act('tag', { tags: z.record(z.string(), z.string()) }),
  act('lock-out-bot', {}),
  act('let-bot-in', {}),
]);
type Act = z.infer<typeof actOnKeyBody>;

/** Calls the KMS API about a key that exists, as somebody. @throws Refused when there is no such key or KMS refuses */
export function actOnKey(kms: Kms, request: Act): { ok: true } {
  const key = kms.state().find(({ arn }) => arn === request.arn);
  if (key === undefined) throw new Refused(`There is no key ${request.arn}.`);
  const { keyId, accountId, region } = key;
  if (!isRegion(region)) throw new Refused(`The sandbox has no Region ${region}.`);
  perform(request, { keyId, accountId, call: callerOf(kms, originOf(request, accountId), region) });
  return { ok: true };
}

function perform(request: Act, { keyId, accountId, call }: { keyId: string; accountId: string; call: CallKms }): void {
  const send = (operation: string, input: object = {}) => call(operation, { KeyId: keyId, ...input }, anything);
  switch (request.action) {
    case 'enable-rotation':
      send('EnableKeyRotation', { RotationPeriodInDays: request.periodInDays });
      return;
    case 'disable-rotation':
      send('DisableKeyRotation');
      return;
    case 'import-material':
      importMaterial(call, keyId);
      return;
    case 'delete-material':
      send('DeleteImportedKeyMaterial', { KeyMaterialId: request.keyMaterialId });
      return;
    case 'rotate-on-demand':
      send('RotateKeyOnDemand');
      return;
    case 'disable':
      send('DisableKey');
      return;
    case 'enable':
      send('EnableKey');
      return;
    case 'schedule-deletion':
      send('ScheduleKeyDeletion', { PendingWindowInDays: request.days });
      return;
    case 'cancel-deletion':
      send('CancelKeyDeletion');
      return;
    case 'replicate':
      send('ReplicateKey', { ReplicaRegion: request.region });
      return;
    case 'tag':
      send('TagResource', {
        Tags: Object.entries(request.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      });
      return;
    case 'lock-out-bot':
      // The caller may be a tool that locks itself out too.
      send('PutKeyPolicy', { Policy: policyForPeopleOnly(accountId), BypassPolicyLockoutSafetyCheck: true });
      return;
    case 'let-bot-in':
      send('PutKeyPolicy', { Policy: defaultKeyPolicy(accountId) });
  }
}

/** Without a statement for the account, IAM permissions count for nothing (KMS Developer Guide, "Key policies"). */
function policyForPeopleOnly(accountId: string): string {
  const { caller } = identityCenterPerson(accountId, 'anybody@sandbox.example');
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: principalArn(caller) }, Action: 'kms:*', Resource: '*' }],
  });
}
