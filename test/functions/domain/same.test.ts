import { same } from '../../../functions/domain/same.ts';

describe('same', () => {
  test.each<[unknown, unknown]>([
    [null, null],
    [1, 1],
    [Number.NaN, Number.NaN],
    ['a', 'a'],
    [{}, {}],
    [
      { a: 1, b: [1, { c: null }] },
      { b: [1, { c: null }], a: 1 },
    ],
    [[], []],
  ])('%j is the same as %j', (a, b) => {
    expect(same(a, b)).toBe(true);
  });

  test.each<[unknown, unknown]>([
    [null, {}],
    [{}, null],
    [1, '1'],
    [1, {}],
    [{}, 'a'],
    [{}, 1],
    [[], {}],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: undefined }, { b: undefined }],
    [{ a: 1 }, { a: 2 }],
  ])('%j differs from %j', (a, b) => {
    expect(same(a, b)).toBe(false);
  });
});
