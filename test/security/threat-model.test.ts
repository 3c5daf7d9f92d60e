import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

type Row = { threat: string; mitigation: string; test: string; residual: string };

/** The rows of the threat table in docs/security.md. */
function rows(): Row[] {
  const lines = readFileSync('docs/security.md', 'utf8').split('\n');
  const head = lines.findIndex((line) => line.startsWith('| threat | mitigation | test | residual |'));
  const end = lines.findIndex((line, index) => index > head && !line.startsWith('|'));
  return lines.slice(head + 2, end).map((line) => {
    const [threat = '', mitigation = '', test = '', residual = '', ...rest] = line.slice(2, -2).split(' | ');
    if (head === -1 || residual === '' || rest.length > 0) throw new Error(`not a row of four cells: ${line}`);
    return { threat, mitigation, test, residual };
  });
}

type Named = { name: string; file: string };

/** Tests and groups that really run: `it.skip` and the like do not count. A test inside a group goes by either name. */
function testsOf(file: string): { name: string; inside: string[] }[] {
  const source = ts.createSourceFile(file, readFileSync(`test/security/${file}`, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: { name: string; inside: string[] }[] = [];
  const visit = (node: ts.Node, inside: string[]) => {
    const [name] = ts.isCallExpression(node) ? node.arguments : [];
    if (ts.isCallExpression(node) && name !== undefined && ts.isStringLiteral(name)) {
      const called = node.expression.getText(source);
      if (called === 'it' || /^it\.each\b/.test(called)) found.push({ name: name.text, inside });
      if (called === 'describe') {
        ts.forEachChild(node, (child) => {
          visit(child, [...inside, name.text]);
        });
        return;
      }
    }
    ts.forEachChild(node, (child) => {
      visit(child, inside);
    });
  };
  visit(source, []);
  return found;
}

const files = readdirSync('test/security').filter(
  (file) => file.endsWith('.test.ts') && !file.startsWith('threat-model'),
);
const tests = files.flatMap((file) => testsOf(file).map((test) => ({ file, ...test })));
const names: Named[] = tests.flatMap(({ file, name, inside }) => [name, ...inside].map((one) => ({ name: one, file })));

describe('the threat table', () => {
  it('has a test of the same name, in the file it names, for every threat that something stops', () => {
    const untested = rows()
      .filter(({ mitigation }) => !mitigation.startsWith('none'))
      .filter(({ threat, test }) => !names.some(({ name, file }) => name === threat && test === `\`${file}\``));
    expect(untested).toEqual([]);
  });

  it('names no test for a threat that nothing stops, and says what is left', () => {
    const unmitigated = rows().filter(({ mitigation }) => mitigation.startsWith('none'));
    expect(unmitigated.length).toBeGreaterThan(0);
    expect(unmitigated.filter(({ test, residual }) => test !== '–' || residual.length < 40)).toEqual([]);
  });

  it('has a row for every test', () => {
    const threats = rows().map(({ threat }) => threat);
    expect(new Set(threats).size).toBe(threats.length);
    const own = ['finds what is live, so that finding nothing means something', 'the scanner of the whole suite'];
    const known = [...threats, ...own];
    expect(tests.filter(({ name, inside }) => ![name, ...inside].some((one) => known.includes(one)))).toEqual([]);
  });

  it('is longer than a handful, so that a table that cannot be read is noticed', () => {
    expect(rows().length).toBeGreaterThan(30);
  });
});
