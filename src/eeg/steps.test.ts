import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eyesRecording, makeEdf } from '../../fixtures/eeg_recording.js';
import { bufferSource } from '../io/byte_source.js';
import { openEdf } from '../io/edf.js';
import { readSignal } from './read_signal.js';
import { type Signal, signalLength, signalTensor, sliceSignal } from './signal.js';
import type { SignalError } from './signal_error.js';
import {
  applySteps,
  channelsToRead,
  marginSeconds,
  type SignalStep,
  samplingRateAfter,
  splitSteps,
  stepsId,
} from './steps.js';

function made(samples = 800, samplingRate = 160): Signal {
  const channels = ['C3', 'Cz', 'C4'];
  const data = channels.map((_, c) =>
    Float32Array.from(
      { length: samples },
      (_, i) => 30 * Math.sin(0.3 * i + c) + 100 * c + ((i * 7919) % 13),
    ),
  );
  return { channels, samplingRate, data };
}

const mean = (values: Iterable<number>): number => {
  const all = [...values];
  return all.reduce((sum, value) => sum + value, 0) / all.length;
};

test('steps are applied in their order', () => {
  const pickFirst = applySteps(made(), [
    { step: 'pick', channels: ['C3', 'Cz'] },
    { step: 'rereference', to: 'average' },
  ]);
  const referenceFirst = applySteps(made(), [
    { step: 'rereference', to: 'average' },
    { step: 'pick', channels: ['C3', 'Cz'] },
  ]);
  expect(pickFirst.channels).toEqual(['C3', 'Cz']);
  // Average of two, or of three.
  expect(mean(pickFirst.data[1]!)).toBeCloseTo(50, 0);
  expect(Math.abs(mean(referenceFirst.data[1]!))).toBeLessThan(1);
});

test('picking takes any name, and names the channels by the canonical one', () => {
  const signal = { ...made(), channels: ['T3', 'EEG Cz-REF', 'C4..'] };
  const picked = applySteps(signal, [{ step: 'pick', channels: ['C4', 'T7', 'cz'] }]);
  expect(picked.channels).toEqual(['C4', 'T7', 'Cz']);
  expect(picked.data).toEqual([signal.data[2], signal.data[0], signal.data[1]]);
});

test('a missing channel is a fault that a Problem can turn into a reason', () => {
  const steps: SignalStep[] = [{ step: 'pick', channels: ['Oz'] }];
  try {
    applySteps(made(), steps);
    expect.unreachable();
  } catch (error) {
    expect((error as SignalError).fault).toBe('missing-channels');
  }
});

test('an average reference makes the sum of all channels 0', () => {
  const { data } = applySteps(made(), [{ step: 'rereference', to: 'average' }]);
  for (let i = 0; i < data[0]!.length; i++)
    expect(data[0]![i]! + data[1]![i]! + data[2]![i]!).toBeCloseTo(0, 9);
});

test('a reference channel becomes 0', () => {
  const { data } = applySteps(made(), [{ step: 'rereference', to: ['Cz'] }]);
  expect(data[1]!.every((value) => value === 0)).toBe(true);
  expect(data[2]![5]).toBeCloseTo(made().data[2]![5]! - made().data[1]![5]!, 9);
});

test('clipping bounds the values and leaves those within', () => {
  const { data } = applySteps(made(), [{ step: 'clip', microvolts: 90 }]);
  expect(Math.max(...data.flatMap((channel) => [...channel]))).toBe(90);
  expect([...data[0]!]).toEqual([...made().data[0]!]);
});

test('standardising each channel gives each mean 0 and deviation 1; all together keeps their proportions', () => {
  const each = applySteps(made(), [{ step: 'standardise', over: 'channel' }]);
  for (const channel of each.data) {
    expect(mean(channel)).toBeCloseTo(0, 9);
    expect(mean(channel.map((value) => value ** 2))).toBeCloseTo(1, 9);
  }
  const window = applySteps(made(), [{ step: 'standardise', over: 'window' }]);
  const all = window.data.flatMap((channel) => [...channel]);
  expect(mean(all)).toBeCloseTo(0, 9);
  expect(mean(all.map((value) => value ** 2))).toBeCloseTo(1, 9);
  expect(mean(window.data[2]!)).toBeGreaterThan(mean(window.data[0]!));
});

