// Fails on known high or critical vulnerabilities in what runs in production, and on packages whose registry signature is wrong.
// Usage: npm run audit:dependencies [-- --where-offered] [vulnerabilities|signatures]
//
// A registry without an audit endpoint (it answers 404 or 405), or a network without the signing keys, audits nothing. That fails too,
// unless --where-offered is given: then it is said, loudly, and passes. Any other failure to audit always fails.
import { spawnSync } from 'node:child_process';

const { argv } = process;
const passesWhereNotOffered = argv.includes('--where-offered');
const UNREACHABLE = ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ETIMEDOUT'];
let failed = false;

if (!argv.includes('signatures')) checkVulnerabilities();
if (!argv.includes('vulnerabilities')) checkSignatures();
process.exitCode = failed ? 1 : 0;

function checkVulnerabilities() {
  const report = npm('audit', '--omit=dev', '--json');
  if (report.statusCode === 404 || report.statusCode === 405) {
    return notOffered(`vulnerabilities; the registry has no audit endpoint (${report.message})`);
  }
  const counts = report.metadata?.vulnerabilities;
  if (counts === undefined) return fail(`vulnerabilities: npm audit failed: ${JSON.stringify(report)}`);
  for (const { name, severity, range } of Object.values(report.vulnerabilities))
    console.log(`${severity}: ${name} ${range}`);
  const serious = counts.high + counts.critical;
  const summary = `vulnerabilities in production dependencies: ${counts.total}, high or critical: ${serious}`;
  if (serious > 0) fail(summary);
  else console.log(summary);
}

function checkSignatures() {
  const { invalid, missing, error } = npm('audit', 'signatures', '--json', '--fetch-retries=0');
  if (UNREACHABLE.includes(error?.code)) {
    return notOffered(`registry signatures; the signing keys cannot be fetched (${error.summary})`);
  }
  if (invalid === undefined) return fail(`registry signatures: npm audit signatures failed: ${JSON.stringify(error)}`);
  for (const { name, version } of invalid) console.log(`wrong signature: ${name} ${version}`);
  if (invalid.length > 0) fail(`registry signatures: ${invalid.length} wrong`);
  else console.log(`registry signatures: none wrong, ${missing.length} missing`);
}

/** What npm answers as JSON, whatever its exit code. */
function npm(...args) {
  const { stdout, stderr } = spawnSync(process.execPath, [process.env.npm_execpath, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: { ...process.env, npm_config_loglevel: 'error' },
  });
  try {
    return JSON.parse(stdout);
  } catch {
    return { error: { summary: stderr } };
  }
}

function fail(sentence) {
  console.error(sentence);
  failed = true;
}

function notOffered(sentence) {
  console.log(`NOT CHECKED: ${sentence}`);
  failed ||= !passesWhereNotOffered;
}
