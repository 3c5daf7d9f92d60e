/**
 * Text somebody else chose (alias, tag, description, session name, user agent, reason, ticket), made fit to be shown:
 * one line, without control, bidirectional, zero-width and other invisible characters, at most `max` UTF-16 units and
 * cut with an ellipsis. Not escaped: it belongs in `plain_text` and rich text elements; see `escaped` for the rest.
 */
export function plain(text: string, max: number): string {
  const visible = text
    .replace(/[\s\p{Z}]+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}\u2800]/gu, '')
    // Piles of combining marks overwrite the lines above and below.
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(/ +/g, ' ')
    .trim();
  return visible.length <= max ? visible : `${firstUnits(visible, max - 1).trimEnd()}…`;
}

/**
 * Disarms Slack's control sequences (`<!channel>`, `<@U…>`, links) in a message's top-level `text`.
 * Slack, "Formatting message text": these three characters and nothing else.
 */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Never ends in half of a surrogate pair. */
function firstUnits(text: string, max: number): string {
  let kept = '';
  for (const character of text) {
    if (kept.length + character.length > max) break;
    kept += character;
  }
  return kept;
}
