import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { CreateKeyCommand, GetKeyRotationStatusCommand } from '@aws-sdk/client-kms';
import { build } from 'esbuild';
import { createFindingsTable } from '../../functions/adapters/findings-table.ts';
import { BUTTON } from '../../functions/contracts/slack-actions.ts';
import { bundle, esbuildOptions, FUNCTION_NAMES, type FunctionName } from '../../infra/bundling.ts';
import { type FunctionProcess, startFunction } from '../support/function-process.ts';
import { type SimulatedServices, startServices } from '../support/simulated-services.ts';

/** Bytes. The function that people wait for is held to less than the others, which carry the AWS SDK. */
const SIZE_LIMITS: Record<FunctionName, number> = {
  'decide-finding': 260_000,
  'detect-finding': 600_000,
  'remediate-key': 600_000,
  'announce-finding': 600_000,
  'sweep-keys': 600_000,
};

const folder = mkdtempSync(join(tmpdir(), 'bundles-'));
const pathOf = (name: FunctionName) => join(folder, name, 'index.js');
let services: SimulatedServices;
const functions = new Map<FunctionName, FunctionProcess>();

beforeAll(async () => {
  services = await startServices();
  for (const name of FUNCTION_NAMES) await bundle(name, join(folder, name));
  await Promise.all(
    FUNCTION_NAMES.map(async (name) => {
      functions.set(name, await startFunction({ bundle: pathOf(name), environment: services.environment }));
    }),
  );
}, 60_000);
afterAll(async () => {
  await Promise.all([...functions.values()].map(({ stop }) => stop()));
  await services.close();
  rmSync(folder, { recursive: true });
});

async function invoke(name: FunctionName, event: unknown): Promise<unknown> {
  const started = functions.get(name);
  if (started === undefined) throw new Error(`${name} has not started`);
  return (await started.invoke(event)).answer;
}

/** Hands the newest records of the table's stream to a function, one by one. */
async function react(name: FunctionName, eventTypes: readonly string[] | 'all'): Promise<void> {
  for (const record of services.takeStreamRecords()) {
    const type = record.dynamodb.NewImage?.['eventType']?.['S'];
    if (typeof type !== 'string' || (eventTypes !== 'all' && !eventTypes.includes(type))) continue;
    await invoke(name, { Records: [record] });
  }
}

it('knows every folder with a handler', () => {
  const folders = globSync('functions/*/handler.ts').map((path) => basename(dirname(path)));
  expect(folders.sort()).toEqual([...FUNCTION_NAMES].sort());
});

it.each(FUNCTION_NAMES)('keeps %s small', (name) => {
  expect(statSync(pathOf(name)).size).toBeLessThanOrEqual(SIZE_LIMITS[name]);
});

it('carries a finding from the event to the remedy with nothing but the bundles', async () => {
  const { KeyMetadata: key } = await services.kms.send(new CreateKeyCommand({ Description: 'orders' }));
  const arn = key?.Arn ?? '';
  const findings = createFindingsTable(services.table);
  const status = async () => (await findings.load(arn)).finding?.status;

  const [created] = services.takeEvents();
  const message = { messageId: 'm1', receiptHandle: 'r1', eventSourceARN: services.changesQueueArn };
  const event = { Records: [{ ...message, body: JSON.stringify(created) }] };
  expect(await invoke('detect-finding', event)).toEqual({ batchItemFailures: [] });
  expect(await status()).toBe('open');

  await react('announce-finding', 'all');
  const posted = services.slack.state().channels.flatMap(({ id, messages }) => messages.map(({ ts }) => ({ id, ts })));
  expect(posted).toHaveLength(1);
  const [{ id: channel, ts } = { id: '', ts: '' }] = posted;

  services.answerSlackWith((request) => invoke('decide-finding', request));
  const click = { user: 'U0VIEWER', channel, ts, actionId: BUTTON.approve };
  const refused = await services.slack.click(click);
  expect(refused.status).toBe(200);
  expect(refused.ephemerals).toHaveLength(1);
  const modal = await services.slack.click({ ...click, user: 'U0APPROVER', actionId: BUTTON.exempt });
  expect(modal.views).toHaveLength(1);
  const values = { owner: 'U0APPROVER', reason: 'The vendor pins the key', ticket: '', until: '2199-01-01' };
  const submitted = await services.slack.submit({ user: 'U0APPROVER', viewId: modal.views[0]?.id ?? '', values });
  expect(Object.keys(submitted.errors ?? {})).toEqual(['until']);
  expect((await services.slack.click({ ...click, user: 'U0APPROVER' })).status).toBe(200);
  expect(await status()).toBe('approved');

  await react('remediate-key', ['remediation-approved']);
  expect(await status()).toBe('remediated');
  const { KeyRotationEnabled } = await services.kms.send(new GetKeyRotationStatusCommand({ KeyId: arn }));
  expect(KeyRotationEnabled).toBe(true);

  expect(await invoke('sweep-keys', {})).toMatchObject({ due: 0 });
}, 60_000);

it('names the module when a part of Bolt is called that was left out', async () => {
  const outfile = join(folder, 'calls-express.js');
  const contents = `import { ExpressReceiver } from '@slack/bolt';
    export const handler = () => new ExpressReceiver({ signingSecret: 'made up' });`;
  await build({
    ...{ ...esbuildOptions('decide-finding'), entryPoints: [], outfile },
    stdin: { contents, resolveDir: process.cwd() },
  });
  const started = await startFunction({ bundle: outfile, environment: {} });
  try {
    const attempt = started.invoke({});
    await expect(attempt).rejects.toThrow('./receivers/ExpressReceiver is left out of this bundle');
  } finally {
    await started.stop();
  }
});
