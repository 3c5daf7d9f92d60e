/** The emoji that messages of a security bot use; any other stays as `:name:`. */
const EMOJI = new Map(
  Object.entries({
    key: '🔑',
    closed_lock_with_key: '🔐',
    lock: '🔒',
    unlock: '🔓',
    white_check_mark: '✅',
    heavy_check_mark: '✔️',
    x: '❌',
    warning: '⚠️',
    no_entry: '⛔',
    no_entry_sign: '🚫',
    rotating_light: '🚨',
    hourglass: '⌛',
    hourglass_flowing_sand: '⏳',
    alarm_clock: '⏰',
    clock1: '🕐',
    bell: '🔔',
    eyes: '👀',
    mag: '🔍',
    arrows_counterclockwise: '🔄',
    repeat: '🔁',
    leftwards_arrow_with_hook: '↩️',
    information_source: 'ℹ️',
    question: '❓',
    memo: '📝',
    page_facing_up: '📄',
    robot_face: '🤖',
    shield: '🛡️',
    bust_in_silhouette: '👤',
    calendar: '📆',
    red_circle: '🔴',
    large_yellow_circle: '🟡',
    large_green_circle: '🟢',
    large_orange_circle: '🟠',
    large_blue_circle: '🔵',
    white_circle: '⚪',
    thumbsup: '👍',
    '+1': '👍',
    tada: '🎉',
    bulb: '💡',
    wrench: '🔧',
    gear: '⚙️',
    fire: '🔥',
    link: '🔗',
    speech_balloon: '💬',
  }),
);

/**
 * @param {string} name without colons
 * @returns {string}
 */
export function emoji(name) {
  return EMOJI.get(name) ?? `:${name}:`;
}
