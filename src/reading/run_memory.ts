/** Where runs of records are read to: memory of their own, or the same again and again. */

/** Longer reads are no faster, and a record that is kept keeps no more than this alive (or as much as it has itself). */
export const MAX_RUN_BYTES = 1 << 20;

export interface RunMemory {
  take(length: number): Uint8Array;
}

/** Memory that is never used again, many runs to a piece: one piece goes to another thread faster than many. */
export class FreshMemory implements RunMemory {
  private piece: Uint8Array = NOTHING;
  private used = 0;
  /** Bytes that will yet be asked for. */
  private left: number;

  constructor(total: number) {
    this.left = total;
  }

  take(length: number): Uint8Array {
    if (length > this.piece.length - this.used) {
      this.piece = Buffer.allocUnsafeSlow(Math.max(length, Math.min(this.left, MAX_RUN_BYTES)));
      this.used = 0;
    }
    this.used += length;
    this.left -= length;
    return this.piece.subarray(this.used - length, this.used);
  }
}

/** One piece for all: what was taken before is overwritten. It stays in the processor's cache, and needs no new pages. */
export class ReusedMemory implements RunMemory {
  private piece: Uint8Array = NOTHING;

  take(length: number): Uint8Array {
    if (this.piece.length < length) this.piece = Buffer.allocUnsafeSlow(length);
    return this.piece.subarray(0, length);
  }
}

const NOTHING = new Uint8Array(0);
