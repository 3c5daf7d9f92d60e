import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { FUNCTION_NAMES, type FunctionName } from '../../functions/contracts/functions.ts';
import { bundle } from '../../infra/bundling.ts';
import { walkMainPath } from '../bench/main-path.ts';
import { type SimulatedServices, startServices } from '../support/simulated-services.ts';
import { permissionsOf } from './permissions.ts';

const folder = mkdtempSync(join(tmpdir(), 'permissions-'));
let services: SimulatedServices;
beforeAll(async () => {
  services = await startServices();
  for (const name of FUNCTION_NAMES) await bundle(name, join(folder, name));
}, 60_000);
afterAll(async () => {
  await services.close();
  rmSync(folder, { recursive: true });
});

/** What IAM calls an operation: its own name, but for DynamoDB's transactions, which are the writes in them. */
function actionOf(call: string): string {
  const words = call.replace(/^\d+ x /, '').split(' ');
  const operation = words.pop() ?? '';
  return `${words.join('').toLowerCase()}:${operation === 'TransactWriteItems' ? 'PutItem' : operation}`;
}

it('every call that the functions make, from an event to the remedy, is one that their roles may make', async () => {
  const { calls } = await walkMainPath({ services, pathOf: (name) => join(folder, name, 'index.js') });
  const granted = await permissionsOf('deployment.yaml');
  const actionsOf = (role: string) => (granted[role] ?? []).map((line) => line.split(' on ')[0] ?? '');
  /** Calls to KMS are made with the roles of the watched account that the function may assume. */
  const rolesOf = (name: FunctionName) => {
    const own = `kms-rotation-bot-${name}`;
    const assumed = (granted[own] ?? []).flatMap((line) => /^sts:AssumeRole on .*:role\/(\S+)/.exec(line)?.[1] ?? []);
    return { own, assumed };
  };

  const made = calls.flatMap(({ by, calls: text }) =>
    text
      .split(', ')
      .filter((call) => call !== '' && !/Slack /.test(call))
      .map((call) => ({ by, action: actionOf(call) })),
  );
  expect(made.length).toBeGreaterThan(20);
  const refused = made.filter(({ by, action }) => {
    const { own, assumed } = rolesOf(by);
    const roles = action.startsWith('kms:') ? assumed : [own];
    return !roles.some((role) => actionsOf(role).includes(action));
  });
  expect(refused).toEqual([]);
}, 60_000);
