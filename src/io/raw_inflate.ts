/** Inflates raw deflate data by hand: step by step, stopping at the ends of blocks, which the public streams of Node can't. */

import { constants, createInflateRaw } from 'node:zlib';

/** Where a step may stop before its output is full or its input used up. */
export type InflateStop = 'only at the end' | 'at the next block';

/** What a step did, in bytes. */
export interface InflateStep {
  readonly consumed: number;
  readonly produced: number;
}

/** A part of a buffer: from `start` up to `end`. */
export interface ByteRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * One zlib inflater without header or checksum. Synchronous: a step of 256 KiB takes well under a millisecond, and calls
 * straight into zlib are half as fast again as its streams.
 *
 * A step that leaves both input and room in its output has met the end of the data, or of a block where it was asked
 * to stop there.
 */
export class RawInflater {
  readonly #handle: ZlibHandle;
  readonly #state: Uint32Array;
  readonly #close: () => void;
  #error: string | undefined;

  /** @throws Error where this version of Node keeps its zlib elsewhere. */
  constructor() {
    const stream = createInflateRaw() as unknown as ZlibInternals;
    const { _handle: handle, _writeState: state } = stream;
    if (typeof handle?.writeSync !== 'function' || typeof handle.reset !== 'function' || !isState(state)) {
      stream.close?.();
      throw new Error(`Node ${process.version} has no zlib that can be stopped between blocks`);
    }
    this.#handle = handle;
    this.#state = state;
    this.#close = () => stream.close?.();
    handle.onerror = (message) => {
      this.#error = message;
    };
  }

  /** Inflates once. Input that is not used up must be given again. @throws Error where the data are not deflate. */
  step({
    input,
    output,
    stop,
  }: {
    readonly input: ByteRange;
    readonly output: ByteRange;
    readonly stop: InflateStop;
  }): InflateStep {
    const inBytes = input.end - input.start;
    const outBytes = output.end - output.start;
    const flush = stop === 'at the next block' ? constants.Z_BLOCK : constants.Z_NO_FLUSH;
    this.#handle.writeSync(flush, input.bytes, input.start, inBytes, output.bytes, output.start, outBytes);
    const error = this.#error;
    if (error !== undefined) {
      this.reset();
      throw new Error(error);
    }
    const [outLeft = 0, inLeft = 0] = this.#state;
    return { consumed: inBytes - inLeft, produced: outBytes - outLeft };
  }

  /** Forgets everything: what comes next is the start of deflate data. */
  reset(): void {
    this.#error = undefined;
    this.#handle.reset();
  }

  close(): void {
    this.#close();
  }
}

/**
 * What stands behind every stream of `node:zlib`, the same in Node 20, 22 and 24. `writeSync` leaves the room left in
 * the output and the input left, in this order, in the stream's `_writeState`.
 */
interface ZlibHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputStart: number,
    inputBytes: number,
    output: Uint8Array,
    outputStart: number,
    outputBytes: number,
  ): void;
  reset(): void;
  onerror: (message: string, errno: number, code: string) => void;
}

interface ZlibInternals {
  readonly _handle?: ZlibHandle;
  readonly _writeState?: unknown;
  close?(): void;
}

function isState(state: unknown): state is Uint32Array {
  return state instanceof Uint32Array && state.length === 2;
}
