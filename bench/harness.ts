/** What every benchmark shares: the form of a figure, and the way two contenders are timed against each other. */

/** A figure: `ratio` is ours over theirs, higher is better; `ours` and `theirs` are medians in `unit`. */
export interface BenchFigure {
  /** What was measured, e.g. `tfrecord/write-images`. */
  readonly bench: string;
  readonly ratio: number;
  /** The peer. */
  readonly against: string;
  readonly ours: number;
  readonly theirs: number;
  /** A rate, so that more is better, e.g. `records/s`. */
  readonly unit: string;
  /** Runs of each. */
  readonly n: number;
}

/** A peer that is not installed: named, never guessed at. */
export interface BenchMissing {
  readonly bench: string;
  readonly missing: string;
  readonly reason: string;
}

/** What a benchmark's module exports as `bench`. */
export type Bench = () => AsyncGenerator<BenchFigure | BenchMissing, void, undefined>;

/** Median rates of two contenders. */
export interface Medians {
  readonly ours: number;
  readonly theirs: number;
  readonly n: number;
}

/**
 * Times two contenders in turns, after one untimed run of each, so that a machine's slower minutes hit both. Each gives
 * the amount of work that it did, in the unit of the rate; `runs` is 5 or more.
 */
export async function alternate(options: {
  readonly ours: () => Promise<number> | number;
  readonly theirs: () => Promise<number> | number;
  readonly runs?: number;
  /** Done before every run, and not timed: e.g. removes what the last one wrote. */
  readonly before?: () => Promise<void> | void;
}): Promise<Medians> {
  const { ours, theirs, runs = 5, before = () => {} } = options;
  if (runs < 5) throw new RangeError(`${runs} runs: a median of fewer than five says little`);
  for (const contender of [ours, theirs]) {
    await before();
    await contender();
  }
  const rates = { ours: [] as number[], theirs: [] as number[] };
  for (let run = 0; run < runs; run++) {
    // Whoever goes second finds warmer caches: take turns.
    const turn = run % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const);
    for (const side of turn) {
      await before();
      rates[side].push(await rateOf(side === 'ours' ? ours : theirs));
    }
  }
  return { ours: median(rates.ours), theirs: median(rates.theirs), n: runs };
}

/** A figure from medians, rounded to what a reader needs. */
export function figure(bench: string, against: string, unit: string, medians: Medians): BenchFigure {
  const { ours, theirs, n } = medians;
  return {
    bench,
    ratio: round(ours / theirs),
    against,
    ours: round(ours),
    theirs: round(theirs),
    unit,
    n,
  };
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Work a second. */
async function rateOf(contender: () => Promise<number> | number): Promise<number> {
  const start = performance.now();
  const work = await contender();
  return work / ((performance.now() - start) / 1000);
}

/** Three significant digits at least. */
function round(value: number): number {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return Number(value.toFixed(Math.min(digits, 6)));
}
