import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { createVisitor, DEV } from '../../sandbox/scenarios/visitor.ts';
import { HUB_ACCOUNT } from '../../sandbox/world.ts';

const containing = (text: string): unknown => expect.stringContaining(text);

/** The real commands, as child processes, against the simulated AWS and Slack. */
const DEPLOYMENT = 'sandbox/deployment.yaml';
const PATIENCE = 60_000;

let sandbox: Sandbox;
let folder: string;
let policyFile: string;

beforeAll(async () => {
  sandbox = await startSandbox({ awsPort: 0, slackPort: 0, graceSeconds: 1, rateLimits: 'off' });
  folder = mkdtempSync(join(tmpdir(), 'commands-'));
  policyFile = join(folder, 'policy.yaml');
  writeFileSync(policyFile, (await run('policy', 'show', '--deployment', DEPLOYMENT)).stdout);
}, PATIENCE);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await sandbox.close();
}, PATIENCE);

type Run = { code: number; stdout: string; stderr: string };

function run(command: string, ...args: string[]): Promise<Run> {
  const environment = {
    ...{ PATH: process.env['PATH'], AWS_ENDPOINT_URL: sandbox.awsUrl, SLACK_API_URL: `${sandbox.slackUrl}/api/` },
    ...{ AWS_ACCESS_KEY_ID: HUB_ACCOUNT.id, AWS_SECRET_ACCESS_KEY: 'any', AWS_REGION: 'eu-central-1' },
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [`cli/${command}.ts`, ...args], { env: environment }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

async function control(path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${sandbox.awsUrl}/sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

const report = z.object({
  checks: z.array(z.object({ id: z.string(), outcome: z.string(), seen: z.string(), todo: z.string().optional() })),
});
async function consult(policy = policyFile) {
  const { code, stdout } = await run('doctor', '--json', '--deployment', DEPLOYMENT, '--policy', policy);
  const { checks } = report.parse(JSON.parse(stdout));
  return { code, checks, complaints: checks.filter(({ outcome }) => outcome === 'failed' || outcome === 'unchecked') };
}

describe('npm run doctor', () => {
  afterEach(() => control('mistakes', { names: [] }));

  it(
    'finds nothing wrong with a healthy account, in words that need no colour',
    async () => {
      const { code, stdout } = await run('doctor', '--deployment', DEPLOYMENT, '--policy', policyFile);
      expect(stdout).toContain('20 ok, 0 failed, 0 could not be checked, 1 not applicable');
      expect(stdout).toMatch(/^ok {9}trail /m);
      expect(code).toBe(0);
    },
    PATIENCE,
  );

  it.each([
    ['trail-missing', 'trail', 'There is no trail', 'create-trail'],
    ['trail-stopped', 'trail', 'does not log', 'start-logging'],
    ['trail-of-one-region', 'trail', 'No trail logs us-east-1', '--is-multi-region-trail'],
    ['trail-of-one-account', 'trail', 'not the organization', '--is-organization-trail'],
    ['trail-reads-only', 'trail', 'reading calls only', 'put-event-selectors'],
    ['trail-excludes-kms', 'trail', 'ExcludeManagementEventSources', 'put-event-selectors'],
    ['trail-excludes-kms-by-advanced-selector', 'trail', 'advanced event selector', 'put-event-selectors'],
    ['organization-other', 'organization', 'o-another0001', 'organization.id'],
    ['stacksets-not-trusted', 'stacksets-trusted', 'DISABLED', 'activate-organizations-access'],
    ['not-delegated-administrator', 'stacksets-delegated', 'none', 'register-delegated-administrator'],
    ['hub-stack-rolled-back', 'hub-stack', 'UPDATE_ROLLBACK_COMPLETE', 'describe-stack-events'],
    ['hub-stack-drifted', 'hub-stack', 'DRIFTED', 'describe-stack-resource-drifts'],
    ['member-stack-missing', 'member-stacks', 'is not deployed', 'cdk deploy kms-rotation-bot-member-us-east-1'],
    ['stack-instance-outdated', 'stackset-instances', 'OUTDATED (FAILED), Account limit', 'list-stack-instances'],
    ['region-not-rolled-out', 'stackset-instances', 'us-east-1', 'list-stack-instances'],
    ['event-bus-missing', 'event-bus', 'no such bus', 'cdk deploy'],
    ['event-bus-closed', 'event-bus', 'no other account', 'cdk deploy'],
    ['event-bus-of-another-organization', 'event-bus', 'does not let o-sandbox0000 in', 'cdk deploy'],
    ['concurrency-low', 'lambda-concurrency', 'Quota 10', 'request-service-quota-increase'],
    ['slack-secret-missing', 'slack-secret', 'no such secret', 'slack:connect'],
    ['slack-secret-placeholder', 'slack-secret', 'placeholder', 'slack:connect'],
    ['slack-secret-malformed', 'slack-secret', 'botId', 'slack:connect'],
    ['slack-token-revoked', 'slack-token', 'invalid_auth', 'Install the app again'],
    ['slack-other-bot', 'slack-token', 'B0OTHER', 'slack:connect'],
    ['slack-scope-missing', 'slack-scopes', 'usergroups:read', 'OAuth & Permissions'],
    ['channel-archived', 'slack-channels', 'C0SECURITY is archived', 'archive'],
    ['channel-without-bot', 'slack-channels', 'C0SECURITY: the bot is not in it', '/invite'],
  ])(
    'names %s and what to do about it',
    async (mistake, id, seen, todo) => {
      await control('mistakes', { names: [mistake] });
      const { code, complaints } = await consult();
      const failed = complaints.filter(({ outcome }) => outcome === 'failed');
      expect(failed).toEqual([expect.objectContaining({ id, seen: containing(seen) })]);
      expect(failed[0]?.todo).toContain(todo);
      expect(code).toBe(1);
    },
    PATIENCE,
  );

  it(
    'finds nothing wrong before the first deployment',
    async () => {
      await control('mistakes', { names: ['nothing-deployed'] });
      const { code, complaints } = await consult();
      expect({ code, complaints }).toEqual({ code: 0, complaints: [] });
    },
    PATIENCE,
  );

  it(
    'says that it could not look, instead of guessing',
    async () => {
      await control('fault', {
        service: 'cloudtrail',
        operation: 'GetTrailStatus',
        error: 'AccessDeniedException',
        times: 1,
      });
      const { code, complaints } = await consult();
      expect(complaints).toEqual([
        expect.objectContaining({ id: 'trail', outcome: 'unchecked', seen: containing('AccessDenied') }),
      ]);
      expect(code).toBe(2);
    },
    PATIENCE,
  );

  it(
    'finds people and groups of the policy who cannot decide, and that the policy is not the stored one',
    async () => {
      const file = join(folder, 'people.yaml');
      const text = readFileSync(policyFile, 'utf8');
      writeFileSync(file, text.replaceAll('U0ENGINEER', 'U0LEFT').replaceAll('S0SECURITY', 'S0NOBODY'));
      const { code, complaints } = await consult(file);
      expect(complaints.map(({ id, seen }) => [id, seen])).toEqual([
        ['policy-stored', containing('is stored')],
        ['slack-approvers', 'U0LEFT (Left the company) is deactivated.'],
        ['slack-groups', 'S0NOBODY does not exist, or is switched off.'],
      ]);
      expect(code).toBe(1);
    },
    PATIENCE,
  );

  it(
    'cannot run without a deployment file',
    async () => {
      const { code, stderr } = await run('doctor', '--deployment', join(folder, 'none.yaml'));
      expect(stderr).toContain('cannot be read');
      expect(stderr).not.toContain('    at ');
      expect(code).toBe(2);
    },
    PATIENCE,
  );
});

describe('npm run policy', () => {
  it(
    'refuses a policy that is not valid, with its place, before anything is stored',
    async () => {
      const file = join(folder, 'bad.yaml');
      writeFileSync(file, readFileSync(policyFile, 'utf8').replace('maximumDays: 90', 'maximumDays: 0'));
      const { code, stderr } = await run('policy', 'apply', file, '--yes', '--deployment', DEPLOYMENT);
      expect(stderr).toMatch(/line \d+, column 3, exemptions\.maximumDays: expected at least 1, got 0/);
      expect(code).toBe(1);
      expect((await run('policy', 'diff', policyFile, '--deployment', DEPLOYMENT)).code).toBe(0);
    },
    PATIENCE,
  );

  it(
    'shows what changes, stores it unless another is stored than expected, and keeps what was before',
    async () => {
      const file = join(folder, 'new.yaml');
      writeFileSync(file, readFileSync(policyFile, 'utf8').replace('maximumDays: 90', 'maximumDays: 60'));
      const shown = await run('policy', 'diff', file, '--json', '--deployment', DEPLOYMENT);
      const { stored, differences } = z
        .object({ stored: z.string(), differences: z.array(z.unknown()) })
        .parse(JSON.parse(shown.stdout));
      expect(differences).toEqual([{ path: 'exemptions.maximumDays', before: 90, after: 60 }]);
      expect(shown.code).toBe(1);
      const apply = (expected: string) =>
        run('policy', 'apply', file, '--yes', '--expect', expected, '--deployment', DEPLOYMENT);
      expect((await apply('of-somebody-else')).code).toBe(1);
      expect(await apply(stored)).toMatchObject({ code: 0, stdout: containing('Stored version') });
      const history = await run('policy', 'history', '--deployment', DEPLOYMENT);
      expect(history.stdout).toContain(stored);
      await run('policy', 'apply', policyFile, '--yes', '--deployment', DEPLOYMENT);
    },
    PATIENCE,
  );

  it(
    'stores nothing when nobody is there to ask',
    async () => {
      const file = join(folder, 'unasked.yaml');
      writeFileSync(file, readFileSync(policyFile, 'utf8').replace('maximumDays: 90', 'maximumDays: 61'));
      const { code, stderr } = await run('policy', 'apply', file, '--deployment', DEPLOYMENT);
      expect(stderr).toContain('Say --yes');
      expect(code).toBe(2);
    },
    PATIENCE,
  );
});

describe('the commands about keys', () => {
  let arn: string;
  beforeAll(async () => {
    const make = async (kind: string) =>
      z
        .object({ arn: z.string() })
        .parse(await control('keys', { kind, account: HUB_ACCOUNT.id, alias: `alias/${kind}` })).arn;
    arn = await make('symmetric');
    await make('rsa');
    await control('settle', {});
  }, PATIENCE);

  it(
    'npm run scan exits 1 for a key that does not rotate, and keeps stdout for machines',
    async () => {
      const { code, stdout } = await run('scan', '--all-regions', '--json');
      const { counts, keys } = z
        .object({ counts: z.record(z.string(), z.number()), keys: z.array(z.object({ arn: z.string() })) })
        .parse(JSON.parse(stdout));
      expect(counts).toMatchObject({ keys: 2, problems: 1, notApplicable: 1, unknown: 0, regionsRefused: 0 });
      expect(keys[0]?.arn).toBe(arn);
      expect(code).toBe(1);
    },
    PATIENCE,
  );

  it(
    'npm run scan exits 2 when it may not look, and shows those keys as unknown',
    async () => {
      await control('fault', { service: 'kms', operation: 'DescribeKey', error: 'AccessDeniedException', times: 2 });
      const { code, stdout } = await run('scan');
      expect(stdout).toContain('2 unknown');
      expect(code).toBe(2);
    },
    PATIENCE,
  );

  it(
    'npm run scan survives throttling',
    async () => {
      await control('fault', { service: 'kms', operation: 'DescribeKey', error: 'ThrottlingException', times: 3 });
      expect((await run('scan')).stdout).toContain('0 unknown');
    },
    PATIENCE,
  );

  it(
    'npm run findings, exemptions and audit read the table',
    async () => {
      const findings = await run('findings', 'open', '--deployment', DEPLOYMENT);
      expect(findings).toMatchObject({ code: 1, stdout: containing('alias/symmetric') });
      expect(await run('exemptions', '--deployment', DEPLOYMENT)).toMatchObject({
        code: 0,
        stdout: 'No exemptions.\n',
      });
      const trail = await run('audit', 'show', arn, '--deployment', DEPLOYMENT);
      expect(trail.stdout).toMatch(/finding-opened .* Automatic rotation is off\./);
      expect(trail.stdout).toContain('the finding follows from');
      const all = await run('audit', 'verify', '--all', '--deployment', DEPLOYMENT);
      expect(all).toMatchObject({ code: 0, stdout: '1 keys, 0 with a trail that does not hold.\n' });
    },
    PATIENCE,
  );

  it(
    'npm run exemptions and audit know exemptions of a pattern',
    async () => {
      const visitor = createVisitor(sandbox, () => undefined);
      const { views } = await visitor.command('U0APPROVER', `exempt ${DEV} alias:listed-*`);
      const until = await visitor.day(30);
      const terms = { owner: 'U0VIEWER', reason: 'Keys of the test stage', ticket: '', until };
      await visitor.submit('U0APPROVER', views[0]?.id ?? '', terms);
      await visitor.settle();
      const { channel, ts } = await visitor.patternMessage();
      await visitor.clickAt('U0APPROVER2', { channel, ts }, 'confirm-pattern');
      await visitor.settle();
      visitor.close();
      const listed = await run('exemptions', '--deployment', DEPLOYMENT);
      expect(listed.stdout).toMatch(/Of all keys of a pattern:.*alias listed-\*.*Approver .* and Second approver/s);
      const id = listed.stdout.trimEnd().split(/\s+/).at(-1) ?? '';
      const trail = await run('audit', 'show', id, '--deployment', DEPLOYMENT);
      expect(trail).toMatchObject({ code: 0, stdout: containing('the exemption follows from') });
      expect(trail.stdout).toMatch(/pattern-requested .* Approver .*pattern-confirmed .* Second approver /s);
      const today = await run('audit', 'day', new Date().toISOString().slice(0, 10), '--deployment', DEPLOYMENT);
      expect(today.stdout).toMatch(/Exemptions of patterns:\n.*pattern-confirmed/s);
      const all = await run('audit', 'verify', '--all', '--deployment', DEPLOYMENT);
      expect(all).toMatchObject({ code: 0, stdout: containing('exemptions of 1 patterns, 0 with a trail') });
    },
    PATIENCE,
  );
});