test('a flat channel is standardised to 0, whatever its level', () => {
  const flat: Signal = { channels: ['Cz'], samplingRate: 100, data: [new Float64Array(777).fill(1234.567)] };
  for (const over of ['channel', 'window'] as const)
    expect(applySteps(flat, [{ step: 'standardise', over }]).data[0]!.every((value) => value === 0)).toBe(
      true,
    );
});

test('resampling changes rate and length; filters know the new rate', () => {
  const steps: SignalStep[] = [
    { step: 'resample', hertz: 128 },
    { step: 'bandPass', low: 1, high: 63, order: 2 },
  ];
  const signal = applySteps(made(), steps);
  expect([signal.samplingRate, signalLength(signal)]).toEqual([128, 640]);
  expect(samplingRateAfter(steps, 160)).toBe(128);
  const tooHigh: SignalStep[] = [
    { step: 'resample', hertz: 100 },
    { step: 'bandPass', high: 60, order: 2 },
  ];
  expect(() => applySteps(made(), tooHigh)).toThrow('60 Hz does not lie between 0 and half');
});

test('a sample that is no number is refused before a filter spreads it', () => {
  const signal = made();
  signal.data[1]![17] = Number.NaN;
  expect(() => applySteps(signal, [{ step: 'bandPass', low: 1, order: 2 }])).toThrow(
    'channel Cz is NaN at sample 17',
  );
});

test.each<[string, SignalStep]>([
  ['a clip at 0', { step: 'clip', microvolts: 0 }],
  ['a band-pass without a band', { step: 'bandPass', order: 2 }],
  ['a reference to nothing', { step: 'rereference', to: [] }],
  ['a rate of 0', { step: 'resample', hertz: 0 }],
  ['a notch of q 0', { step: 'notch', hertz: 50, q: 0 }],
])('%s is no step', (_, step) => {
  expect(() => applySteps(made(), [step])).toThrow(RangeError);
});

test('the given signal is never changed', () => {
  const signal = made();
  applySteps(signal, [
    { step: 'rereference', to: 'average' },
    { step: 'notch', hertz: 60, q: 30 },
    { step: 'clip', microvolts: 5 },
    { step: 'standardise', over: 'window' },
  ]);
  expect(signal).toEqual(made());
});

const step: fc.Arbitrary<SignalStep> = fc.oneof(
  fc.record({ step: fc.constant('pick' as const), channels: fc.array(fc.string()) }),
  fc.record({
    step: fc.constant('rereference' as const),
    to: fc.oneof(fc.constant('average' as const), fc.array(fc.string())),
  }),
  fc.record({ step: fc.constant('resample' as const), hertz: fc.integer({ min: 1 }) }),
  fc.record(
    {
      step: fc.constant('bandPass' as const),
      order: fc.nat(9),
      low: fc.integer({ min: 1 }),
      high: fc.integer({ min: 1 }),
    },
    { requiredKeys: ['step', 'order'] },
  ) as fc.Arbitrary<SignalStep>,
  fc.record({ step: fc.constant('clip' as const), microvolts: fc.integer({ min: 1 }) }),
  fc.record({ step: fc.constant('standardise' as const), over: fc.constantFrom('channel', 'window') }),
);

test('two lists have the same text if and only if they are the same', () => {
  const sorted = (value: object): object => Object.fromEntries(Object.entries(value).toReversed());
  fc.assert(
    fc.property(fc.array(step), fc.array(step), (a, b) => {
      expect(stepsId(a.map(sorted) as SignalStep[])).toBe(stepsId(a));
      expect(stepsId(a) === stepsId(b)).toBe(JSON.stringify(a.map(keyed)) === JSON.stringify(b.map(keyed)));
    }),
  );
});

const keyed = (one: SignalStep): unknown => Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1));

test('the text of a list is the one that manifests have', () => {
  const steps: SignalStep[] = [
    { step: 'pick', channels: ['C3', 'C4'] },
    { step: 'bandPass', low: 0.5, order: 4 },
    { step: 'standardise', over: 'channel' },
  ];
  expect(stepsId(steps)).toBe('[1,["pick",["C3","C4"]],["bandPass",0.5,null,4],["standardise","channel"]]');
});

