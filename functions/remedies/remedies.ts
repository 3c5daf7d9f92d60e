import type { Change, KeyChanges } from '../adapters/kms-changes.ts';
import type { KeyIdentity } from '../domain/key.ts';
import type { ReadBack } from '../domain/read-back.ts';
import type { Remedy, RemedyId } from '../domain/remedy.ts';
import { disableRotation } from './disable-rotation.ts';
import { enableRotation } from './enable-rotation.ts';
import type { RemedyAction, Seen } from './remedy-action.ts';
import { rotateOnDemand } from './rotate-on-demand.ts';

/** Every remedy there is; `contracts/remedies.ts` describes the same ones. */
export const REMEDY_ACTIONS: { [Id in RemedyId]: RemedyAction<Extract<Remedy, { id: Id }>> } = {
  'enable-rotation': enableRotation,
  'rotate-on-demand': rotateOnDemand,
  'disable-rotation': disableRotation,
};

/** One approved remedy, ready to be used. */
export type BoundRemedy = {
  isStillNeeded: (seen: Seen) => boolean;
  apply: (key: KeyIdentity) => Promise<Change>;
  isDone: (read: ReadBack) => boolean;
  expects: string;
  confirmWithinSeconds: number;
};

/** Finds the action of an approved remedy and gives it its parameters. */
export function bindRemedies(kms: KeyChanges): (remedy: Remedy) => BoundRemedy {
  return (remedy) => {
    switch (remedy.id) {
      case 'enable-rotation':
        return bind(kms, REMEDY_ACTIONS[remedy.id], remedy);
      case 'rotate-on-demand':
        return bind(kms, REMEDY_ACTIONS[remedy.id], remedy);
      case 'disable-rotation':
        return bind(kms, REMEDY_ACTIONS[remedy.id], remedy);
    }
  };
}

function bind<R extends Remedy>(kms: KeyChanges, action: RemedyAction<R>, remedy: R): BoundRemedy {
  return {
    isStillNeeded: (seen) => action.isStillNeeded(seen, remedy),
    apply: (key) => action.apply(kms, key, remedy),
    isDone: (read) => action.isDone(read, remedy),
    expects: action.expects(remedy),
    confirmWithinSeconds: action.confirmWithinSeconds,
  };
}
