/** Mean, deviation and range of numbers that come in pieces, merged without keeping any of them. */

/** What is known of some numbers. Plain data, so that it crosses to another thread; changed in place. */
export interface Moments {
  count: number;
  mean: number;
  /** The sum of squared distances from the mean. */
  squares: number;
  /** Infinity and −Infinity where there are no numbers. */
  least: number;
  greatest: number;
}

export function noMoments(): Moments {
  return { count: 0, mean: 0, squares: 0, least: Infinity, greatest: -Infinity };
}

/** Adds the finite ones of some values: their mean first, then the distances from it. */
export function addValues(moments: Moments, values: ArrayLike<number>): void {
  const some = noMoments();
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    some.count += 1;
    sum += value;
    if (value < some.least) some.least = value;
    if (value > some.greatest) some.greatest = value;
  }
  if (some.count === 0) return;
  some.mean = sum / some.count;
  for (let i = 0; i < values.length; i++) {
    const distance = (values[i] as number) - some.mean;
    if (Number.isFinite(distance)) some.squares += distance * distance;
  }
  mergeMoments(moments, some);
}

/**
 * Adds what is known of other numbers (Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
 * Sample Variances", 1979). Rounding follows the order of merging: keep to one, and the result is the same to the bit.
 */
export function mergeMoments(into: Moments, other: Readonly<Moments>): void {
  if (other.count === 0) return;
  const count = into.count + other.count;
  const distance = other.mean - into.mean;
  into.squares += other.squares + distance * distance * ((into.count * other.count) / count);
  into.mean += distance * (other.count / count);
  into.count = count;
  into.least = Math.min(into.least, other.least);
  into.greatest = Math.max(into.greatest, other.greatest);
}

/** The root of the mean squared distance from the mean, as NumPy's `std` has it; 0 where there are no numbers. */
export function deviation({ count, squares }: Readonly<Moments>): number {
  return count === 0 ? 0 : Math.sqrt(squares / count);
}
