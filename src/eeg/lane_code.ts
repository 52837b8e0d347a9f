/** The loops over samples that take the time, as WebAssembly: up to eight channels at once, two in each vector. */

import {
  all,
  type Code,
  F64,
  f64FromI32,
  f64Value,
  f64x2,
  get,
  I32,
  i32,
  type Local,
  repeat,
  set,
  V128,
  type WasmFunction,
  wasmFunction,
  wasmModule,
} from './wasm.js';

/** Bytes of a 64-bit float, and of a vector of two. */
export const FLOAT_BYTES = 8;
const VECTOR_BYTES = 16;

/** Samples that are worked on before those that follow: of eight channels 16 KiB, which stay in the nearest cache. */
export const PIECE_SAMPLES = 256;

/** Vectors side by side: more hide the time that an addition takes before the next one can begin. */
export type Vectors = 1 | 2 | 4;

/** What a module exports. Addresses are bytes and multiples of 8; a sample is one number of each channel. */
export interface LaneCode {
  /**
   * Runs sections one after the other over the samples from `at` on, `step` bytes from one to the next, until `end`, which
   * is not reached; at least one. From `section` to `sectionsEnd` each has b0, c1, c2, a1, a2 (see `sections.ts`), then p
   * and q for the first two channels, for the next two, …: they are read, and left there for the samples that follow.
   */
  filter(at: number, end: number, step: number, section: number, sectionsEnd: number): void;
  /**
   * Writes the outputs from `out` to `end`. The first is made of the `taps` samples from `oldest` on with the weights of
   * `phase`; `phases` is where those of phase 0 are. The next is `down` phases further, and after `up` phases comes a sample.
   */
  resample(
    out: number,
    end: number,
    oldest: number,
    phase: number,
    up: number,
    down: number,
    taps: number,
    phases: number,
  ): void;
  /** Brings each channel to mean 0 and deviation 1 (see `standardise`); 0 where the deviation is at most `flat` times the largest. */
  standardise(at: number, end: number, samples: number, flat: number): void;
  /** Bounds all values by ± `limit`. */
  clip(at: number, end: number, limit: number): void;
  /**
   * Fills samples from 16-bit integers, which become `gain * (shift + digital) * factor`. At `scales` are the gains of two
   * channels, their shifts, their factors, and so on; then, in 32 bits for each channel, how many bytes behind `source` its
   * integers are.
   */
  fillDigital(at: number, end: number, source: number, scales: number): void;
  /** Fills samples from arrays of each channel of 64-bit floats, `PIECE_SAMPLES` numbers apart from `source` on. */
  fillNumbers(at: number, end: number, source: number): void;
  /** Writes samples to arrays of each channel, of 64-bit floats or of 32-bit ones, which are `row` bytes apart. */
  spreadFloat64(at: number, end: number, target: number, row: number): void;
  spreadFloat32(at: number, end: number, target: number, row: number): void;
  /** 0 where all values are finite. */
  hasOdd(at: number, end: number): number;
}

/**
 * The module for samples of so many vectors. Each channel's operations are those of plain JavaScript in the same order, so
 * that results are equal bit for bit. Below 4 KiB: browsers compile no more than that at once on a page's own thread.
 */
export function laneModule(vectors: Vectors): Uint8Array<ArrayBuffer> {
  return wasmModule([
    filter(vectors),
    resample(vectors),
    standardise(vectors),
    clip(vectors),
    fillDigital(vectors),
    fillNumbers(vectors),
    spread(vectors, 'spreadFloat64'),
    spread(vectors, 'spreadFloat32'),
    hasOdd(vectors),
  ]);
}

/** The same for each vector, whose place in a sample is given in bytes. */
function each(vectors: Vectors, write: (vector: number, offset: number) => Code): Code {
  return all(...Array.from({ length: vectors }, (_, vector) => write(vector, vector * VECTOR_BYTES)));
}

function variables(vectors: Vectors, variable: (type: typeof V128) => Local): (vector: number) => Local {
  const locals = Array.from({ length: vectors }, () => variable(V128));
  return (vector) => locals[vector] as Local;
}

/** The body at `at` and each sample that follows, until `end`. */
function overSamples(
  vectors: Vectors,
  { at, end }: { readonly at: Local; readonly end: Local },
  body: Code,
): Code {
  const next = set(at, i32.plus(get(at), i32.value(vectors * VECTOR_BYTES)));
  return repeat(all(body, next), i32.isNot(get(at), get(end)));
}

