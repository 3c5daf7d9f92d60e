import { REMEDIES } from '../contracts/remedies.ts';
import type { KeyIdentity } from '../domain/key.ts';
import { accountName, type Policy } from '../domain/policy.ts';
import type { Remedy } from '../domain/remedy.ts';
import { plain } from './plain.ts';

/** Exactly the KMS call that a remedy makes: operation, parameters, Region and account. */
export function remedyCall(remedy: Remedy, key: KeyIdentity, policy: Policy): string {
  return `${operationOf(remedy)} in ${plain(key.region, 40)} of ${accountLabel(key, policy)}`;
}

/** The exact call of a remedy, what comes of it, and what it costs. AWS KMS Developer Guide, "Rotate AWS KMS keys". */
export function remedyExplanation(remedy: Remedy, key: KeyIdentity, policy: Policy): string {
  const what = `${remedyCall(remedy, key, policy)}. ${REMEDIES[remedy.id].does}`;
  switch (remedy.id) {
    case 'enable-rotation':
    case 'rotate-on-demand':
      return `${what} Cost: KMS charges a monthly fee for the first and second rotation of a key, and none for later ones.`;
    case 'disable-rotation':
      return what;
  }
}

/** `payments-prod (444455556666)`; the id alone when the policy does not name the account. */
export function accountLabel({ accountId }: KeyIdentity, policy: Policy): string {
  const name = accountName(policy, accountId);
  return name === accountId ? accountId : `${plain(name, 80)} (${accountId})`;
}

function operationOf(remedy: Remedy): string {
  switch (remedy.id) {
    case 'enable-rotation':
      return `EnableKeyRotation with RotationPeriodInDays=${remedy.rotationPeriodInDays}`;
    case 'rotate-on-demand':
      return `RotateKeyOnDemand with key material ${plain(remedy.keyMaterialId, 64)}`;
    case 'disable-rotation':
      return 'DisableKeyRotation';
  }
}
