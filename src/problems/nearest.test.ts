import { expect, test } from 'vitest';
import { didYouMean, nearest } from './nearest.js';

const names = ['fec', 'fec_tiny', 'lfw', 'eeg_sleep_stages', 'eeg_sleep_stages_triplets'];

test('names that are like the word come first, and nothing that is unlike it', () => {
  expect(nearest('fce', names)).toEqual(['fec']);
  expect(nearest('sleep', names)).toEqual(['eeg_sleep_stages', 'eeg_sleep_stages_triplets']);
  expect(nearest('mnist_digits', names)).toEqual([]);
  expect(nearest('', names)).toEqual([]);
});

test('a word like none is answered with all there are', () => {
  expect(didYouMean('mnist_digits', ['lfw', 'fec'])).toBe('there is fec, lfw');
  expect(didYouMean('fecc', names)).toBe('did you mean fec?');
});