function filter(vectors: Vectors): WasmFunction {
  const types = [I32, I32, I32, I32, I32] as const;
  return wasmFunction('filter', types, ([start, end, step, section, sectionsEnd], variable) => {
    const [b0, c1, c2, a1, a2] = [0, 1, 2, 3, 4].map(() => variable(V128)) as Five;
    const [p, q] = [variables(vectors, variable), variables(vectors, variable)];
    const [at, x, nextP] = [variable(I32), variable(V128), variable(V128)];
    const times = (factor: Local, value: Local): Code => f64x2.times(get(factor), get(value));
    const oneSample = each(vectors, (v, offset) =>
      all(
        set(x, f64x2.load(get(at), offset)),
        f64x2.store(get(at), f64x2.plus(times(b0, x), get(p(v))), offset),
        set(nextP, f64x2.minus(f64x2.plus(times(c1, x), get(q(v))), times(a1, p(v)))),
        set(q(v), f64x2.minus(times(c2, x), times(a2, p(v)))),
        set(p(v), get(nextP)),
      ),
    );
    const placeOfP = (offset: number): number => 5 * FLOAT_BYTES + 2 * offset;
    const placeOfQ = (offset: number): number => placeOfP(offset) + VECTOR_BYTES;
    const sectionBytes = placeOfP(vectors * VECTOR_BYTES);
    const oneSection = all(
      ...[b0, c1, c2, a1, a2].map((local, i) => set(local, f64x2.loadTwice(get(section), i * FLOAT_BYTES))),
      each(vectors, (v, offset) => set(p(v), f64x2.load(get(section), placeOfP(offset)))),
      each(vectors, (v, offset) => set(q(v), f64x2.load(get(section), placeOfQ(offset)))),
      set(at, get(start)),
      repeat(all(oneSample, set(at, i32.plus(get(at), get(step)))), i32.isNot(get(at), get(end))),
      each(vectors, (v, offset) => f64x2.store(get(section), get(p(v)), placeOfP(offset))),
      each(vectors, (v, offset) => f64x2.store(get(section), get(q(v)), placeOfQ(offset))),
      set(section, i32.plus(get(section), i32.value(sectionBytes))),
    );
    return repeat(oneSection, i32.isNot(get(section), get(sectionsEnd)));
  });
}

type Five = [Local, Local, Local, Local, Local];

function resample(vectors: Vectors): WasmFunction {
  const types = [I32, I32, I32, I32, I32, I32, I32, I32] as const;
  return wasmFunction('resample', types, (parameters, variable) => {
    const [out, end, oldest, phase, up, down, taps, phases] = parameters;
    const [weight, at, stop] = [variable(I32), variable(I32), variable(I32)];
    const factor = variable(V128);
    const sum = variables(vectors, variable);
    const sampleBytes = i32.value(vectors * VECTOR_BYTES);
    const rowBytes = i32.times(get(taps), i32.value(FLOAT_BYTES));
    const oneOutput = all(
      set(weight, i32.plus(get(phases), i32.times(get(phase), rowBytes))),
      set(at, get(oldest)),
      set(stop, i32.plus(get(oldest), i32.times(get(taps), sampleBytes))),
      each(vectors, (v) => set(sum(v), f64x2.zero)),
      overSamples(
        vectors,
        { at, end: stop },
        all(
          set(factor, f64x2.loadTwice(get(weight))),
          set(weight, i32.plus(get(weight), i32.value(FLOAT_BYTES))),
          each(vectors, (v, offset) =>
            set(sum(v), f64x2.plus(get(sum(v)), f64x2.times(get(factor), f64x2.load(get(at), offset)))),
          ),
        ),
      ),
      each(vectors, (v, offset) => f64x2.store(get(out), get(sum(v)), offset)),
      set(phase, i32.plus(get(phase), get(down))),
      set(oldest, i32.plus(get(oldest), i32.times(i32.dividedBy(get(phase), get(up)), sampleBytes))),
      set(phase, i32.remainder(get(phase), get(up))),
    );
    return overSamples(vectors, { at: out, end }, oneOutput);
  });
}

function standardise(vectors: Vectors): WasmFunction {
  return wasmFunction('standardise', [I32, I32, I32, F64], ([start, end, samples, flat], variable) => {
    const [at, count, x] = [variable(I32), variable(V128), variable(V128)];
    const [sum, largest] = [variables(vectors, variable), variables(vectors, variable)];
    const [squares, factor] = [variables(vectors, variable), variables(vectors, variable)];
    // Each is needed only when the one that it takes the place of is not needed any more.
    const [mean, deviation] = [sum, squares];
    const over = (body: (v: number, offset: number) => Code): Code =>
      all(set(at, get(start)), overSamples(vectors, { at, end }, each(vectors, body)));
    return all(
      set(count, f64x2.twice(f64FromI32(get(samples)))),
      over((v, offset) =>
        all(
          set(x, f64x2.load(get(at), offset)),
          set(sum(v), f64x2.plus(get(sum(v)), get(x))),
          set(largest(v), f64x2.most(get(largest(v)), f64x2.absolute(get(x)))),
        ),
      ),
      each(vectors, (v) => set(mean(v), f64x2.dividedBy(get(sum(v)), get(count)))),
      over((v, offset) =>
        all(
          set(x, f64x2.minus(f64x2.load(get(at), offset), get(mean(v)))),
          set(squares(v), f64x2.plus(get(squares(v)), f64x2.times(get(x), get(x)))),
        ),
      ),
      each(vectors, (v) =>
        all(
          set(deviation(v), f64x2.squareRoot(f64x2.dividedBy(get(squares(v)), get(count)))),
          set(
            factor(v),
            f64x2.unlessAtMost(
              f64x2.dividedBy(f64x2.twice(f64Value(1)), get(deviation(v))),
              get(deviation(v)),
              f64x2.times(get(largest(v)), f64x2.twice(get(flat))),
            ),
          ),
        ),
      ),
      over((v, offset) =>
        f64x2.store(
          get(at),
          f64x2.times(f64x2.minus(f64x2.load(get(at), offset), get(mean(v))), get(factor(v))),
          offset,
        ),
      ),
    );
  });
}

