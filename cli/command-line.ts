import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { PolicyChanged, PolicyUnreadable } from '../functions/adapters/policy-store.ts';
import { InvalidPolicy } from '../functions/contracts/policy.ts';
import { InvalidDeployment } from '../infra/deployment.ts';

/** What every command ends with. */
export const EXIT = {
  /** Done, and nothing to complain about. */
  clean: 0,
  /** Done, and something was found that somebody has to do something about. */
  found: 1,
  /** Not done, or not all of it could be looked at. */
  incomplete: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command cannot do what it was asked; the message says why and what to do, in sentences. */
export class CannotRun extends Error {
  public override readonly name = 'CannotRun';
}

/** A command line program; usage errors end with `EXIT.incomplete`. */
export function program(name: string, description: string): Command {
  return new Command(name).description(description).showHelpAfterError().exitOverride();
}

/** Runs a program and sets the exit code of this process; an error becomes sentences on stderr, not a stack. */
export async function runProgram(command: Command, args = process.argv): Promise<void> {
  try {
    await command.parseAsync(args);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.clean : EXIT.incomplete;
      return;
    }
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = EXIT.incomplete;
  }
}

/** What an error means for whoever typed the command. Errors nobody expects keep their stack: they are defects. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isExpected =
    error instanceof CannotRun ||
    error instanceof InvalidDeployment ||
    error instanceof InvalidPolicy ||
    error instanceof PolicyChanged ||
    error instanceof PolicyUnreadable;
  if (isExpected) return error.message;
  return isAwsError(error) ? awsSentence(error) : (error.stack ?? error.message);
}

/** What an AWS call that failed says, in one line, with what to do about missing credentials. */
export function awsSentence(error: Error): string {
  const words = `${error.name}: ${error.message.split('\n', 1)[0] ?? ''}`;
  const isAboutCredentials = /Credentials|ExpiredToken|Token is expired|InvalidClientTokenId|UnrecognizedClient/.test(
    words,
  );
  return isAboutCredentials ? `${words}\nSign in first, for instance with: aws sso login --profile <profile>` : words;
}

/** Whether AWS, or the SDK on the way to it, refused: told by shape, because each client has classes of its own. */
export function isAwsError(error: Error): boolean {
  return (
    '$metadata' in error ||
    error.name === 'CredentialsProviderError' ||
    'code' in error ||
    error.name === 'TimeoutError'
  );
}

/** Parses an option that takes a whole number. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < minimum || number > maximum) {
      throw new InvalidArgumentError(`Expected a whole number from ${minimum} to ${maximum}.`);
    }
    return number;
  };
}

/** Collects an option that may be given several times, or once with commas. */
export function several(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), ...text.split(',').filter((part) => part !== '')];
}
