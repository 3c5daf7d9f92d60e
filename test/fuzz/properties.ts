/**
 * What must hold whatever comes in. The fuzzer looks for an input that breaks one of these; each is checked by the
 * targets that can break it, and each breach is a `PropertyBroken` that names it.
 */
export const PROPERTIES = {
  contained: 'Nothing throws past the boundary: the receiver always answers an HTTP result and never 500.',
  'documented-errors': 'Parsers throw the errors that their docstrings name, and no others.',
  'cheap-until-authentic':
    'Until the signature is right a request costs header look-ups, a size check and at most one HMAC: its body is not parsed.',
  'silent-refusal':
    'A request that Slack did not sign gets 401, 405 or 413 (400 without being HTTP), an empty body, and changes nothing.',
  'acts-once': 'A signed request that comes again within the window changes nothing more.',
  'about-its-own-key': 'A click changes only the finding of the key that its button names.',
  'answers-only-slack': 'Answers go to addresses of Slack only, whatever response_url says.',
  'nobody-is-called': 'Text from outside never comes out as a mention: no answer has "<!", "<@" or "<#".',
  readable: 'What is stored because of an input can be read again.',
  'clean-prototypes': 'No input leaves anything behind on the prototypes of the language.',
  'same-twice': 'The same input gives the same answer.',
} as const;

export type Property = keyof typeof PROPERTIES;

/** An input for which a property does not hold. */
export class PropertyBroken extends Error {
  public override readonly name = 'PropertyBroken';
  public constructor(property: Property, seen: string, options?: ErrorOptions) {
    super(`${property}: ${PROPERTIES[property]}\n  seen: ${seen}`, options);
  }
}

/** @throws PropertyBroken unless `holds` */
export function check(property: Property, holds: boolean, seen: () => string): void {
  if (!holds) throw new PropertyBroken(property, seen());
}

type ErrorClass = abstract new (...args: never[]) => Error;

/**
 * What `parse` answers, or undefined when it throws one of the errors it may throw.
 * @throws PropertyBroken for any other error
 */
export function onlyThrows<T>(documented: readonly ErrorClass[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (documented.some((known) => error instanceof known)) return undefined;
    throw new PropertyBroken('documented-errors', described(error), { cause: error });
  }
}

/** Like `onlyThrows`, for what answers a promise. */
export async function onlyRejects<T>(documented: readonly ErrorClass[], act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (documented.some((known) => error instanceof known)) return undefined;
    throw new PropertyBroken('documented-errors', described(error), { cause: error });
  }
}

export function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const PROTOTYPES: readonly object[] = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
const ownKeys = () => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length).join();
const atStart = ownKeys();

/** Jazzer.js looks for this after every input too; here it also holds for the corpus as plain tests. */
export function checkPrototypes(): void {
  check('clean-prototypes', ownKeys() === atStart, () => `${ownKeys()} own keys instead of ${atStart}`);
}
