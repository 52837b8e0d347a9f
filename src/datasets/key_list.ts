/** A growing list of numbers without objects, for millions of picture keys. */

/** Push, then take them sorted. */
export class KeyList {
  #keys = new Float64Array(1 << 12);
  #length = 0;
  #isSorted = true;

  get length(): number {
    return this.#length;
  }

  push(key: number): void {
    if (this.#length === this.#keys.length) {
      const grown = new Float64Array(this.#keys.length * 2);
      grown.set(this.#keys);
      this.#keys = grown;
    }
    // Strictly: a repeat must lead through the removal of repeats.
    if (this.#length > 0 && key <= (this.#keys[this.#length - 1] as number)) this.#isSorted = false;
    this.#keys[this.#length++] = key;
  }

  /** All keys once each, ascending. The list must not be used afterwards. */
  sortedUnique(): Float64Array {
    const keys = this.#keys.subarray(0, this.#length);
    if (this.#isSorted) return keys;
    keys.sort();
    let kept = 0;
    for (let i = 0; i < keys.length; i++)
      if (i === 0 || keys[i] !== keys[kept - 1]) keys[kept++] = keys[i] as number;
    return keys.subarray(0, kept);
  }
}

/** The place of the first key that is not below `key`, in an ascending list. */
export function lowerBound(keys: Float64Array, key: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as number) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many keys two ascending lists without repeats share. */
export function countShared(a: Float64Array, b: Float64Array): number {
  let shared = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const difference = (a[i] as number) - (b[j] as number);
    if (difference === 0) shared++;
    if (difference <= 0) i++;
    if (difference >= 0) j++;
  }
  return shared;
}
