import * as z from 'zod';
import { isRegion } from '../caller.ts';
import { checkNewPolicy, checkTags } from './create-key.ts';
import { alreadyExists, unsupported, validationException } from './errors.ts';
import { keyMetadata } from './key-metadata.ts';
import { notPrimary, requireState } from './key-state.ts';
import { arnOf, isReplica, type KmsKey } from './key-store.ts';
import { operation } from './operation.ts';
import { defaultKeyPolicy } from './policy.ts';
import { keyIdInput, tagInput } from './validation.ts';

const regionInput = z
  .string()
  .min(1)
  .max(32)
  .regex(/^([a-z]+-){2,3}\d+$/);

/** ReplicateKey: is recorded in the primary's Region, and as a CreateKey in the replica's. */
export const replicateKey = operation({
  input: z.object({
    KeyId: keyIdInput,
    ReplicaRegion: regionInput,
    Policy: z.string().min(1).max(131072).optional(),
    BypassPolicyLockoutSafetyCheck: z.boolean().optional(),
    Description: z.string().max(8192).optional(),
    Tags: z.array(tagInput).optional(),
  }),
  run(request, call) {
    const primary = call.key(request.KeyId);
    requireState(primary, 'ReplicateKey');
    requirePrimary(primary);
    const region = request.ReplicaRegion;
    if (!isRegion(region)) throw unsupported(`The sandbox has no Region ${region}.`);
    if (region === primary.region) {
      throw validationException('The replica Region must be different from the Region of the primary key.');
    }
    const tags = request.Tags ?? [];
    checkTags(tags);
    const bypass = request.BypassPolicyLockoutSafetyCheck === true;
    const replica: KmsKey = {
      ...structuredClone(primary),
      region,
      creationDate: call.now,
      description: request.Description ?? '',
      keyState: 'Creating',
      settles: {
        at: call.now + call.settings.replicationMs,
        into: primary.origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
      },
      policy: request.Policy ?? defaultKeyPolicy(primary.accountId),
      tags,
      // Rotation is read from the primary; imported material has to be brought to each Region.
      rotation: { enabled: false, periodInDays: primary.rotation.periodInDays },
      materials:
        primary.origin === 'EXTERNAL'
          ? primary.materials.map((material) => ({
              ...material,
              importState: 'PENDING_IMPORT' as const,
              validTo: undefined,
            }))
          : [],
      reenabledAt: undefined,
      deletion: undefined,
    };
    if (call.store.byArn(arnOf(replica)) !== undefined) {
      throw alreadyExists(`The multi-Region key already has a replica in ${region}: ${arnOf(replica)}`);
    }
    if (request.Policy !== undefined) checkNewPolicy(request.Policy, replica, call, bypass);
    call.store.add(replica);
    const metadata = keyMetadata(replica, call.store);
    const description = replica.description;
    return {
      body: { ReplicaKeyMetadata: metadata, ReplicaPolicy: replica.policy, ReplicaTags: tags },
      responseElements: { ReplicaKeyMetadata: metadata, ReplicaPolicy: replica.policy },
      requestParameters: { ...request, BypassPolicyLockoutSafetyCheck: bypass, Description: description },
      furtherRecords: [
        {
          eventName: 'CreateKey',
          region,
          requestParameters: {
            KeyUsage: replica.keyUsage,
            KeySpec: replica.keySpec,
            CustomerMasterKeySpec: replica.keySpec,
            Origin: replica.origin,
            Description: description,
            MultiRegion: true,
            BypassPolicyLockoutSafetyCheck: bypass,
          },
          responseElements: { KeyMetadata: metadata },
          resources: [{ arn: arnOf(replica), accountId: replica.accountId }],
        },
      ],
    };
  },
});

/** UpdatePrimaryRegion: primary and replica change places. Recorded in both Regions; the second record names no resource. */
export const updatePrimaryRegion = operation({
  input: z.object({ KeyId: keyIdInput, PrimaryRegion: regionInput }),
  run(request, call) {
    const former = call.key(request.KeyId);
    requireState(former, 'UpdatePrimaryRegion');
    requirePrimary(former);
    const region = request.PrimaryRegion;
    const next = call.store.replicasOf(former).find((replica) => replica.region === region);
    if (next === undefined || !isRegion(region)) {
      throw unsupported(`${arnOf(former)} has no replica key in ${region}.`);
    }
    requireState(next, 'UpdatePrimaryRegion');
    const members = [former, ...call.store.replicasOf(former)];
    next.rotation = former.rotation;
    former.rotation = { enabled: false, periodInDays: next.rotation.periodInDays };
    if (former.origin !== 'EXTERNAL') {
      next.materials = former.materials;
      former.materials = [];
    }
    for (const member of members) member.primaryRegion = region;
    for (const member of [former, next]) {
      member.keyState = 'Updating';
      member.settles = { at: call.now + call.settings.primaryUpdateMs, into: 'Enabled' };
    }
    return {
      body: {},
      responseElements: { KeyId: arnOf(former) },
      furtherRecords: [
        {
          eventName: 'UpdatePrimaryRegion',
          region,
          requestParameters: { KeyId: arnOf(next), PrimaryRegion: region },
          // As AWS's published record has it: the ARN of the other Region.
          responseElements: { KeyId: arnOf(former) },
        },
      ],
    };
  },
});

function requirePrimary(key: KmsKey): void {
  if (key.primaryRegion === undefined || isReplica(key)) throw notPrimary(key);
}
