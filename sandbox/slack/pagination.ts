import { SlackApiError } from './api-error.ts';
import { type Arguments, count, text } from './arguments.ts';

const MAX_LIMIT = 999;

/** One page of a list by `cursor` and `limit` (`fallback` items if no limit was given, 0 is all); `nextCursor` is empty on the last page. */
export function page<T>(all: readonly T[], args: Arguments, fallback: number): { items: T[]; nextCursor: string } {
  const cursor = text(args, 'cursor');
  let start = 0;
  if (cursor !== undefined) {
    const decoded = /^offset:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString());
    if (decoded === null) throw new SlackApiError('invalid_cursor');
    start = Number(decoded[1]);
  }
  const limit = count(args, 'limit', fallback === 0 ? all.length : fallback, MAX_LIMIT);
  const end = start + limit;
  return {
    items: all.slice(start, end),
    nextCursor: end < all.length ? Buffer.from(`offset:${end}`).toString('base64') : '',
  };
}
