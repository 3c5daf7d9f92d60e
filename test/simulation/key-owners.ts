import type * as z from 'zod';
import type { Kms } from '../../sandbox/aws/kms/kms.ts';
import { actOnKey, actOnKeyBody } from '../../sandbox/control/act-on-key.ts';
import { makeKey, makeKeyBody } from '../../sandbox/control/make-key.ts';
import { Refused } from '../../sandbox/control/refused.ts';
import type { Move, Scheduler, Source } from './scheduler.ts';

type Act = z.input<typeof actOnKeyBody>;
type KeyKind = z.input<typeof makeKeyBody>['kind'];

const KINDS: { kind: KeyKind; weight: number }[] = [
  { kind: 'symmetric', weight: 12 },
  { kind: 'imported', weight: 3 },
  { kind: 'multi-region', weight: 2 },
  { kind: 'rsa', weight: 1 },
];
/** Where keys are made. */
export const KEY_ACCOUNTS = ['444455556666', '123456789012'];
const BY = ['person', 'terraform', 'cloudformation', 'console'] as const;

const ACTS: { act: (arn: string) => Act; weight: number }[] = [
  { act: (arn) => ({ arn, action: 'disable-rotation' }), weight: 6 },
  { act: (arn) => ({ arn, action: 'enable-rotation', periodInDays: 365 }), weight: 4 },
  { act: (arn) => ({ arn, action: 'enable-rotation', periodInDays: 900 }), weight: 2 },
  { act: (arn) => ({ arn, action: 'import-material' }), weight: 3 },
  { act: (arn) => ({ arn, action: 'rotate-on-demand' }), weight: 1 },
  { act: (arn) => ({ arn, action: 'disable' }), weight: 2 },
  { act: (arn) => ({ arn, action: 'enable' }), weight: 2 },
  { act: (arn) => ({ arn, action: 'schedule-deletion', days: 7 }), weight: 1 },
  { act: (arn) => ({ arn, action: 'cancel-deletion' }), weight: 2 },
  { act: (arn) => ({ arn, action: 'tag', tags: { team: 'payments' } }), weight: 1 },
  { act: (arn) => ({ arn, action: 'lock-out-bot' }), weight: 1 },
  { act: (arn) => ({ arn, action: 'let-bot-in' }), weight: 1 },
  { act: (arn) => ({ arn, action: 'replicate', region: 'us-east-1' }), weight: 1 },
];

/** Engineers and their tools, who make keys and change them while the bot is at work. */
export class KeyOwners implements Source {
  readonly #scheduler: Scheduler;
  readonly #kms: Kms;
  readonly #atOnce: boolean;
  #keysToMake: number;
  #acts: number;

  /** `atOnce`: all keys are made in one go, as by a script. */
  public constructor(parts: { scheduler: Scheduler; kms: Kms; keys: number; atOnce: boolean; acts: number }) {
    this.#scheduler = parts.scheduler;
    this.#kms = parts.kms;
    this.#keysToMake = parts.keys;
    this.#atOnce = parts.atOnce;
    this.#acts = parts.acts;
  }

  public stop(): void {
    this.#acts = 0;
    this.#keysToMake = 0;
  }
  public isDone(): boolean {
    return this.#acts === 0 && this.#keysToMake === 0;
  }

  public moves(): Move[] {
    const moves: Move[] = [];
    if (this.#keysToMake > 0)
      moves.push({
        weight: 10,
        act: () => {
          do this.#make();
          while (this.#atOnce && this.#keysToMake > 0);
        },
      });
    if (this.#acts > 0 && this.#kms.state().length > 0)
      moves.push({
        weight: 2,
        act: () => {
          this.#act();
        },
      });
    return moves;
  }

  public nextAt(): null {
    return null;
  }

  #make(): void {
    this.#keysToMake -= 1;
    const kind = KINDS[this.#scheduler.pick(KINDS.map(({ weight }) => weight))]?.kind ?? 'symmetric';
    const account = KEY_ACCOUNTS[this.#scheduler.pick([1, 1])] ?? '';
    const as = BY[this.#scheduler.pick([1, 1, 1, 1])] ?? 'person';
    const { arn } = makeKey(
      this.#kms,
      makeKeyBody.parse({ kind, account, as, alias: `alias/key-${this.#keysToMake}` }),
    );
    this.#scheduler.tell(() => `${as} makes the ${kind} key ${arn}`);
    // Tools switch rotation on right after.
    if (kind === 'symmetric' && this.#scheduler.pick([4, 1]) === 1)
      this.#perform({ arn, action: 'enable-rotation', as });
  }

  #act(): void {
    this.#acts -= 1;
    const keys = this.#kms.state().filter(({ keyManager }) => keyManager === 'CUSTOMER');
    const key = keys[this.#scheduler.pick(keys.map(() => 1))];
    const chosen = ACTS[this.#scheduler.pick(ACTS.map(({ weight }) => weight))];
    const as = BY[this.#scheduler.pick([1, 1, 1, 1])] ?? 'person';
    if (key === undefined || chosen === undefined) return;
    this.#perform({ ...chosen.act(key.arn), as });
  }

  #perform(act: Act): void {
    try {
      actOnKey(this.#kms, actOnKeyBody.parse(act));
      this.#scheduler.tell(() => `${act.as ?? ''} does ${act.action} to ${act.arn.slice(-8)}`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#scheduler.tell(() => `${act.as ?? ''} tries ${act.action} of ${act.arn.slice(-8)}: ${error.message}`);
    }
  }
}
