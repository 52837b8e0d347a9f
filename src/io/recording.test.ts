import { expect, test } from 'vitest';
import { samplesOfWindow, voltsPerUnit } from './recording.js';

const signal = { label: 'Cz', unit: 'uV', samplingRate: 250, samples: 250 * 30 };
const segment = (onset: number, records: number, fromRecord: number) => ({
  onset,
  duration: records,
  fromRecord,
  records,
  recordSeconds: 1,
});

test('a window is where its onset rounds to, and never past the end of its segment', () => {
  const segments = [segment(0, 10, 0), segment(15, 20, 10)];
  const window = (onset: number, duration: number) => samplesOfWindow(segments, signal, { onset, duration });
  expect(window(0, 10)).toEqual({ fromSample: 0, samples: 2500 });
  expect(window(0.0021, 1)).toEqual({ fromSample: 1, samples: 250 });
  expect(window(-0.0019, 1)).toEqual({ fromSample: 0, samples: 250 });
  expect(window(-0.0021, 1)).toBeUndefined();
  expect(window(9.0021, 1)).toBeUndefined();
  expect(window(9, 7)).toBeUndefined();
  expect(window(34, 1)).toEqual({ fromSample: 29 * 250, samples: 250 });
  expect(samplesOfWindow([], signal, { onset: 0, duration: 1 })).toBeUndefined();
});

test('windows of one duration have one number of samples, wherever they begin', () => {
  const third = { ...signal, samplingRate: 1000 / 3 };
  for (let onset = 0; onset < 9; onset += 0.0137)
    expect(samplesOfWindow([segment(0, 10, 0)], third, { onset, duration: 0.5 })!.samples).toBe(167);
});

test('voltages are told by their units, other things are none', () => {
  const units = ['uV', 'µV', 'μV', 'UV', 'mV', 'V', 'nV', ' uV '];
  expect(units.map(voltsPerUnit)).toEqual([1e-6, 1e-6, 1e-6, 1e-6, 1e-3, 1, 1e-9, 1e-6]);
  for (const unit of ['', 'Boolean', 'DegC', 'uV/Hz', '%', 'kV']) expect(voltsPerUnit(unit)).toBeUndefined();
});
