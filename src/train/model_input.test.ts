import { expect, test } from 'vitest';
import { inputNumbers, numberRows, textRows } from './model_input.js';

test('pictures of several sizes become squares from −1 to 1, a grey one in three equal channels', () => {
  const black = { data: new Uint8Array(4 * 4 * 3), shape: [4, 4, 3] };
  const white = { data: new Uint8Array(6 * 8).fill(255), shape: [6, 8, 1] };
  const numbers = inputNumbers({ image: [black, white] }, 'image', [2, 2, 3]);
  expect([...numbers]).toEqual([...new Array<number>(12).fill(-1), ...new Array<number>(12).fill(1)]);
});

test('each pixel is the mean of what it covers', () => {
  const data = Uint8Array.from([0, 255, 0, 255, 255, 0, 255, 0], (value) => value);
  const picture = { data: Uint8Array.from([...data].flatMap((v) => [v, v, v])), shape: [2, 4, 3] };
  const numbers = inputNumbers({ image: [picture] }, 'image', [1, 1, 3]);
  for (const number of numbers) expect(Math.abs(number)).toBeLessThan(0.01);
});

test('a window of another shape is refused with both shapes', () => {
  const batch = { 'eeg/raw': { data: new Float32Array(24), shape: [2, 3, 4] } };
  expect([...inputNumbers(batch, 'eeg/raw', [3, 4, 1])].length).toBe(24);
  expect(() => inputNumbers(batch, 'eeg/raw', [3, 5, 1])).toThrow(
    'eeg/raw is of 3 × 4, but the model takes 3 × 5',
  );
});

test('what is missing or has several numbers is said by name', () => {
  expect(() => numberRows({ targets: { data: new Float64Array(4), shape: [2, 2] } }, 'targets')).toThrow(
    '[2]',
  );
  expect(() => inputNumbers({ image: [undefined] }, 'image', [2, 2, 3])).toThrow('no numbers as image');
  expect(textRows({ key: ['a', undefined] }, 'key')).toEqual(['a', '']);
});
