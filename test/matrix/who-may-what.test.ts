import { readFileSync } from 'node:fs';
import { DAY_ONE } from '../builders.ts';
import { renderMatrix } from './who-may-what.ts';

it('docs/who-may-what.md says what the rules say (npm run matrix)', () => {
  expect(readFileSync('docs/who-may-what.md', 'utf8')).toBe(renderMatrix(DAY_ONE));
});
