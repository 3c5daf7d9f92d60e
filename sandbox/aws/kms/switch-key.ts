import * as z from 'zod';
import { checkNewPolicy } from './create-key.ts';
import { notFound } from './errors.ts';
import { requireState } from './key-state.ts';
import { arnOf } from './key-store.ts';
import { operation } from './operation.ts';
import { keyIdInput } from './validation.ts';

/** EnableKey. A rotation that fell due while the key was disabled happens now. */
export const enableKey = operation({
  input: z.object({ KeyId: keyIdInput }),
  run(request, call) {
    const key = call.key(request.KeyId);
    requireState(key, 'EnableKey');
    if (key.keyState === 'Disabled') {
      key.keyState = 'Enabled';
      key.reenabledAt = call.now;
    }
    return { body: {}, responseElements: { KeyId: arnOf(key) } };
  },
});

/** DisableKey. Whether the key rotates is not changed, but while disabled it does not. */
export const disableKey = operation({
  input: z.object({ KeyId: keyIdInput }),
  run(request, call) {
    const key = call.key(request.KeyId);
    requireState(key, 'DisableKey');
    if (key.keyState === 'Enabled') key.keyState = 'Disabled';
    return { body: {}, responseElements: { KeyId: arnOf(key) } };
  },
});

/** UpdateKeyDescription. */
export const updateKeyDescription = operation({
  input: z.object({ KeyId: keyIdInput, Description: z.string().max(8192) }),
  run(request, call) {
    const key = call.key(request.KeyId);
    requireState(key, 'UpdateKeyDescription');
    key.description = request.Description;
    return { body: {} };
  },
});

const policyName = z.string().min(1).max(128).regex(/^\w+$/).optional();

/** GetKeyPolicy. There is one policy, called `default`. */
export const getKeyPolicy = operation({
  readOnly: true,
  input: z.object({ KeyId: keyIdInput, PolicyName: policyName }),
  run(request, call) {
    const key = call.key(request.KeyId);
    if ((request.PolicyName ?? 'default') !== 'default') throw notFound('No such policy exists');
    return { body: { Policy: key.policy, PolicyName: 'default' } };
  },
});

/** PutKeyPolicy. */
export const putKeyPolicy = operation({
  input: z.object({
    KeyId: keyIdInput,
    PolicyName: policyName,
    Policy: z.string().min(1).max(131072),
    BypassPolicyLockoutSafetyCheck: z.boolean().optional(),
  }),
  run(request, call) {
    const key = call.key(request.KeyId);
    if ((request.PolicyName ?? 'default') !== 'default') throw notFound('No such policy exists');
    const bypass = request.BypassPolicyLockoutSafetyCheck === true;
    checkNewPolicy(request.Policy, key, call, bypass);
    key.policy = request.Policy;
    return {
      body: {},
      requestParameters: { ...request, PolicyName: 'default', BypassPolicyLockoutSafetyCheck: bypass },
    };
  },
});
