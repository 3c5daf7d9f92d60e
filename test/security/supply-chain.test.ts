import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

const run = promisify(execFile);
const ended = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() });

/** Runs a script of ours; answers its exit code and all it said. */
async function script(args: string[], env: Record<string, string> = {}): Promise<{ code: number; said: string }> {
  const { code, stdout, stderr } = await run(process.execPath, args, { env: { ...process.env, ...env } }).then(
    (output) => ({ code: 0, ...output }),
    (error: unknown) => ended.parse(error),
  );
  return { code, said: stdout + stderr };
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'supply-chain-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('dependency that was swapped or smuggled in', async () => {
  const lockfile = z
    .looseObject({ packages: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse(JSON.parse(readFileSync('package-lock.json', 'utf8')));
  const checked = async (change: Record<string, unknown>) => {
    const file = join(folder, 'package-lock.json');
    const zod = { ...lockfile.packages['node_modules/zod'], ...change };
    writeFileSync(file, JSON.stringify({ ...lockfile, packages: { ...lockfile.packages, 'node_modules/zod': zod } }));
    return await script(['scripts/check-lockfile.mjs', file]);
  };
  expect((await checked({})).code).toBe(0);
  expect(await checked({ integrity: undefined })).toEqual({ code: 1, said: 'node_modules/zod has no SHA-512\n' });
  expect((await checked({ integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' })).code).toBe(1);
  expect((await checked({ resolved: 'https://evil.example/zod.tgz' })).said).toContain(
    'comes from https://evil.example',
  );
  expect((await checked({ hasInstallScript: true })).said).toContain('neither allows nor refuses');
  expect((await checked({ optionalDependencies: { 'zod-linux': '1.0.0' } })).said).toContain(
    'zod-linux@1.0.0 is missing',
  );
}, 30_000);

describe('dependency with a known vulnerability', () => {
  /** The audit of this project by a registry that answers so. */
  async function audited(status: number, severity: string | null, ...options: string[]) {
    const advisory = {
      ...{ id: 1, url: 'https://advisories.example/1', title: 'Example', cwe: [], cvss: { score: 0 } },
      ...{ severity, vulnerable_versions: '*' },
    };
    const registry = createServer((request, response) => {
      const isAudit = request.url === '/-/npm/v1/security/advisories/bulk';
      response.writeHead(isAudit ? status : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isAudit && severity !== null ? { zod: [advisory] } : {}));
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
    const { port } = z.object({ port: z.int() }).parse(registry.address());
    const args = ['scripts/audit-dependencies.mjs', 'vulnerabilities', ...options];
    const answer = await script(args, { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_cache: folder });
    registry.close();
    registry.closeAllConnections();
    return answer;
  }

  it.each<[string, number, string | null, number, RegExp]>([
    ['none', 200, null, 0, /dependencies: 0, high or critical: 0/],
    ['a moderate one', 200, 'moderate', 0, /moderate: zod.*dependencies: 1, high or critical: 0/s],
    ['a high one', 200, 'high', 1, /high: zod.*dependencies: 1, high or critical: 1/s],
    ['a critical one', 200, 'critical', 1, /critical: zod/],
    ['nothing, because the registry does not audit', 405, null, 1, /NOT CHECKED.*no audit endpoint/s],
    ['nothing, because the registry fails', 500, null, 1, /npm audit failed/],
  ])(
    'with %s',
    async (_, status, severity, code, said) => {
      expect(await audited(status, severity)).toEqual({ code, said: expect.stringMatching(said) as unknown });
    },
    30_000,
  );

  it('passes without an audit only where that was asked for, and says so', async () => {
    expect(await audited(405, null, '--where-offered')).toEqual({
      code: 0,
      said: expect.stringMatching(/^NOT CHECKED/) as unknown,
    });
    expect((await audited(500, null, '--where-offered')).code).toBe(1);
  }, 30_000);
});

it('dependency whose licence is not allowed', async () => {
  const checked = async (licenses: object[]) => {
    const file = join(folder, 'sbom.json');
    writeFileSync(file, JSON.stringify({ components: [{ 'bom-ref': 'thing@1.0.0', licenses }] }));
    return (await script(['scripts/check-licences.mjs', file])).code;
  };
  expect(await checked([{ license: { id: 'MIT' } }])).toBe(0);
  expect(await checked([{ expression: '(GPL-3.0-only OR Apache-2.0)' }])).toBe(0);
  expect(await checked([{ license: { id: 'AGPL-3.0-only' } }])).toBe(1);
  expect(await checked([{ license: { name: 'SEE LICENSE IN LICENSE.txt' } }])).toBe(1);
  expect(await checked([{ license: { id: 'MIT' } }, { license: { id: 'GPL-2.0-only' } }])).toBe(1);
  expect(await checked([])).toBe(1);
}, 30_000);

/** What real credentials look like, by their makers' own prefixes. */
const CREDENTIALS = [
  /xox[abeprs]-\d{8,}-[\w-]{10,}/,
  /xapp-\d-[A-Z\d]{8,}-[\w-]{10,}/,
  /hooks\.slack\.com\/services\/T\w{6,}\/B\w{6,}\/\w{20,}/,
  /\b(?:AKIA|ASIA|ABIA|ACCA)(?![A-Z\d]*EXAMPLE\b)[A-Z2-7]{16}\b/,
  /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/,
  /\bgh[oprsu]_[A-Za-z\d]{36}\b/,
  /\bgithub_pat_\w{80,}/,
  /\bnpm_[A-Za-z\d]{36}\b/,
];

it('secret committed to the repository', () => {
  // In pieces, so that they are not found here.
  const samples = [
    'xoxb-123456789012-' + '1234567890abcdef',
    'AKIA' + 'Z7Q2M4N6P3R5T2V4',
    '-----BEGIN ' + 'RSA PRIVATE KEY-----',
  ];
  const found = (text: string) => CREDENTIALS.filter((pattern) => pattern.test(text)).map(String);
  expect(samples.map((sample) => found(sample).length)).toEqual([1, 1, 1]);
  expect(found('AKIAIOSFODNN7EXAMPLE')).toEqual([]);

  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    encoding: 'utf8',
  });
  const leaks = files
    .split('\0')
    .filter((file) => file !== '' && statSync(file, { throwIfNoEntry: false })?.isFile() === true)
    .flatMap((file) => found(readFileSync(file, 'utf8')).map((pattern) => `${file}: ${pattern}`));
  expect(leaks).toEqual([]);
});
