/** The memory of WebAssembly that lanes are in: taken from its start, given back to there, and one for each thread. */

import { UserError } from '../io/errors.js';
import { type LaneCode, laneModule, type Vectors } from './lane_code.js';

export interface LaneMemory {
  readonly memory: WasmMemory;
  /** Bytes from the start that are taken. */
  used: number;
  /** The memory as numbers, while it was not made larger. */
  values: Float64Array<ArrayBuffer>;
  readonly codes: Map<Vectors, LaneCode>;
}

/** What `use` makes with the memory of this thread; what it has taken is then free again. */
export function withLaneMemory<Result>(use: (memory: LaneMemory) => Result): Result {
  const memory = kept ?? newMemory();
  kept = memory;
  const { used } = memory;
  try {
    return use(memory);
  } finally {
    memory.used = used;
    // Memory of WebAssembly never shrinks.
    if (used === 0 && memory.memory.buffer.byteLength > MOST_KEPT_BYTES) kept = undefined;
  }
}

let kept: LaneMemory | undefined;

/** Memory that has become larger is given back: eight channels for an hour and a half at 256 Hz need as much. */
const MOST_KEPT_BYTES = 2 ** 27;

/** The memory as numbers; until more of it is taken. */
export function laneValues(lanes: LaneMemory): Float64Array<ArrayBuffer> {
  const { buffer } = lanes.memory;
  if (lanes.values.buffer !== buffer) lanes.values = new Float64Array(buffer);
  return lanes.values;
}

/**
 * The address of so many bytes, which hold anything: a multiple of 16.
 * @throws UserError where there is not as much memory.
 */
export function takeBytes(lanes: LaneMemory, bytes: number): number {
  const address = lanes.used;
  const end = address + Math.ceil(bytes / 16) * 16;
  const missing = end - lanes.memory.buffer.byteLength;
  if (missing > 0) grow(lanes, Math.ceil(missing / PAGE_BYTES));
  lanes.used = end;
  return address;
}

/** WebAssembly Core Specification 2.0, section 4.2.8. */
const PAGE_BYTES = 2 ** 16;

/** Addresses beyond would be negative numbers to WebAssembly. */
const MOST_PAGES = 2 ** 31 / PAGE_BYTES;

function grow({ memory }: LaneMemory, pages: number): void {
  const all = memory.buffer.byteLength / PAGE_BYTES + pages;
  try {
    if (all > MOST_PAGES) throw new RangeError(`${all} pages`);
    memory.grow(pages);
  } catch (cause) {
    const what = `a stretch of so many samples would take ${all / 16} MiB of memory at once`;
    throw new UserError(what, {
      remedy: 'cut the recording into shorter ones, or pick fewer channels',
      cause,
    });
  }
}

/** The loops for samples of so many vectors over this memory. */
export function laneCode({ memory, codes }: LaneMemory, vectors: Vectors): LaneCode {
  let code = codes.get(vectors);
  if (code === undefined) {
    const { exports } = new wasm.Instance(moduleOf(vectors), { host: { memory } });
    code = exports as LaneCode;
    codes.set(vectors, code);
  }
  return code;
}

function moduleOf(vectors: Vectors): object {
  let module = modules.get(vectors);
  if (module === undefined) {
    module = new wasm.Module(laneModule(vectors));
    modules.set(vectors, module);
  }
  return module;
}

const modules = new Map<Vectors, object>();

/** What is used of the host's WebAssembly (WebAssembly JavaScript Interface 2.0), for which neither ES nor Node have types. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly Memory: new (size: { readonly initial: number }) => WasmMemory;
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const wasm = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly;

function newMemory(): LaneMemory {
  const memory = new wasm.Memory({ initial: 0 });
  return { memory, used: 0, values: new Float64Array(memory.buffer), codes: new Map() };
}
