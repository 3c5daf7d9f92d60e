// KMS keys that rotate, in the CDK. rotate-kms-keys.ts needs aws-cdk-lib and nothing else: copy it into your app.
import { App, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RotateKmsKeys } from '../../../infra/guardrails/rotate-kms-keys.ts';

export const app = new App();
const stack = new Stack(app, 'orders');

// Rotates because it says so.
new Key(stack, 'Orders', { enableKeyRotation: true });

// Rotates because of the line below, which holds for every key of the app, those of libraries included.
new Key(stack, 'Invoices');

RotateKmsKeys.of(app);