test('standardisation and what follows is for windows, the rest for recordings', () => {
  const pick: SignalStep = { step: 'pick', channels: ['C3'] };
  const standardise: SignalStep = { step: 'standardise', over: 'channel' };
  const clip: SignalStep = { step: 'clip', microvolts: 5 };
  expect(splitSteps([pick, standardise, clip])).toEqual({ recording: [pick], window: [standardise, clip] });
  expect(splitSteps([pick])).toEqual({ recording: [pick], window: [] });
  expect([channelsToRead([pick]), channelsToRead([clip, pick])]).toEqual([['C3'], undefined]);
});

test('a window with its margin has the values of the whole recording to two thousandths of their range', () => {
  const steps: SignalStep[] = [
    { step: 'bandPass', low: 1, high: 40, order: 4 },
    { step: 'resample', hertz: 128 },
  ];
  const samples = 160 * 60;
  const signal = made(samples);
  const whole = applySteps(signal, steps);
  const margin = Math.ceil(marginSeconds(steps, 160)) * 160;
  const from = 160 * 30;
  const part = applySteps(sliceSignal(signal, from - margin, 160 * 4 + 2 * margin), steps);
  const [inWhole, inPart] = [(from * 4) / 5, (margin * 4) / 5];
  for (let i = 0; i < 512; i++)
    expect(Math.abs(part.data[0]![inPart + i]! - whole.data[0]![inWhole + i]!)).toBeLessThan(0.002 * 73);
  expect(marginSeconds([{ step: 'clip', microvolts: 5 }], 160)).toBe(0);
});

test('a recording becomes a signal in microvolts, its alpha where the eyes are closed', async () => {
  const bytes = makeEdf(eyesRecording({ seed: 'steps', seconds: 40, format: 'BDF+C' }));
  const recording = await openEdf(bufferSource(bytes));
  const signal = applySteps(await readSignal(recording, { channels: ['O1', 'T7'] }), [
    { step: 'bandPass', low: 8, high: 12, order: 4 },
  ]);
  expect(signal.channels).toEqual(['O1', 'T7']);
  const power = (from: number): number =>
    mean(signal.data[0]!.subarray(from * 160, (from + 8) * 160).map((v) => v * v));
  expect(power(1)).toBeGreaterThan(20 * power(11));
  await recording.close();
});

test('units are brought to microvolts, and what is no voltage is refused', async () => {
  const valueAt = (): number => 2;
  const signals = [
    { label: 'Cz', samplingRate: 10, unit: 'mV', valueAt, physicalMin: -10, physicalMax: 10 },
    { label: 'Temp', samplingRate: 10, unit: 'degC', valueAt },
    { label: 'Pz', samplingRate: 10, unit: '', valueAt },
    { label: 'Slow', samplingRate: 1, unit: 'uV', valueAt },
  ];
  const recording = await openEdf(bufferSource(makeEdf({ format: 'EDF', seconds: 2, signals })));
  const { data } = await readSignal(recording, { channels: ['Cz'] });
  expect(data[0]![3]).toBeCloseTo(2000, 0);
  await expect(readSignal(recording, { channels: ['Temp'] })).rejects.toThrow(
    'Temp has the unit degC, which is no voltage',
  );
  await expect(readSignal(recording, { channels: ['Pz'] })).rejects.toThrow('Pz has no unit');
  expect((await readSignal(recording, { channels: ['Pz'], blankUnit: 'uV' })).data[0]![3]).toBeCloseTo(2, 1);
  await expect(readSignal(recording)).rejects.toThrow('Cz has 10 Hz, Slow has 1 Hz');
  await expect(readSignal(recording, { channels: ['Oz'] })).rejects.toThrow('no channel Oz');
});

test('a tensor is channel after channel', () => {
  const signal: Signal = {
    channels: ['A', 'B'],
    samplingRate: 1,
    data: [Float64Array.of(1, 2), Float64Array.of(3, 4)],
  };
  expect([...signalTensor(signal)]).toEqual([1, 2, 3, 4]);
  expect([...signalTensor(sliceSignal(signal, 1, 1))]).toEqual([2, 4]);
  expect(() => sliceSignal(signal, 1, 2)).toThrow(RangeError);
});
