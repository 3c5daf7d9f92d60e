import fc from 'fast-check';
import { offsetAt } from '../../../functions/adapters/time-zone.ts';
import { nextOpening, type WorkingHours } from '../../../functions/domain/working-hours.ts';

const OFFICE: WorkingHours = {
  timeZone: 'Europe/Berlin',
  days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
  ...{ from: '08:00', to: '18:00' },
};
const EVERY_DAY: WorkingHours['days'] = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

const opening = (hours: WorkingHours, at: string) =>
  new Date(nextOpening(hours, Date.parse(at), offsetAt)).toISOString();

describe('nextOpening', () => {
  it.each([
    ['is now while it is open', '2026-03-02T12:34:56.789Z', '2026-03-02T12:34:56.789Z'],
    ['is now at the very opening', '2026-03-02T07:00:00.000Z', '2026-03-02T07:00:00.000Z'],
    ['is the same morning before it', '2026-03-02T06:59:59.999Z', '2026-03-02T07:00:00.000Z'],
    ['is the next morning from the closing on', '2026-03-02T17:00:00.000Z', '2026-03-03T07:00:00.000Z'],
    ['is Monday after Friday evening', '2026-03-06T17:00:00.000Z', '2026-03-09T07:00:00.000Z'],
    ['is an hour sooner after the clock was put forward', '2026-03-27T17:00:00.000Z', '2026-03-30T06:00:00.000Z'],
    ['is an hour later after the clock was put back', '2026-10-23T16:00:00.000Z', '2026-10-26T07:00:00.000Z'],
    ['is by the day there, not by the day of UTC', '2026-03-01T23:30:00.000Z', '2026-03-02T07:00:00.000Z'],
  ])('%s: %s', (_, at, expected) => {
    expect(opening(OFFICE, at)).toBe(expected);
  });

  it('is after the gap when the clock is put forward over it', () => {
    const night = { ...OFFICE, days: EVERY_DAY, from: '02:30', to: '04:00' };
    expect(opening(night, '2026-03-28T23:00:00.000Z')).toBe('2026-03-29T01:00:00.000Z');
  });

  it('is the day after when the gap swallows the working hours', () => {
    const night = { ...OFFICE, days: EVERY_DAY, from: '02:10', to: '02:50' };
    expect(opening(night, '2026-03-28T23:00:00.000Z')).toBe('2026-03-30T00:10:00.000Z');
  });

  it('is the first of two when the clock is put back over it, and open again at the second', () => {
    const night = { ...OFFICE, days: EVERY_DAY, from: '02:30', to: '02:45' };
    expect(opening(night, '2026-10-24T23:00:00.000Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(opening(night, '2026-10-25T00:45:00.000Z')).toBe('2026-10-25T01:30:00.000Z');
  });

  it('knows the end of the day', () => {
    const evening = { ...OFFICE, from: '23:00', to: '24:00' };
    expect(opening(evening, '2026-03-02T22:59:59.999Z')).toBe('2026-03-02T22:59:59.999Z');
    expect(opening(evening, '2026-03-02T23:00:00.000Z')).toBe('2026-03-03T22:00:00.000Z');
  });
});

/** Zones that change by an hour, by half an hour, at midnight, never, by odd minutes; and one that skipped a whole day. */
const ZONES = [
  ...['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Santiago', 'Asia/Kolkata', 'Asia/Kathmandu'],
  ...['Africa/Casablanca', 'Pacific/Apia', 'Etc/UTC'],
];
const minute = fc.integer({ min: 0, max: 1440 });
const asTime = (of: number) => `${String(Math.floor(of / 60)).padStart(2, '0')}:${String(of % 60).padStart(2, '0')}`;
const workingHours = fc
  .record({
    timeZone: fc.constantFrom(...ZONES),
    days: fc.uniqueArray(fc.constantFrom(...EVERY_DAY), { minLength: 1 }),
    times: fc.uniqueArray(minute, { minLength: 2, maxLength: 2 }),
  })
  .map(({ times, ...hours }): WorkingHours => {
    const [from = 0, to = 0] = times.toSorted((a, b) => a - b);
    return { ...hours, from: asTime(from), to: asTime(to) };
  });
/** Often within a day of a change of some clock. */
const instant = fc.oneof(
  fc.integer({ min: Date.parse('2011-12-01T00:00:00Z'), max: Date.parse('2030-01-01T00:00:00Z') }),
  fc
    .tuple(
      fc.constantFrom('2026-03-29', '2026-10-25', '2026-03-08', '2026-11-01', '2026-04-05', '2026-09-06', '2011-12-30'),
      fc.integer({ min: -86_400_000, max: 86_400_000 }),
    )
    .map(([day, away]) => Date.parse(`${day}T00:00:00Z`) + away),
);

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Whether it is open, told in words by the runtime instead of by offsets. */
function isOpen({ timeZone, days, from, to }: WorkingHours, at: number): boolean {
  const clock =
    clocks.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', {
      ...{ timeZone, weekday: 'long', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
    });
  clocks.set(timeZone, clock);
  const parts = clock.formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  const time = `${part('hour')}:${part('minute')}`;
  return days.some((day) => day === part('weekday').toLowerCase()) && from <= time && time < to;
}

describe('whatever the zone, the hours and the instant', () => {
  it('it is open at the next opening, and at no whole minute before', () => {
    fc.assert(
      fc.property(workingHours, instant, (hours, at) => {
        const next = nextOpening(hours, at, offsetAt);
        expect(next).toBeGreaterThanOrEqual(at);
        expect(isOpen(hours, next)).toBe(true);
        if (next > at) expect(isOpen(hours, next - 1)).toBe(false);
        // Every seventh minute is enough to meet any opening of length, over so many runs.
        for (let before = at; before < next; before += 7 * 60_000) expect(isOpen(hours, before)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('the next opening of the next opening is itself', () => {
    fc.assert(
      fc.property(workingHours, instant, (hours, at) => {
        const next = nextOpening(hours, at, offsetAt);
        expect(nextOpening(hours, next, offsetAt)).toBe(next);
      }),
    );
  });
});
