import { existsSync } from 'node:fs';

/** Flags that keep Chromium from what nobody asked of it. */
export const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];

/**
 * Debian's Chromium, or the one that CHROMIUM names.
 * @throws Error that says how to get one
 */
export function chromiumPath(): string {
  const path = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  if (!existsSync(path)) throw new Error(`no Chromium at ${path}: apt-get install chromium, or set CHROMIUM`);
  return path;
}
