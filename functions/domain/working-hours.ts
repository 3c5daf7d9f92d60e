const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** When people of a route may be disturbed; `from` and `to` as `HH:MM` by the wall clock of the IANA time zone. */
export type WorkingHours = { timeZone: string; days: Weekday[]; from: string; to: string };

/**
 * Milliseconds by which the wall clock of an IANA time zone is ahead of UTC at an instant. Passed in: what zones do is
 * decided by parliaments, not by this domain.
 */
export type OffsetAt = (instant: number, timeZone: string) => number;

const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * The first instant at or after this one that lies in the working hours. Where the clock is put forward over the opening,
 * it is the moment after the gap; where it is put back over it, the first of the two.
 */
export function nextOpening(hours: WorkingHours, instant: number, offsetAt: OffsetAt): number {
  const offset = (at: number) => offsetAt(at, hours.timeZone);
  let at = instant;
  for (;;) {
    const here = offset(at);
    const wait = untilOpen(hours, at + here);
    if (wait === 0) return at;
    const then = at + wait;
    // What the wall clock says is so long away comes sooner or later when the clock is changed meanwhile.
    at = offset(then) === here ? then : firstWith((moment) => offset(moment) !== here, at, then);
  }
}

/** How long, by the wall clock, until it is open, or until another day begins; 0 when it is open. */
function untilOpen({ days, from, to }: WorkingHours, wall: number): number {
  const time = ((wall % DAY) + DAY) % DAY;
  const midnight = DAY - time;
  // 1 January 1970 was a Thursday.
  const weekday = WEEKDAYS[(((Math.floor(wall / DAY) + 4) % 7) + 7) % 7];
  if (weekday === undefined || !days.includes(weekday) || time >= minutesOf(to) * MINUTE) return midnight;
  return Math.max(0, minutesOf(from) * MINUTE - time);
}

/** Minutes since midnight of `HH:MM`; `24:00` is the end of the day. */
export function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** The first millisecond after `before` for which it holds, which it does at `after`, from some moment on. */
function firstWith(holds: (instant: number) => boolean, before: number, after: number): number {
  let [not, does] = [before, after];
  while (does - not > 1) {
    const middle = Math.floor((not + does) / 2);
    if (holds(middle)) does = middle;
    else not = middle;
  }
  return does;
}
