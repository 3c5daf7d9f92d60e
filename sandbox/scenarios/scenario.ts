import type { Visitor } from './visitor.ts';

/** One story, told by doing it; throws Surprise when something else happens than it tells. */
export type Scenario = { name: string; story: string; play: (visitor: Visitor) => Promise<void> };
