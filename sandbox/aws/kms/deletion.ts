import * as z from 'zod';
import { requireState } from './key-state.ts';
import { arnOf } from './key-store.ts';
import { DAY, operation, seconds } from './operation.ts';
import { keyIdInput } from './validation.ts';

const DEFAULT_WINDOW_IN_DAYS = 30;

/** ScheduleKeyDeletion. A primary that has replicas waits for them first and has no date until then. */
export const scheduleKeyDeletion = operation({
  input: z.object({ KeyId: keyIdInput, PendingWindowInDays: z.int().min(7).max(30).optional() }),
  run(request, call) {
    const key = call.key(request.KeyId);
    requireState(key, 'ScheduleKeyDeletion');
    const windowInDays = request.PendingWindowInDays ?? DEFAULT_WINDOW_IN_DAYS;
    const waitsForReplicas = key.primaryRegion === key.region && call.store.replicasOf(key).length > 0;
    const date = waitsForReplicas ? undefined : call.now + windowInDays * DAY;
    key.keyState = waitsForReplicas ? 'PendingReplicaDeletion' : 'PendingDeletion';
    key.settles = undefined;
    key.deletion = { windowInDays, date };
    const body = {
      KeyId: arnOf(key),
      KeyState: key.keyState,
      ...(date === undefined ? {} : { DeletionDate: seconds(date) }),
      PendingWindowInDays: windowInDays,
    };
    return { body, responseElements: body, requestParameters: { ...request, PendingWindowInDays: windowInDays } };
  },
});

/** CancelKeyDeletion. The key comes back disabled; EnableKey makes it usable. */
export const cancelKeyDeletion = operation({
  input: z.object({ KeyId: keyIdInput }),
  run(request, call) {
    const key = call.key(request.KeyId);
    requireState(key, 'CancelKeyDeletion');
    key.keyState = 'Disabled';
    key.deletion = undefined;
    const body = { KeyId: arnOf(key) };
    return { body, responseElements: body };
  },
});
