import { expect, test } from 'vitest';
import './all.js';
import { featureMeanings } from './feature_meanings.js';
import { problem, problemNames } from './registry.js';

test('all features of the Problems that come with the program have a meaning', () => {
  const without = problemNames().flatMap((name) => {
    const { features } = problem(name);
    const meanings = featureMeanings({ name, features });
    return Object.keys(features).filter((feature) => !meanings.has(feature));
  });
  expect(without).toEqual([]);
});

test('what is to be learned is told apart by the features beside it', () => {
  const targets = (name: string): string | undefined => featureMeanings(problem(name)).get('targets');
  expect(targets('vggface2')).toMatch(/odd one out/);
  expect(targets('eeg_seizure_triplets')).toMatch(/odd one out/);
  expect(targets('lfw')).toMatch(/same person/);
  expect(targets('vggface2_identities')).toMatch(/class/);
  expect(targets('deap')).toMatch(/valence/);
});

test('features of a Problem that is not registered mean nothing, whatever they are called', () => {
  const { features } = problem('fec');
  expect(featureMeanings({ name: 'of_others', features }).size).toBe(0);
});
