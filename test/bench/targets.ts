import { FUNCTION_NAMES, type FunctionName } from '../../functions/contracts/functions.ts';
import { type Figure, kilobytes, ms, ratio, type Spread, spread, type Target } from './figures.ts';
import type { MainPath } from './main-path.ts';
import type { Both, Bundle, Timing } from './measurements.ts';

/** Everything that was measured, not yet judged. */
export type Measured = {
  bytes: Record<Bundle, number>;
  /** Own time of loading. */
  inits: Record<Bundle, number[]>;
  cold: Both<Timing>;
  warm: Both<Timing>;
  detect: Timing[];
  posted: Timing[];
  storm: Timing[];
  mainPath: MainPath;
};

const LIMITS = {
  decideBytes: 320_000,
  otherBytes: 600_000,
  /** Of stock's. */
  decideInit: 1 / 4,
  otherInitMs: 90,
  coldMs: 350,
  /** Of stock's. */
  cold: 1 / 2,
  warmP99Ms: 25,
  detectMs: 15,
};

/** The rows of the report, each with its target if it has one. */
export function figuresOf({ bytes, inits, cold, warm, detect, posted, storm, mainPath }: Measured): Figure[] {
  const coldClock = by('clock', cold.ours);
  const coldOwn = by('cpu', cold.ours);
  const coldStock = by('cpu', cold.stock);
  const warmOurs = by('cpu', warm.ours);
  const detectOwn = by('cpu', detect);
  const perMessage = by('clock', storm);
  const perSecond = (milliseconds: number) => `${(1000 / milliseconds).toFixed(0)}/s`;
  return [
    time('click to acknowledgement, cold, by the clock', coldClock, by('clock', cold.stock), {
      says: `<= ${LIMITS.coldMs} ms`,
      met: coldClock.median <= LIMITS.coldMs,
    }),
    time('click to acknowledgement, cold, own time', coldOwn, coldStock, {
      says: `<= ${LIMITS.cold} of stock`,
      met: coldOwn.median <= LIMITS.cold * coldStock.median,
    }),
    time('click to acknowledgement, warm, own time', warmOurs, by('cpu', warm.stock), {
      says: `p99 <= ${LIMITS.warmP99Ms} ms`,
      met: warmOurs.p99 <= LIMITS.warmP99Ms,
    }),
    time('click to acknowledgement, warm, by the clock', by('clock', warm.ours), by('clock', warm.stock)),
    time('event to append (detect-finding), own time', detectOwn, undefined, {
      says: `<= ${LIMITS.detectMs} ms`,
      met: detectOwn.median <= LIMITS.detectMs,
    }),
    time('event to posted message (detect, announce), own time', by('cpu', posted)),
    time('event to posted message, by the clock', by('clock', posted)),
    {
      name: 'messages per second and container in a storm',
      ...{ value: perSecond(perMessage.median), p99: perSecond(perMessage.p99) },
    },
    ...FUNCTION_NAMES.map((name) => sizeOf(name, bytes)),
    ...FUNCTION_NAMES.map((name) => initOf(name, inits)),
    { name: 'AWS calls per finding: open, approved, remediated', value: String(mainPath.awsCalls) },
    { name: 'Slack calls per finding', value: String(mainPath.slackCalls) },
    { name: '1,000 findings', value: `${(mainPath.costPerFinding * 1000).toFixed(2)} USD` },
  ];
}

function by(measure: keyof Timing, timings: readonly Timing[]): Spread {
  return spread(timings.map((timing) => timing[measure]));
}

function time(name: string, ours: Spread, stock?: Spread, target?: Target): Figure {
  return {
    ...{ name, value: ms(ours.median), p99: ms(ours.p99) },
    ...(stock === undefined ? {} : { stock: ms(stock.median), ratio: ratio(ours.median, stock.median) }),
    ...(target === undefined ? {} : { target }),
  };
}

function sizeOf(name: FunctionName, bytes: Record<Bundle, number>): Figure {
  const size = bytes[name];
  const isDecide = name === 'decide-finding';
  const limit = isDecide ? LIMITS.decideBytes : LIMITS.otherBytes;
  return {
    ...{ name: `bundle of ${name}`, value: kilobytes(size) },
    ...(isDecide ? { stock: kilobytes(bytes.stock), ratio: ratio(size, bytes.stock) } : {}),
    target: { says: `<= ${kilobytes(limit)}`, met: size <= limit },
  };
}

function initOf(name: FunctionName, inits: Record<Bundle, number[]>): Figure {
  const init = spread(inits[name]);
  if (name !== 'decide-finding') {
    const target = { says: `<= ${LIMITS.otherInitMs} ms`, met: init.median <= LIMITS.otherInitMs };
    return time(`init of ${name}, own time`, init, undefined, target);
  }
  const stock = spread(inits.stock);
  const target = { says: `<= ${LIMITS.decideInit} of stock`, met: init.median <= LIMITS.decideInit * stock.median };
  return time(`init of ${name}, own time`, init, stock, target);
}
