/** Samples triplets of windows by their distance in time: two near each other and one far from both, none twice. */

import { seededRandom } from '../io/random.js';
import { choose, evenShares } from './fair_shares.js';

/** A recording as a row of windows, one beside the other. */
export interface WindowSeries {
  /** Unique; a recording's triplets are drawn with a seed of their own. */
  readonly id: string;
  readonly windows: number;
}

export interface RelativePositionsOptions {
  /** Near windows are at most so many windows apart; 1 or more. */
  readonly near: number;
  /** A far one is at least so many windows from both; more than `near`. */
  readonly far: number;
  /** How many triplets are wanted. */
  readonly count: number;
  readonly seed: string;
}

/** Windows by their numbers in the recording. */
export interface PositionTriplet {
  /** The recording's number in the list given. */
  readonly series: number;
  /** Two near windows, either first. */
  readonly pair: readonly [number, number];
  readonly far: number;
  /** The place of the far one among a, b and c: 1, 2 or 3. */
  readonly odd: 1 | 2 | 3;
}

/**
 * Draws `count` triplets without replacement, or all where fewer exist: two triplets differ in their far window or in their
 * unordered pair of near ones. Each recording gives as many, but for those that have too few, and in a recording all are
 * equally likely.
 */
export function sampleRelativePositions(
  series: readonly WindowSeries[],
  options: RelativePositionsOptions,
): { readonly count: number; readonly triplets: Iterable<PositionTriplet> } {
  const { near, far, count, seed } = options;
  if (!(near >= 1 && far > near)) throw new RangeError(`near ${near}, far ${far}`);
  const capacities = Float64Array.from(series, ({ windows }) => new Positions(windows, near, far).count);
  const shares = evenShares(capacities, count, seededRandom(`${seed} shares`));
  return {
    count: shares.reduce((sum, share) => sum + share, 0),
    triplets: {
      *[Symbol.iterator]() {
        for (const [number, { id, windows }] of series.entries()) {
          const share = shares[number] as number;
          if (share === 0) continue;
          const positions = new Positions(windows, near, far);
          const random = seededRandom(`${seed} ${id}`);
          for (const chosen of choose(share, positions.count, random)) {
            const { first, second, away } = positions.at(chosen);
            const order = random.below(6);
            yield {
              series: number,
              pair: order < 3 ? [first, second] : [second, first],
              far: away,
              odd: ((order % 3) + 1) as 1 | 2 | 3,
            };
          }
        }
      },
    },
  };
}

/** All triplets of a recording, numbered: pair after pair, and in a pair by the far window. */
class Positions {
  readonly count: number;
  private readonly windows: number;
  private readonly near: number;
  private readonly far: number;
  /** For pair `first · near + (distance − 1)` the number of triplets before it. */
  private readonly before: Float64Array;

  constructor(windows: number, near: number, far: number) {
    this.windows = windows;
    this.near = near;
    this.far = far;
    this.before = new Float64Array(windows * near);
    let count = 0;
    for (let pair = 0; pair < this.before.length; pair++) {
      this.before[pair] = count;
      const { first, second } = this.pairAt(pair);
      if (second < windows) count += this.earlier(first) + this.later(second);
    }
    this.count = count;
  }

  at(number: number): { readonly first: number; readonly second: number; readonly away: number } {
    let low = 0;
    let high = this.before.length - 1;
    // The last pair with at most `number` triplets before it: pairs without triplets have the same number as the next one.
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.before[middle] as number) <= number) low = middle;
      else high = middle - 1;
    }
    const { first, second } = this.pairAt(low);
    const rest = number - (this.before[low] as number);
    const earlier = this.earlier(first);
    return { first, second, away: rest < earlier ? rest : second + this.far + rest - earlier };
  }

  private pairAt(pair: number): { readonly first: number; readonly second: number } {
    const first = Math.floor(pair / this.near);
    return { first, second: first + 1 + (pair % this.near) };
  }

  /** Windows that are far enough before the pair. */
  private earlier(first: number): number {
    return Math.max(0, first - this.far + 1);
  }

  /** Windows that are far enough behind it. */
  private later(second: number): number {
    return Math.max(0, this.windows - second - this.far);
  }
}
