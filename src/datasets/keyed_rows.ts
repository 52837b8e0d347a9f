/** Rows of a few numbers, each under a key, gathered by the million in any order and then put in the order of the keys. */

import { KeyList, lowerBound } from './key_list.js';

const BLOCK_ROWS = 1 << 16;

/** A growing table of float32 rows. It grows block by block: what is there is never copied. */
export class KeyedRows {
  /** Numbers a row. */
  readonly width: number;
  length = 0;
  readonly #keys: Float64Array[] = [];
  readonly #values: Float32Array[] = [];

  constructor(width: number) {
    this.width = width;
  }

  add(key: number, values: ArrayLike<number>): void {
    const place = this.length % BLOCK_ROWS;
    if (place === 0) {
      this.#keys.push(new Float64Array(BLOCK_ROWS));
      this.#values.push(new Float32Array(BLOCK_ROWS * this.width));
    }
    (this.#keys.at(-1) as Float64Array)[place] = key;
    (this.#values.at(-1) as Float32Array).set(values, place * this.width);
    this.length++;
  }

  /** Rows whose key another row has, too, less one for each such key. */
  countRepeated(): number {
    const keys = new KeyList();
    for (let row = 0; row < this.length; row++) keys.push(this.key(row));
    return this.length - keys.sortedUnique().length;
  }

  key(row: number): number {
    return (this.#keys[Math.floor(row / BLOCK_ROWS)] as Float64Array)[row % BLOCK_ROWS] as number;
  }

  value(row: number, i: number): number {
    const values = this.#values[Math.floor(row / BLOCK_ROWS)] as Float32Array;
    return values[(row % BLOCK_ROWS) * this.width + i] as number;
  }
}

/**
 * All keys of some tables, ascending and each once, and for each table the row of each key: −1 where it has none, the
 * last one where it has several.
 */
export function placesByKey(tables: readonly KeyedRows[]): { keys: Float64Array; places: Int32Array[] } {
  const list = new KeyList();
  for (const table of tables) for (let row = 0; row < table.length; row++) list.push(table.key(row));
  const keys = list.sortedUnique();
  const places = tables.map((table) => {
    const rowOf = new Int32Array(keys.length).fill(-1);
    let place = -1;
    for (let row = 0; row < table.length; row++) {
      const key = table.key(row);
      // Files are nearly sorted: the next key is most often the next place.
      place = keys[place + 1] === key ? place + 1 : lowerBound(keys, key);
      rowOf[place] = row;
    }
    return rowOf;
  });
  return { keys, places };
}
