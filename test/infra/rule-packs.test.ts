import { jest } from '@jest/globals';
import { type App, Validations } from 'aws-cdk-lib';
import { rulePacks } from '../../infra/stacks.ts';
import { DEPLOYMENT_FILES, synthesise } from './synthesise.ts';

const ACKNOWLEDGED = Validations.ACKNOWLEDGED_RULES_METADATA_KEY;

/** Every finding, as `rule at construct`. */
function findings(app: App): string[] {
  return rulePacks(app)
    .flatMap((pack) => pack.validateScope(app).violations)
    .flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath ?? ''}`),
    );
}

describe.each(DEPLOYMENT_FILES)('%s', (file) => {
  it('breaks no rule', async () => {
    expect(findings((await synthesise(file)).app)).toEqual([]);
  });

  it('acknowledges nothing that is not found, with a reason for each', async () => {
    const { app } = await synthesise(file);
    const acknowledged = app.node.findAll().flatMap(({ node }) =>
      node.metadata
        .filter(({ type }) => type === ACKNOWLEDGED)
        .flatMap(({ data }: { data?: unknown }) => Object.entries(data ?? {}))
        .map(([id, reason]: [string, unknown]) => ({ path: node.path, id: id.replace(/^annotation::/i, ''), reason })),
    );
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(acknowledged.filter(({ reason }) => String(reason).length < 20)).toEqual([]);

    for (const { node } of app.node.findAll()) {
      jest.spyOn(node, 'metadata', 'get').mockReturnValue([]);
    }
    const found = findings(app);
    const idle = acknowledged.filter(
      ({ path, id }) => !found.some((finding) => finding.startsWith(`${id} at ${path}`)),
    );
    expect(idle).toEqual([]);
  });
});
