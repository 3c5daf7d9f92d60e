import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';

/** Asks a question, and answers with the line that was typed or piped in; undefined at the end of the input. */
export type Ask = (question: string) => Promise<string | undefined>;

/** Takes lines from the standard input; what is typed at a terminal does not appear there. */
export function openHiddenInput(input: ReadStream): { ask: Ask; close: () => void } {
  const nowhere = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  // With a terminal it is readline that echoes, and it echoes to nowhere.
  const lines = createInterface({ input, output: nowhere, terminal: input.isTTY });
  const reader = lines[Symbol.asyncIterator]();
  return {
    async ask(question) {
      if (input.isTTY) process.stderr.write(question);
      const { value, done } = await reader.next();
      if (input.isTTY) process.stderr.write('\n');
      return done === true ? undefined : value;
    },
    close() {
      lines.close();
    },
  };
}
