/** What a check found. `todo` is the exact command, or the place in a console. */
export type Verdict =
  | { outcome: 'ok'; seen: string }
  | { outcome: 'failed'; seen: string; todo: string }
  /** It could not be looked at: nobody can say whether it is right. */
  | { outcome: 'unchecked'; seen: string; todo: string }
  | { outcome: 'not-applicable'; seen: string };

/** One thing that has to be right. It only reads; what it cannot read it may throw. */
export type Check = { id: string; title: string; look: () => Promise<Verdict> };

export type CheckResult = { id: string; title: string } & Verdict;

/** Something that several checks need is not there; told once, by the check that is about it. */
export class Missing extends Error {
  public override readonly name = 'Missing';
  /** Id of the check that says what to do. */
  public readonly check: string;
  /** Whether it is not there because nothing was deployed yet, so that nothing is wrong. */
  public readonly isYetToCome: boolean;
  public constructor(
    check: string,
    what: string,
    { isYetToCome = false, ...options }: ErrorOptions & { isYetToCome?: boolean } = {},
  ) {
    super(what, options);
    this.check = check;
    this.isYetToCome = isYetToCome;
  }
}

/** Joins what was found one by one: a failure outweighs what could not be looked at, which outweighs what is right. */
export function together(found: readonly Verdict[], whenOk: string): Verdict {
  const failed = found.filter((verdict) => verdict.outcome === 'failed');
  const unchecked = found.filter((verdict) => verdict.outcome === 'unchecked');
  const lines = (verdicts: readonly { seen: string; todo: string }[]) => ({
    seen: verdicts.map(({ seen }) => seen).join('\n'),
    todo: [...new Set(verdicts.map(({ todo }) => todo))].join('\n'),
  });
  if (failed.length > 0) return { outcome: 'failed', ...lines(failed) };
  if (unchecked.length > 0) return { outcome: 'unchecked', ...lines(unchecked) };
  return { outcome: 'ok', seen: whenOk };
}
