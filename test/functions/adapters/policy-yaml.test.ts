import { readFileSync } from 'node:fs';
import { readPolicyYaml } from '../../../functions/adapters/policy-yaml.ts';
import { InvalidPolicy, parsePolicy } from '../../../functions/contracts/policy.ts';

const EXAMPLE = readFileSync(new URL('../../../rotation-policy.yaml', import.meta.url), 'utf8');

const SMALLEST = `version: 1
rotation: { periodInDays: 365, maximumPeriodInDays: 365 }
organisation: { teamIds: [T0123456789] }
defaultRoute: { channel: C0123456789, approvers: { users: [U0123456789] } }
exemptions: { maximumDays: 90 }
`;

describe('readPolicyYaml', () => {
  it('reads the example, which names every key that exists', () => {
    const { policy, document } = readPolicyYaml(EXAMPLE);
    expect(policy.routes.map(({ name }) => name)).toEqual(['payments', 'playground']);
    const [first] = policy.routes;
    expect(Object.keys(first?.match ?? {}).sort()).toEqual([
      'accounts',
      'aliases',
      'organizationalUnits',
      'regions',
      'tags',
    ]);
    expect(parsePolicy(document)).toEqual(policy);
    for (const key of Object.keys(policy)) expect(document).toHaveProperty(key);
  });

  it('gives the document as written, without the defaults', () => {
    const { policy, document } = readPolicyYaml(SMALLEST);
    expect(document).not.toHaveProperty('digest');
    expect(policy.digest.threshold).toBe(20);
  });

  it('takes an account id without quotes as a key', () => {
    const { policy } = readPolicyYaml(`${SMALLEST}accounts: { 012345678901: { name: first } }\n`);
    expect(policy.accounts).toEqual({ '012345678901': { name: 'first' } });
  });

  it.each([
    ['a key given twice', `${SMALLEST}version: 1\n`, 'line 6, column 1: Map keys must be unique: "version"'],
    ['a key given twice further in', `${SMALLEST}digest: { threshold: 20, threshold: 21 }\n`, 'line 6, column 26: '],
    ['lists in lists', `${SMALLEST}routes: ${'['.repeat(60)}${']'.repeat(60)}\n`, 'nested too deeply'],
    ['lists in lists beyond any stack', `${SMALLEST}routes: ${'['.repeat(9000)}`, 'line 6, column '],
    ['maps in maps beyond any stack', `${SMALLEST}routes: ${'{a: '.repeat(9000)}`, 'line 6, column '],
    ['more than the table holds', `# ${'x'.repeat(400_000)}\n${SMALLEST}`, 'expected at most 400000 characters'],
    ['maps as keys of maps', `${SMALLEST}routes: ${'{'.repeat(40)}a, {}${'}'.repeat(40)}`, 'line 6, column '],
    ['a number without end', SMALLEST.replace('90', '9'.repeat(5000)), 'exemptions.maximumDays: expected '],
    [
      'an anchor used elsewhere',
      `${SMALLEST}digest: &a { threshold: 20 }\nbackOut: *a\n`,
      'line 7, column 10: alias "*a"',
    ],
    ['an alias of nothing', `${SMALLEST}backOut: *a\n`, 'line 6, column 10: '],
    ['a tag', `${SMALLEST}backOut: !secret x\n`, 'line 6, column 10: Unresolved tag: !secret'],
    ['a bracket not closed', `${SMALLEST}routes: [\n`, 'line 7, column 1: '],
    ['a tab as indentation', `${SMALLEST}digest:\n\tthreshold: 20\n`, 'line 7, column '],
    ['two documents', `${SMALLEST}---\n${SMALLEST}`, 'line 6, column 1: '],
    ['nothing', '', '(document): expected object, got null'],
    ['only comments', '# later\n', '(document): expected object, got null'],
    [
      'a value that is not allowed, with its place',
      SMALLEST.replace('90', '0'),
      'line 5, column 15, exemptions.maximumDays: ',
    ],
    [
      'a key that is missing, where its map begins',
      `${SMALLEST}routes: [{ channel: C1 }]\n`,
      'line 6, column 10, routes[0].name: ',
    ],
    ['a value that is not allowed', SMALLEST.replace('90', '0'), 'exemptions.maximumDays: expected at least 1, got 0'],
  ])('refuses %s', (_, text, problem) => {
    const read = () => readPolicyYaml(text);
    expect(read).toThrow(InvalidPolicy);
    expect(read).toThrow(problem);
  });

  it('refuses aliases that multiply before they do', () => {
    const bomb = [
      'a: &a [x, x]',
      ...'bcdefghij'.split('').map((name, index) => {
        const previous = 'abcdefghi'[index] ?? 'a';
        return `${name}: &${name} [*${previous}, *${previous}, *${previous}]`;
      }),
    ].join('\n');
    expect(() => readPolicyYaml(bomb)).toThrow('write the value out');
  });
});
