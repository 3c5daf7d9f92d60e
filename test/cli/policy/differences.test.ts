import { differences } from '../../../cli/policy/differences.ts';
import { csv, printable } from '../../../cli/terminal.ts';

it('tells routes apart by name, and their order too', () => {
  const a = { name: 'a', channel: 'C1' };
  const b = { name: 'b', channel: 'C2' };
  expect(differences({ routes: [a, b] }, { routes: [{ ...b, channel: 'C3' }, a] })).toEqual([
    { path: 'routes[b].channel', before: 'C2', after: 'C3' },
    { path: 'routes (order)', before: ['a', 'b'], after: ['b', 'a'] },
  ]);
});

it('shows what is new, gone and changed; the same in another order of keys is the same', () => {
  expect(differences({ a: 1, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, e: [1] })).toEqual([
    { path: 'a', before: 1, after: null },
    { path: 'e', before: null, after: [1] },
  ]);
  expect(differences(null, { a: 1 })).toEqual([{ path: '(document)', before: null, after: { a: 1 } }]);
});

it('a cell is no formula, and text from outside moves no cursor', () => {
  expect(csv([['=1+1', 'a,"b"', null, 2]])).toBe(`'=1+1,"a,""b""",,2`);
  expect(printable('a\u001b[31mb\u202ec\nd')).toBe('a[31mbc d');
});
