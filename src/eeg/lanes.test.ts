import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eyesRecording, makeEdf } from '../../fixtures/eeg_recording.js';
import { bufferSource } from '../io/byte_source.js';
import { openEdf } from '../io/edf.js';
import { FLAT } from './amplitude.js';
import { butterworth } from './butterworth.js';
import { applyChannelSteps, type ChannelStep, windowCutter } from './channel_steps.js';
import { laneModule } from './lane_code.js';
import { filterByLoops, resampleByLoops, standardiseByLoops } from './lane_reference.test.helper.js';
import { inLanes, lanesValue, mapLanes, readLanes } from './lanes.js';
import { notch } from './notch.js';
import { readForLanes, readSignal } from './read_signal.js';
import { polyphase, rateRatio, resample } from './resample.js';
import type { Signal } from './signal.js';
import { filterZeroPhase } from './zero_phase.js';

/** Bits, so that −0 is not 0. */
const bits = (arrays: readonly (Float64Array | Float32Array)[]): string[] =>
  arrays.map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
  );

/** Channels of equal length: of EEG's size, flat ones, and any finite numbers that do not overflow when filtered. */
const channels = (most: { readonly length: number; readonly channels?: number }) =>
  fc.integer({ min: 0, max: most.length }).chain((length) =>
    fc.array(
      fc.oneof(
        fc
          .array(fc.integer({ min: -8092, max: 8092 }), { minLength: length, maxLength: length })
          .map((values) => Float64Array.from(values)),
        fc.double({ min: -1e5, max: 1e5, noNaN: true }).map((value) => new Float64Array(length).fill(value)),
        fc.float64Array({ minLength: length, maxLength: length, min: -1e100, max: 1e100, noNaN: true }),
      ),
      { minLength: 1, maxLength: most.channels ?? 19 },
    ),
  );

const FILTERS = [
  butterworth(4, { lowHertz: 4, highHertz: 38 }, 160),
  butterworth(3, { lowHertz: 0.5 }, 100),
  butterworth(1, { highHertz: 40 }, 160),
  butterworth(10, { lowHertz: 5, highHertz: 35 }, 128),
  notch(60, 30, 160),
];

test('filtering side by side gives the bits of plain loops over each channel', () => {
  fc.assert(
    fc.property(
      channels({ length: 700 }),
      fc.constantFrom(...FILTERS),
      fc.integer({ min: 0, max: 900 }),
      (data, sections, pad) => {
        const expected = data.map((samples) => filterByLoops(sections, samples, pad));
        expect(bits(filterZeroPhase(sections, data, pad))).toEqual(bits(expected));
      },
    ),
  );
});

test('resampling side by side gives the bits of plain loops over each channel', () => {
  const ratios = fc.constantFrom([160, 128], [100, 128], [256, 100], [512, 64], [128, 500], [250, 249]);
  fc.assert(
    fc.property(channels({ length: 300 }), ratios, (data, [from, to]) => {
      const ratio = rateRatio(from!, to!);
      const expected = data.map((samples) =>
        samples.length === 0 ? samples : resampleByLoops(samples, ratio, polyphase(ratio)),
      );
      expect(bits(resample(data, ratio))).toEqual(bits(expected));
    }),
  );
});

test('standardising and clipping side by side give the bits of plain loops over each channel', () => {
  fc.assert(
    fc.property(channels({ length: 600 }), fc.double({ min: 1e-3, max: 1e4, noNaN: true }), (data, limit) => {
      const signal = { channels: data.map((_, i) => `C${i}`), samplingRate: 160, data };
      const clipped = data.map((samples) => samples.map((v) => Math.min(limit, Math.max(-limit, v))));
      const clip: ChannelStep = { step: 'clip', microvolts: limit };
      expect(bits(allOf(applyChannelSteps(signal, [clip])))).toEqual(bits(clipped));
      const standardised = clipped.map((samples) => standardiseByLoops(samples, FLAT));
      const both = applyChannelSteps(signal, [clip, { step: 'standardise', over: 'channel' }]);
      expect(bits(allOf(both))).toEqual(bits(standardised));
    }),
  );
});

const allOf = ({ data }: Signal): Float64Array[] => data.map((samples) => new Float64Array(samples));

const LISTS: readonly (readonly ChannelStep[])[] = [
  [],
  [{ step: 'bandPass', low: 4, high: 38, order: 4 }],
  [{ step: 'resample', hertz: 128 }],
  [
    { step: 'notch', hertz: 60, q: 30 },
    { step: 'bandPass', low: 1, high: 45, order: 3 },
    { step: 'resample', hertz: 100 },
    { step: 'clip', microvolts: 300 },
  ],
  [
    { step: 'resample', hertz: 200 },
    { step: 'bandPass', low: 1, high: 45, order: 2 },
  ],
  [
    { step: 'clip', microvolts: 1000 },
    { step: 'standardise', over: 'channel' },
  ],
];

