import { readFile } from 'node:fs/promises';

const PAGE = new URL('page/', import.meta.url);
const CONTENT_TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** The page may load nothing from anywhere else, and nothing inline. */
export const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** A file of the page by its path on the server; `/` and permalinks (`/archives/...`) are the page itself. */
export async function pageFile(path: string): Promise<{ contentType: string; body: Buffer } | undefined> {
  const name = path === '/' || path.startsWith('/archives/') ? 'index.html' : path.slice(1);
  const extension = /^[a-z-]+\.([a-z]+)$/.exec(name)?.[1];
  const contentType = extension === undefined ? undefined : CONTENT_TYPES[extension];
  if (contentType === undefined) return undefined;
  try {
    return { contentType, body: await readFile(new URL(name, PAGE)) };
  } catch {
    return undefined;
  }
}
