import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { playScenario } from '../../sandbox/scenarios/play.ts';
import { SCENARIOS } from '../../sandbox/scenarios/scenarios.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ awsPort: 0, slackPort: 0, graceSeconds: 1, rateLimits: 'off' });
}, 30_000);
afterAll(async () => {
  await sandbox.close();
}, 30_000);

describe('the bot between AWS and Slack', () => {
  test.each(SCENARIOS)(
    '$name: $story',
    async (scenario) => {
      const steps: string[] = [];
      const played = playScenario(scenario, sandbox, (line) => steps.push(line));
      // What was seen before the surprise tells more than the surprise alone.
      await played.catch((error: unknown) => {
        throw new Error(steps.join('\n'), { cause: error });
      });
      expect(steps.length).toBeGreaterThan(0);
    },
    60_000,
  );
});
