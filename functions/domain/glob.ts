/** Matches `*` against any text, everything else literally. Linear: no regular expression from outside text. */
export function glob(pattern: string, text: string): boolean {
  const firstStar = pattern.indexOf('*');
  if (firstStar === -1) return pattern === text;
  const lastStar = pattern.lastIndexOf('*');
  if (!text.startsWith(pattern.slice(0, firstStar))) return false;
  const last = pattern.slice(lastStar + 1);
  let from = firstStar;
  for (const part of pattern.slice(firstStar, lastStar).split('*')) {
    const at = text.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}
