import { Refused } from './refused.ts';

const MILLISECONDS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The milliseconds of `90s`, `5m`, `4h` or `31d`. @throws Refused */
export function parseDuration(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const factor = MILLISECONDS[unit];
  if (amount === undefined || factor === undefined) {
    throw new Refused(`"${text}" is no duration; write a whole number and s, m, h or d, such as 31d.`);
  }
  return Number(amount) * factor;
}
