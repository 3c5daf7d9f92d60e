import { writeFileSync } from 'node:fs';
import { DAY_ONE } from '../builders.ts';
import { renderMatrix } from './who-may-what.ts';

writeFileSync('docs/who-may-what.md', renderMatrix(DAY_ONE));
