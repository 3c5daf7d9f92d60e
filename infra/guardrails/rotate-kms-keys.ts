import { Annotations, AspectPriority, Aspects, type IAspect, Token } from 'aws-cdk-lib';
import { CfnKey } from 'aws-cdk-lib/aws-kms';
import type { IConstruct } from 'constructs';

export type RotateKmsKeysProps = {
  /** Days between two rotations, 90 to 2560. Keys with a shorter period keep it. Default: 365. */
  periodInDays?: number;
};

/** KMS's own when rotation is switched on without a period. */
const DEFAULT_PERIOD_IN_DAYS = 365;

/** After whatever changes constructs, and before what only reads them, such as rule packs. */
const AFTER_OTHER_ASPECTS = AspectPriority.READONLY - 1;

/**
 * Switches rotation on for every KMS key below a construct that can rotate, and shortens periods that are too long:
 *
 *     RotateKmsKeys.of(app);
 *
 * Keys that cannot rotate automatically stay as they are: asymmetric and HMAC keys, keys with imported material or in a
 * custom key store, and disabled keys; replicas follow their primary. Of a key whose spec or origin is known only when
 * it is deployed nothing is assumed: it stays as it is, with a warning.
 *
 * A key that says EnableKeyRotation: false is overruled, with a warning: a guardrail that a property of the key turns
 * off would be none. A key that has an exemption belongs into a scope that is left out.
 */
export class RotateKmsKeys implements IAspect {
  /** Applies it to everything below `scope`. */
  public static of(scope: IConstruct, props: RotateKmsKeysProps = {}): void {
    Aspects.of(scope).add(new RotateKmsKeys(props), { priority: AFTER_OTHER_ASPECTS });
  }

  readonly #periodInDays: number;

  private constructor({ periodInDays = DEFAULT_PERIOD_IN_DAYS }: RotateKmsKeysProps) {
    if (!Number.isInteger(periodInDays) || periodInDays < 90 || periodInDays > 2560) {
      throw new RangeError(`periodInDays: expected a whole number from 90 to 2560, got ${periodInDays}`);
    }
    this.#periodInDays = periodInDays;
  }

  public visit(node: IConstruct): void {
    if (!(node instanceof CfnKey)) return;
    const annotations = Annotations.of(node);
    const deciding = { keySpec: node.keySpec, keyUsage: node.keyUsage, origin: node.origin, enabled: node.enabled };
    const unknown = Object.entries(deciding).flatMap(([name, value]) => (Token.isUnresolved(value) ? [name] : []));
    if (unknown.length > 0) {
      annotations.addWarningV2(
        'RotateKmsKeys:unknown',
        `Rotation is left alone: ${unknown.join(', ')} cannot be told.`,
      );
      return;
    }
    if (!canRotate(node)) return;
    if (node.enableKeyRotation !== true) {
      if (node.enableKeyRotation === undefined) {
        annotations.addInfo('Rotation switched on.');
      } else {
        annotations.addWarningV2('RotateKmsKeys:overruled', 'Rotation switched on, although the key says otherwise.');
      }
      node.enableKeyRotation = true;
    }
    this.#shortenPeriod(node);
  }

  #shortenPeriod(key: CfnKey): void {
    const stated = key.rotationPeriodInDays;
    if (stated !== undefined && Token.isUnresolved(stated)) {
      Annotations.of(key).addWarningV2('RotateKmsKeys:period', 'The rotation period is left alone: it cannot be told.');
      return;
    }
    if (stated !== undefined && stated <= this.#periodInDays) return;
    if (stated !== undefined) {
      Annotations.of(key).addInfo(`Rotation period shortened from ${stated} to ${this.#periodInDays} days.`);
    }
    key.rotationPeriodInDays = this.#periodInDays;
  }
}

/** AWS KMS Developer Guide, "Rotate AWS KMS keys". What is not stated has KMS's default, which can rotate. */
function canRotate({ keySpec, keyUsage, origin, enabled }: CfnKey): boolean {
  return (
    (keySpec ?? 'SYMMETRIC_DEFAULT') === 'SYMMETRIC_DEFAULT' &&
    (keyUsage ?? 'ENCRYPT_DECRYPT') === 'ENCRYPT_DECRYPT' &&
    (origin ?? 'AWS_KMS') === 'AWS_KMS' &&
    enabled !== false
  );
}
