import { execFile } from 'node:child_process';
import { PLANTED_FAULTS } from './planted-faults.ts';

type Run = { code: number; output: string; last: string };

function simulate(...options: string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const script = new URL('./simulate.ts', import.meta.url).pathname;
    execFile(process.execPath, [script, ...options], { maxBuffer: 50_000_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code !== 'number') reject(new Error(`the simulation did not run: ${stderr}`));
      else resolve({ code, output: stdout, last: stdout.trimEnd().split('\n').at(-1) ?? '' });
    });
  });
}

describe('the simulation', () => {
  it('finds no broken promise, and says how much it has seen', async () => {
    const { code, last } = await simulate('--seeds', '60');
    expect(last).toMatch(/^60 schedules, \d+ steps, 0 violations$/);
    expect(code).toBe(0);
  }, 120_000);

  it('plays a seed the same way every time, and tells what happens', async () => {
    const [first, second] = await Promise.all([simulate('--seed', '11'), simulate('--seed', '11')]);
    expect(first.output).toBe(second.output);
    expect(first.output).toMatch(/makes the symmetric key/);
    expect(first.output.split('\n').length).toBeGreaterThan(50);
  }, 60_000);

  it('carries a finding to its end in the undisturbed course of the small world', async () => {
    const { code, output } = await simulate('--replay', '');
    expect(output).toMatch(/remediate-key .* calls kms:EnableKeyRotation/);
    expect(output).toMatch(/the stream delivers remediated/);
    expect(code).toBe(0);
  }, 60_000);
});

describe('a mistake in the product is found', () => {
  test.each(Object.entries(PLANTED_FAULTS).map(([name, fault]) => ({ from: 1, ...fault, name })))(
    '$name: $mistake, within $foundWithin seeds',
    async ({ name, from, foundWithin }) => {
      const seeds = ['--from', String(from), '--seeds', String(foundWithin)];
      const { code, last } = await simulate('--plant', name, '--until-first', ...seeds);
      expect(last).toMatch(/[1-9]\d* violations$/);
      expect(code).toBe(1);
    },
    600_000,
  );
});
