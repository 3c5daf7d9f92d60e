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

/** What is told of one of the seeds that were played. */
function storyOf(seed: number, run: Run | undefined): string[] {
  const stories = (run?.output ?? '').split(/^(?=Seed )/m).map((story) => story.split('\n'));
  const story = stories.find(([heading]) => heading === `Seed ${seed}`) ?? [];
  return story.filter((line) => /^\d\d-\d\d/.test(line));
}

describe('the simulation', () => {
  it('finds no broken promise, and says how much it has seen', async () => {
    const { output, last } = await simulate('--seeds', '60', '--coverage');
    expect(last).toMatch(/^60 schedules, \d+ steps, 0 violations$/);
    expect(output).toMatch(/^[1-9]\d* x a storm becomes a digest$/m);
    expect(output).toMatch(/^[1-9]\d* x who may clicks "Approve all"$/m);
    expect(output).toMatch(/^[1-9]\d* x who may not clicks "Approve all"$/m);
    expect(output).toMatch(/^[1-9]\d* x a batch approves a key$/m);
  }, 240_000);

  it('plays a seed the same way every time, and tells what happens', async () => {
    const [first, second] = await Promise.all([simulate('--seed', '11'), simulate('--seed', '11')]);
    expect(first.output).toBe(second.output);
    expect(first.output).toMatch(/makes the symmetric key/);
    expect(first.output.split('\n').length).toBeGreaterThan(50);
  }, 60_000);

  it('plays a seed the same way alone, after others, and before them', async () => {
    // Two are swept; storms, with a batch and with months that pass, are among them.
    const seeds = [4, 9, 32, 92, 50, 2];
    const [forth, back, ...alone] = await Promise.all([
      simulate('--seed', seeds.join(',')),
      simulate('--seed', seeds.toReversed().join(',')),
      ...seeds.map((seed) => simulate('--seed', String(seed))),
    ]);
    for (const [index, seed] of seeds.entries()) {
      const story = storyOf(seed, alone[index]);
      expect(story.length).toBeGreaterThan(50);
      expect(storyOf(seed, forth)).toEqual(story);
      expect(storyOf(seed, back)).toEqual(story);
    }
  }, 240_000);

  it('fails when it has to reach everything and did not', async () => {
    const { code, last } = await simulate('--seeds', '1', '--coverage');
    expect(last).toMatch(/ 0 violations$/);
    expect(code).toBe(1);
  }, 60_000);

  it('carries a finding to its end in the undisturbed course of the small world', async () => {
    const { code, output } = await simulate('--replay', '');
    expect(output).toMatch(/remediate-key .* calls kms:EnableKeyRotation/);
    expect(output).toMatch(/the stream delivers remediated/);
    expect(code).toBe(0);
  }, 60_000);
});

describe('a mistake in the product is found', () => {
  test.each(Object.entries(PLANTED_FAULTS).map(([name, fault]) => ({ ...fault, name })))(
    '$name: $mistake, within $foundWithin seeds',
    async ({ name, foundWithin }) => {
      const { code, last } = await simulate(
        ...['--plant', name, '--until-first', '--seeds', String(foundWithin)],
        // Each thread has to load the product first, which takes longer than most mistakes do to be found.
        ...['--workers', '1'],
      );
      expect(last).toMatch(/[1-9]\d* violations$/);
      expect(code).toBe(1);
    },
    600_000,
  );
});
