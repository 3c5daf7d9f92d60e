import { AsyncLocalStorage } from 'node:async_hooks';
import type { Choices } from './choices.ts';

/** One run of a function, from its event to its answer, its error or its death. */
export type Invocation = {
  id: number;
  functionName: string;
  /** In words, for the story. */
  what: string;
  /** The request that it answers, if it is one. */
  about: string;
  /** When Lambda would end it. */
  deadline: number;
  state: 'running' | 'killed' | 'ended';
};

/** The invocation does not go on: Lambda ended it, or its machine is gone. */
export class Killed extends Error {
  public override readonly name = 'Killed';
}

/** A call that a function makes to something outside itself. */
export type ServiceCall<T> = {
  /** In words, for the story. */
  what: () => string;
  /** What the service does and answers; it may throw the service's own refusal. */
  effect: () => T;
  /** How the service says "not now, nothing was done"; without it, it never does. */
  refusal?: () => Error;
  /** How the caller learns that no answer came although the service did it. */
  lostAnswer?: () => Error;
  /** The call is answered at this instant at the earliest. */
  readyAt?: number;
};

/** Something that may happen next. */
export type Move = { weight: number; act: () => void };

/** Something that things happen by: deliveries, people, Terraform. */
export type Source = {
  /** What could happen now; the first is the undisturbed course. */
  moves: () => Move[];
  /** The next instant at which there will be something to do, or null. */
  nextAt: () => number | null;
};

type Parked = Omit<ServiceCall<unknown>, 'effect'> & {
  invocation: Invocation;
  /** Lets the service do it; the caller hears a refusal in any case and the answer if `answered`. False if refused. */
  perform: (how: { answered: boolean }) => boolean;
  reject: (error: Error) => void;
};

/** How often each kind of misfortune may still happen, and how likely it is against a smooth call (of 1000). */
export type Misfortune = { budget: number; weight: number };
export const NO_MISFORTUNE: Misfortune = { budget: 0, weight: 0 };

const SMOOTH = 1000;
/** A call takes a moment, so that no two events of a key have to be of the same instant. */
const CALL_MS = 7;
const MOST_STEPS = 20_000;
/** Real time, for what a function has to do between two calls; loading itself too. */
const LONGEST_THOUGHT_MS = 20_000;
const QUIET_TURNS = 3;

const context = new AsyncLocalStorage<Invocation>();

/** The invocation whose code runs at this moment; undefined outside of every function. */
export function currentInvocation(): Invocation | undefined {
  return context.getStore();
}

/**
 * Decides, choice by choice, in which order everything happens. All functions run in this thread; whenever they call
 * something outside, they stop until the scheduler lets the call through, fails it, or kills the function.
 */
export class Scheduler {
  readonly #choices: Choices;
  readonly #tell: (line: () => string) => void;
  readonly #running = new Set<Invocation>();
  readonly #sources: Source[] = [];
  readonly #listeners: (() => void)[] = [];
  #parked: Parked[] = [];
  #now: number;
  #invocations = 0;
  #steps = 0;
  /** How many calls were ever made. */
  #calls = 0;
  #misfortune: Misfortune;
  #acting: Invocation | undefined;

  public constructor(options: {
    choices: Choices;
    startAt: number;
    misfortune: Misfortune;
    tell: (line: () => string) => void;
  }) {
    this.#choices = options.choices;
    this.#now = options.startAt;
    this.#misfortune = options.misfortune;
    this.#tell = options.tell;
  }

