import { type Deployment, InvalidDeployment, readDeployment } from '../infra/deployment.ts';
import { CannotRun, EXIT, type ExitCode, program, runProgram, wholeNumber } from './command-line.ts';
import type { CheckResult } from './doctor/check.ts';
import { doctorChecks } from './doctor/checks.ts';
import { doctorReport } from './doctor/report.ts';
import { runChecks } from './doctor/run-checks.ts';
import { DEFAULT_DEPLOYMENT, profileOption } from './hub.ts';
import { json, print } from './terminal.ts';

type DoctorOptions = { deployment: string; policy: string; profile?: string; json?: true; timeout: number };

const doctor = program(
  'doctor',
  'Looks whether everything around the bot is as it has to be, and says what to do. Changes nothing.',
)
  .option('--deployment <file>', 'deployment file', DEFAULT_DEPLOYMENT)
  .option('--policy <file>', 'policy file', 'rotation-policy.yaml')
  .addOption(profileOption())
  .option('--timeout <seconds>', 'the longest that one check may take', wholeNumber(1, 600), 30)
  .option('--json', 'print the results as JSON')
  .addHelpText(
    'after',
    '\nExits 0 when all is well, 1 when a check failed, 2 when something could not be checked or it could not run.',
  )
  .action(async (options: DoctorOptions) => {
    const deployment = await deploymentOf(options.deployment);
    const checks = doctorChecks({
      ...{ deployment, deploymentPath: options.deployment, policyPath: options.policy, profile: options.profile },
    });
    const results = await runChecks(checks, options.timeout * 1000);
    print(options.json === true ? json({ checks: results }) : doctorReport(results));
    process.exitCode = exitCodeOf(results);
  });

await runProgram(doctor);

async function deploymentOf(path: string): Promise<Deployment> {
  try {
    return await readDeployment(path);
  } catch (error) {
    if (!(error instanceof InvalidDeployment)) throw error;
    throw new CannotRun(
      `${error.message}\nEvery key is explained in deployment.yaml; name the file with --deployment <file>.`,
      { cause: error },
    );
  }
}

function exitCodeOf(results: readonly CheckResult[]): ExitCode {
  if (results.some(({ outcome }) => outcome === 'failed')) return EXIT.found;
  return results.some(({ outcome }) => outcome === 'unchecked') ? EXIT.incomplete : EXIT.clean;
}