function clip(vectors: Vectors): WasmFunction {
  return wasmFunction('clip', [I32, I32, F64], ([at, end, limit], variable) => {
    const [most, least] = [variable(V128), variable(V128)];
    return all(
      set(most, f64x2.twice(get(limit))),
      set(least, f64x2.minus(f64x2.zero, get(most))),
      overSamples(
        vectors,
        { at, end },
        each(vectors, (_, offset) =>
          f64x2.store(
            get(at),
            f64x2.least(f64x2.most(f64x2.load(get(at), offset), get(least)), get(most)),
            offset,
          ),
        ),
      ),
    );
  });
}

function fillDigital(vectors: Vectors): WasmFunction {
  return wasmFunction('fillDigital', [I32, I32, I32, I32], ([at, end, source, scales], variable) => {
    const [gain, shift, factor] = [0, 1, 2].map(() => variables(vectors, variable)) as Three;
    const distances = Array.from({ length: 2 * vectors }, () => variable(I32));
    const place = (channel: number): Code => i32.plus(get(source), get(distances[channel] as Local));
    return all(
      ...[gain, shift, factor].map((which, i) =>
        each(vectors, (v, offset) => set(which(v), f64x2.load(get(scales), 3 * offset + i * VECTOR_BYTES))),
      ),
      ...distances.map((distance, channel) =>
        set(distance, i32.load(get(scales), 3 * vectors * VECTOR_BYTES + 4 * channel)),
      ),
      overSamples(
        vectors,
        { at, end },
        all(
          each(vectors, (v, offset) => {
            const digital = f64x2.ofInt16(place(2 * v), place(2 * v + 1));
            const physical = f64x2.times(get(gain(v)), f64x2.plus(get(shift(v)), digital));
            return f64x2.store(get(at), f64x2.times(physical, get(factor(v))), offset);
          }),
          set(source, i32.plus(get(source), i32.value(2))),
        ),
      ),
    );
  });
}

type Three = [(v: number) => Local, (v: number) => Local, (v: number) => Local];

function fillNumbers(vectors: Vectors): WasmFunction {
  const row = FLOAT_BYTES * PIECE_SAMPLES;
  return wasmFunction('fillNumbers', [I32, I32, I32], ([at, end, source]) =>
    overSamples(
      vectors,
      { at, end },
      all(
        each(vectors, (v, offset) => {
          const first = f64x2.loadTwice(get(source), 2 * v * row);
          return f64x2.store(get(at), f64x2.withSecond(first, get(source), (2 * v + 1) * row), offset);
        }),
        set(source, i32.plus(get(source), i32.value(FLOAT_BYTES))),
      ),
    ),
  );
}

function spread(vectors: Vectors, name: 'spreadFloat64' | 'spreadFloat32'): WasmFunction {
  const [bytes, store] =
    name === 'spreadFloat64' ? ([8, f64x2.storeOne] as const) : ([4, f64x2.storeOneAsFloat32] as const);
  return wasmFunction(name, [I32, I32, I32, I32], ([at, end, target, row], variable) => {
    const x = variable(V128);
    const places = Array.from({ length: 2 * vectors }, () => variable(I32));
    const put = (channel: number): Code => {
      const place = places[channel] as Local;
      return all(
        store(get(place), get(x), (channel % 2) as 0 | 1),
        set(place, i32.plus(get(place), i32.value(bytes))),
      );
    };
    return all(
      ...places.map((place, i) => set(place, i32.plus(get(target), i32.times(get(row), i32.value(i))))),
      overSamples(
        vectors,
        { at, end },
        each(vectors, (v, offset) => all(set(x, f64x2.load(get(at), offset)), put(2 * v), put(2 * v + 1))),
      ),
    );
  });
}

function hasOdd(vectors: Vectors): WasmFunction {
  const write = ([at, end]: readonly [Local, Local], variable: (type: typeof V128) => Local): Code => {
    const [sum, x] = [variables(vectors, variable), variable(V128)];
    // x − x is 0 for every finite number, and no number for others: a sum of them tells all at once.
    const oneSample = each(vectors, (v, offset) =>
      all(
        set(x, f64x2.load(get(at), offset)),
        set(sum(v), f64x2.plus(get(sum(v)), f64x2.minus(get(x), get(x)))),
      ),
    );
    const whole = Array.from({ length: vectors }, (_, v) => get(sum(v))).reduce(f64x2.plus);
    return all(overSamples(vectors, { at, end }, oneSample), f64x2.areNot(whole, f64x2.zero));
  };
  return wasmFunction('hasOdd', [I32, I32], write, I32);
}
