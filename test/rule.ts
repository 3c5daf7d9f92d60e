/**
 * Where a back end is known to break a rule that others keep: the rule's name, and what its failure says. The README
 * of test/witness tells who is right.
 */
export type Deviations = Readonly<Record<string, RegExp>>;

export type Rule = (name: string, check: () => Promise<void>) => void;

/**
 * Makes the `it` of a contract that several back ends run. A rule that a back end is known to break has to go on being
 * broken, in the known way; so a difference that has gone, or a name that no rule has, is noticed.
 */
export function rulesFor(deviations: Deviations): Rule {
  const unused = new Set(Object.keys(deviations));
  afterAll(() => {
    expect([...unused]).toEqual([]);
  });
  return (name, check) => {
    const known = Object.hasOwn(deviations, name) ? deviations[name] : undefined;
    if (known === undefined) {
      it(name, check);
      return;
    }
    unused.delete(name);
    it(`differs, as documented: ${name}`, async () => {
      const failure: unknown = await check().then(
        () => 'the rule is kept now',
        (error: unknown) => error,
      );
      expect(textOf(failure)).toMatch(known);
    });
  };
}

function textOf(failure: unknown): string {
  const text = failure instanceof Error ? `${failure.name}: ${failure.message}` : String(failure);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of an assertion's message
  return text.replaceAll(/\u001B\[\d+m/g, '');
}