test('windows have the numbers of the whole signal, rounded, whether samples between them are computed or not', () => {
  const places = fc.array(
    fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(
      channels({ length: 800, channels: 8 }),
      fc.constantFrom(...LISTS),
      places,
      fc.boolean(),
      (data, steps, shares, isStandardised) => {
        const signal = { channels: data.map((_, i) => `C${i}`), samplingRate: 160, data };
        const whole = applyChannelSteps(signal, steps);
        const { length } = whole.data[0]!;
        const windows = shares.map(([from, part]) => {
          const fromSample = Math.floor(from * length);
          return { stretch: 0, onset: 0, fromSample, samples: Math.floor(part * (length - fromSample)) };
        });
        const windowSteps: ChannelStep[] = isStandardised ? [{ step: 'standardise', over: 'channel' }] : [];
        const got = windows.map(({ samples }) => new Float32Array(data.length * samples));
        const size = { samplingRate: 160, length: data[0]!.length };
        windowCutter({ steps, windows, windowSteps }, size)(signal, (i) => got[i]!);
        for (const [i, { fromSample, samples }] of windows.entries()) {
          const cut = whole.data.map((channel) => channel.subarray(fromSample, fromSample + samples));
          const expected = applyChannelSteps({ ...whole, data: cut }, windowSteps).data;
          const tensor = Float32Array.from(expected.flatMap((channel) => [...channel]));
          expect(bits([got[i]!])).toEqual(bits([tensor]));
        }
      },
    ),
  );
});

test('a window beyond the signal is refused', () => {
  const size = { samplingRate: 160, length: 160 };
  const windows = [{ stretch: 0, onset: 0.5, fromSample: 80, samples: 81 }];
  expect(() => windowCutter({ steps: [], windows, windowSteps: [] }, size)).toThrow(RangeError);
});

test('samples taken from the file’s own bytes are those that reading gives, to the last bit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 0, max: 18 }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom('EDF+C', 'EDF+D', 'BDF+C', 'EDF') as fc.Arbitrary<'EDF'>,
      fc.integer({ min: 0, max: 1 }),
      fc.constantFrom('uV', 'mV'),
      async (chosen, format, shift, unit) => {
        const labels = Array.from({ length: 19 }, (_, i) => `X${i}`);
        const made = eyesRecording({ seed: 's', seconds: 6, labels });
        const signals = made.signals.map((signal) => ({ ...signal, unit }));
        const file = makeEdf({ ...made, signals, format });
        // An odd place in memory can't be viewed as 16-bit integers.
        const bytes = Buffer.concat([Buffer.alloc(shift), file]).subarray(shift);
        const recording = await openEdf(bufferSource(bytes));
        const names = { channels: chosen.map((i) => labels[i]!) };
        const [segment] = await recording.segments();
        const { data } = await readForLanes(recording, names, segment!);
        const got = inLanes(data, 0, (lanes) => {
          const rows = new Float64Array(chosen.length * lanes.length);
          readLanes(lanes, rows);
          return rows;
        });
        const read = allOf(await readSignal(recording, names, segment));
        expect(bits([got])).toEqual(bits([Float64Array.from(read.flatMap((channel) => [...channel]))]));
      },
    ),
    { numRuns: 40 },
  );
});

test('stored samples are views where the file allows, so that nothing is copied', async () => {
  const bytes = makeEdf(eyesRecording({ seed: 's', seconds: 6 }));
  const recording = await openEdf(bufferSource(bytes));
  const [first] = (await recording.readStored([0], { fromRecord: 2, records: 3 }))!;
  expect(first!.digital.buffer).toBe(bytes.buffer);
  expect(first!.length).toBe(3 * recording.signals[0]!.samplesPerRecord);
});

test('a sample that is no number is found wherever it is', () => {
  fc.assert(
    fc.property(
      channels({ length: 700 }).filter(([first]) => first!.length > 0),
      fc.nat(),
      fc.nat(),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
      (data, channel, sample, odd) => {
        const [c, at] = [channel % data.length, sample % data[0]!.length];
        data[c]![at] = odd;
        const signal = { channels: data.map((_, i) => `C${i}`), samplingRate: 160, data };
        const steps: ChannelStep[] = [{ step: 'bandPass', low: 1, order: 2 }];
        expect(() => applyChannelSteps(signal, steps)).toThrow(`channel C${c} is ${odd} at sample ${at}`);
      },
    ),
  );
});

test('long signals come out as they went in', () => {
  const data = Array.from({ length: 11 }, (_, c) =>
    Float64Array.from({ length: 20_001 }, (__, i) => i * 12 + c),
  );
  expect(bits(mapLanes(data, 3, (lanes) => lanes))).toEqual(bits(data));
});

test('lanes may be used within lanes, and the memory is free afterwards', () => {
  const outer = [Float64Array.of(1, 2, 3)];
  const kept = inLanes(outer, 2, (lanes) => {
    const inner = mapLanes([Float64Array.of(9, 9, 9, 9)], 5, (other) => other);
    expect([...inner[0]!]).toEqual([9, 9, 9, 9]);
    return [0, 1, 2].map((sample) => lanesValue(lanes, sample, 0));
  });
  expect(kept).toEqual([1, 2, 3]);
  const start = (): number => inLanes(outer, 0, (lanes) => lanes.start);
  expect(start()).toBe(start());
  expect(() =>
    inLanes(
      Array.from({ length: 9 }, () => new Float64Array(1)),
      0,
      () => 0,
    ),
  ).toThrow(RangeError);
});

test('more memory than WebAssembly has is an error that says what to do', () => {
  expect(() => inLanes([new Float64Array(8)], 2 ** 27, () => 0)).toThrow('memory at once');
});

test('modules are small enough for a page’s own thread, which compiles no more than 4 KiB at once', () => {
  for (const vectors of [1, 2, 4] as const) expect(laneModule(vectors).length).toBeLessThan(4096);
});
