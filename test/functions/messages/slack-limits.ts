import type { KnownBlock } from '@slack/types';
import * as z from 'zod';
import type { Block } from '../../../functions/messages/block.ts';
import { blockList } from '../../../sandbox/slack/block-schema.ts';

/** Passes what Slack would take as a message: 50 valid blocks, a `text` that is not cut. @throws ZodError */
export function expectSlackTakes({ text, blocks }: { text: string; blocks: readonly Block[] }): void {
  blockList(50).parse(blocks);
  z.string().min(1).max(4000).parse(text);
  // The tests' proof that the narrower type of the renderers is one that Slack's own client takes.
  blocks satisfies readonly KnownBlock[];
}

/** All words of a message as a reader would see them, one line per block part. */
export function wordsOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(wordsOf).join('');
  if (typeof value !== 'object' || value === null) return '';
  const fields = new Map<string, unknown>(Object.entries(value));
  const type = fields.get('type');
  const text = fields.get('text');
  if (type === 'user') return `@${String(fields.get('user_id'))}`;
  if (type === 'usergroup') return `@${String(fields.get('usergroup_id'))}`;
  if (type === 'date') return String(fields.get('fallback'));
  if (type === 'button') return `[${wordsOf(text)}] `;
  const own = typeof text === 'string' ? text : wordsOf(text);
  const inner = wordsOf(fields.get('elements'));
  return `${own}${inner}${type === 'text' || type === 'plain_text' ? '' : '\n'}`;
}
