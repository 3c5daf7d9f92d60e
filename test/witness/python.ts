import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import * as z from 'zod';

const FOLDER = import.meta.dirname;
const VIRTUAL_ENVIRONMENT = join(FOLDER, '../../.cache/witness/bin/python');

/** A script of this folder in a Python process of its own, which ends with this one. */
export type PythonProcess = {
  /** The next line that the script prints. */
  line: () => Promise<string>;
  write: (text: string) => void;
  stop: () => Promise<void>;
};

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** @throws Error with one sentence on what to do, when moto or botocore is missing or of another version */
export function startPython(script: string): PythonProcess {
  const python = interpreter();
  const child: Child = spawn(python, ['-u', join(FOLDER, script)], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-4000);
  });
  const ended = once(child, 'close');
  const lines: Interface = createInterface({ input: child.stdout });
  const iterator = lines[Symbol.asyncIterator]();
  return {
    async line() {
      const next = await iterator.next();
      if (next.done === true) throw new Error(`${script} ended early: ${complaints}`);
      return next.value;
    },
    write(text) {
      child.stdin.write(text);
    },
    async stop() {
      child.stdin.end();
      await ended;
      lines.close();
    },
  };
}

/**
 * The Python that has the pinned moto and botocore: `WITNESS_PYTHON`, else the virtual environment, else `python3`.
 * A missing witness fails the tests: a comparison that was not made must not look like one that passed.
 */
function interpreter(): string {
  const python = process.env['WITNESS_PYTHON'] ?? (existsSync(VIRTUAL_ENVIRONMENT) ? VIRTUAL_ENVIRONMENT : 'python3');
  const wanted = { moto: pinned('moto'), botocore: pinned('botocore') };
  let found: unknown;
  try {
    const asked = 'import json, moto, botocore; print(json.dumps([moto.__version__, botocore.__version__]))';
    found = JSON.parse(execFileSync(python, ['-c', asked], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
  } catch {
    found = 'none of them';
  }
  const isThere = z.tuple([z.literal(wanted.moto), z.literal(wanted.botocore)]).safeParse(found).success;
  if (isThere) return python;
  throw new Error(
    `${python} has not moto ${wanted.moto} and botocore ${wanted.botocore} (found: ${JSON.stringify(found)}). ` +
      'Install them: python3 -m venv .cache/witness && .cache/witness/bin/pip install -r test/witness/requirements.txt',
  );
}

function pinned(name: string): string {
  const version = new RegExp(`^${name}==(.+)$`, 'm').exec(readFileSync(join(FOLDER, 'requirements.txt'), 'utf8'))?.[1];
  if (version === undefined) throw new Error(`test/witness/requirements.txt does not pin ${name}`);
  return version;
}