  public now(): number {
    return this.#now;
  }
  public steps(): number {
    return this.#steps;
  }
  public isBusy(): boolean {
    return this.#running.size > 0;
  }
  /** Whose call a service is working on at this moment. */
  public acting(): Invocation | undefined {
    return this.#acting;
  }
  /** Has somebody told whenever the clock was moved on. */
  public onTime(listener: () => void): void {
    this.#listeners.push(listener);
  }
  public add(source: Source): void {
    this.#sources.push(source);
  }
  /** How much goes wrong from now on. */
  public setMisfortune(misfortune: Misfortune): void {
    this.#misfortune = misfortune;
  }
  /** Takes one misfortune of the budget, or answers false. */
  public misfortune(): boolean {
    const { budget, weight } = this.#misfortune;
    if (budget === 0) return false;
    if (this.#choices.pick([SMOOTH, weight]) === 0) return false;
    this.#misfortune = { budget: budget - 1, weight };
    return true;
  }
  public pick(weights: readonly number[]): number {
    return this.#choices.pick(weights);
  }
  public tell(line: () => string): void {
    this.#tell(line);
  }

  /** Lets the clock go on; functions whose time is up are killed. */
  public advanceTo(instant: number): void {
    if (instant <= this.#now) return;
    this.#now = instant;
    for (const invocation of this.#running) {
      if (invocation.deadline <= instant) this.#kill(invocation, 'ran out of time');
    }
    for (const listener of this.#listeners) listener();
  }

  /** Starts a function; `ended` hears its answer or its error. */
  public start(
    spec: { functionName: string; what: string; about: string; timeoutMs: number; run: () => Promise<unknown> },
    ended: (result: { answer: unknown } | { error: unknown }) => void,
  ): void {
    this.#invocations += 1;
    const invocation: Invocation = {
      id: this.#invocations,
      functionName: spec.functionName,
      what: spec.what,
      about: spec.about,
      deadline: this.#now + spec.timeoutMs,
      state: 'running',
    };
    this.#running.add(invocation);
    this.#tell(() => `${label(invocation)} starts: ${spec.what}`);
    const settle = (result: { answer: unknown } | { error: unknown }) => {
      this.#running.delete(invocation);
      // Lambda never hears what a function says that it has ended.
      if (invocation.state === 'killed') {
        ended({ error: new Killed(spec.what) });
        return;
      }
      invocation.state = 'ended';
      this.#tell(() => `${label(invocation)} ends${'error' in result ? ` with ${inWords(result.error)}` : ''}`);
      ended(result);
    };
    context.run(invocation, spec.run).then(
      (answer) => {
        settle({ answer });
      },
      (error: unknown) => {
        settle({ error });
      },
    );
  }

  /** Makes a call on behalf of the running function; outside of functions it simply happens. */
  public async call<T>(call: ServiceCall<T>): Promise<T> {
    const invocation = currentInvocation();
    if (invocation === undefined) return call.effect();
    if (invocation.state !== 'running') throw new Killed(call.what());
    const { effect, ...rest } = call;
    return await new Promise<T>((resolve, reject) => {
      const perform = ({ answered }: { answered: boolean }): boolean => {
        try {
          const answer = effect();
          if (answered) resolve(answer);
          return true;
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          return false;
        }
      };
      this.#parked.push({ ...rest, invocation, perform, reject });
      this.#calls += 1;
    });
  }

  /** Runs until nothing is left to happen, or `isOver` says so. */
  public async run(isOver: () => boolean): Promise<void> {
    for (;;) {
      await this.#settle();
      if (isOver()) return;
      if (!this.#step()) return;
      this.#steps += 1;
      if (this.#steps > MOST_STEPS) throw new NeverAtRest(`something still happens after ${MOST_STEPS} steps`);
    }
  }

  #step(): boolean {
    const calls = this.#parked.filter(({ readyAt }) => (readyAt ?? 0) <= this.#now);
    const moves: Move[] = [
      ...calls.map((parked) => ({
        weight: 40,
        act: () => {
          this.#answer(parked);
        },
      })),
      ...this.#sources.flatMap((source) => source.moves()),
    ];
    const next = this.#nextInstant();
    if (next !== null) {
      const weight = calls.length > 0 ? 1 : 12;
      moves.push({
        weight,
        act: () => {
          this.advanceTo(next);
        },
      });
    }
    const move = moves[this.#choices.pick(moves.map(({ weight }) => weight))];
    if (move === undefined) return false;
    move.act();
    return true;
  }

  #nextInstant(): number | null {
    const instants = [
      ...this.#parked.flatMap(({ readyAt }) => (readyAt === undefined ? [] : [readyAt])),
      ...this.#sources.flatMap((source) => source.nextAt() ?? []),
    ].filter((instant) => instant > this.#now);
    return instants.length === 0 ? null : Math.min(...instants);
  }

  #answer(parked: Parked): void {
    this.#parked = this.#parked.filter((other) => other !== parked);
    this.#now += CALL_MS;
    const { invocation, what } = parked;
    this.#acting = invocation;
    try {
      this.#let(parked, invocation, what);
    } finally {
      this.#acting = undefined;
    }
  }

  #let(parked: Parked, invocation: Invocation, what: () => string): void {
    switch (this.#fateOf(parked)) {
      case 'smooth':
        this.#tell(() => `${label(invocation)}: ${what()}`);
        parked.perform({ answered: true });
        return;
      case 'refused':
        this.#tell(() => `${label(invocation)}: ${what()}, but the service refuses for now; nothing was done`);
        parked.reject(parked.refusal?.() ?? new Error('refused'));
        return;
      case 'answer-lost':
        this.#tell(() => `${label(invocation)}: ${what()}; it was done, but no answer comes`);
        if (parked.perform({ answered: false })) parked.reject(parked.lostAnswer?.() ?? new Error('no answer'));
        return;
      case 'killed-before':
        this.#kill(invocation, `dies before this call: ${what()}`);
        parked.reject(new Killed(what()));
        return;
      case 'killed-after':
        this.#tell(() => `${label(invocation)}: ${what()}`);
        parked.perform({ answered: false });
        this.#kill(invocation, `dies right after this call: ${what()}`);
        parked.reject(new Killed(what()));
        return;
    }
  }

  #fateOf(parked: Parked): 'smooth' | 'refused' | 'answer-lost' | 'killed-before' | 'killed-after' {
    const { budget, weight } = this.#misfortune;
    if (budget === 0) return 'smooth';
    const fates = ['smooth', 'refused', 'answer-lost', 'killed-before', 'killed-after'] as const;
    const weights = [
      SMOOTH,
      parked.refusal === undefined ? 0 : weight,
      parked.lostAnswer === undefined ? 0 : weight,
      weight,
      weight,
    ];
    const fate = fates[this.#choices.pick(weights)] ?? 'smooth';
    if (fate !== 'smooth') this.#misfortune = { budget: budget - 1, weight };
    return fate;
  }

  #kill(invocation: Invocation, why: string): void {
    if (invocation.state !== 'running') return;
    invocation.state = 'killed';
    this.#tell(() => `${label(invocation)} ${why}`);
    const dying = this.#parked.filter((parked) => parked.invocation === invocation);
    this.#parked = this.#parked.filter((parked) => parked.invocation !== invocation);
    for (const { reject, what } of dying) reject(new Killed(what()));
  }

  /**
   * Waits until every running function has either ended or stands at a call. One that makes two calls at a time stands at
   * the first while it still works on the second, so the picture has to stay the same for a few turns of the event loop:
   * reading a response takes some.
   */
  async #settle(): Promise<void> {
    const until = performance.now() + LONGEST_THOUGHT_MS;
    let calls = -1;
    for (let same = 0; ; ) {
      await new Promise(setImmediate);
      const standing = new Set(this.#parked.map(({ invocation }) => invocation));
      const isStanding = [...this.#running].every((invocation) => standing.has(invocation));
      same = isStanding && this.#calls === calls ? same + 1 : 0;
      calls = this.#calls;
      if (same === QUIET_TURNS) return;
      if (performance.now() > until) throw new Error('a function waits for something that is not simulated');
    }
  }
}

/** Work that goes round in circles. */
export class NeverAtRest extends Error {
  public override readonly name = 'NeverAtRest';
}

function label({ functionName, id }: Invocation): string {
  return `${functionName} (run ${id})`;
}

function inWords(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
