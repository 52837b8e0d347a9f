/** What tests of training share: small made-up splits whose rule is known, and a run over them in a second. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeSmallSplit } from '../../fixtures/small_split.js';
import { float32, image, int64, text } from '../io/features.js';
import { type Random, seededRandom } from '../io/random.js';
import '../models/all.js';
import { parseHparams } from '../models/hparams.js';
import { hparamsSet } from '../models/hparams_sets.js';
import { model } from '../models/registry.js';
import type { Split } from '../problems/problem.js';
import type { TrainOptions } from './train_loop.js';

/** A folder that is gone after the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 't2t-train-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Samples of a window, and its rate in Hz. */
const SAMPLES = 64;
const RATE = 64;

/** Windows of two channels; which of them has the stronger rhythm of 10 Hz is the class. Four subjects a split. */
export function writeWindows(
  dataDir: string,
  split: Split,
  count: number,
  change: { readonly broken?: number; readonly labels?: 'shuffled' } = {},
): void {
  const random = seededRandom(`windows/${split}`);
  writeSmallSplit(dataDir, {
    problem: 'small_windows',
    split,
    features: {
      key: text(),
      'eeg/raw': float32([2, SAMPLES]),
      'eeg/sampling_rate': float32(),
      subject: text(),
      label: text(),
      targets: int64(),
    },
    examples: Array.from({ length: count }, (_, i) => {
      const strong = i % 2;
      const window = rhythms(strong, random);
      if (i === change.broken) window[3] = Number.NaN;
      const target = change.labels === 'shuffled' ? random.below(2) : strong;
      return {
        key: `${split}:${i}`,
        'eeg/raw': window,
        'eeg/sampling_rate': RATE,
        subject: `${split} ${i % 4}`,
        label: ['left', 'right'][target]!,
        targets: target,
      };
    }),
  });
}

function rhythms(strong: number, random: Random): Float32Array {
  const phase = 2 * Math.PI * random.next();
  return Float32Array.from({ length: 2 * SAMPLES }, (_, at) => {
    const amplitude = Math.floor(at / SAMPLES) === strong ? 2 : 0.5;
    return (
      amplitude * Math.sin((2 * Math.PI * 10 * (at % SAMPLES)) / RATE + phase) + 0.5 * (random.next() - 0.5)
    );
  });
}

const SIDE = 16;

/** Triplets of pictures of one colour each and some noise: two are red, one is blue, or the other way round. */
export function writeColourTriplets(dataDir: string, split: Split, count: number): void {
  const random = seededRandom(`colours/${split}`);
  const picture = image({ encoding: 'raw', height: SIDE, width: SIDE, channels: 3 });
  writeSmallSplit(dataDir, {
    problem: 'small_triplets',
    split,
    features: {
      key: text(),
      'image/a': picture,
      'image/b': picture,
      'image/c': picture,
      'image/a/identity': text(),
      'image/b/identity': text(),
      'image/c/identity': text(),
      type: text(),
      triplet_code: int64(),
    },
    examples: Array.from({ length: count }, (_, i) => {
      const odd = 1 + random.below(3);
      const rare = random.below(2);
      const [a, b, c] = [1, 2, 3].map((place) => colour(place === odd ? rare : 1 - rare, random)) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      const person = (): string => `${split} ${random.below(12)}`;
      return {
        key: `${split}:${i}`,
        'image/a': a,
        'image/b': b,
        'image/c': c,
        'image/a/identity': person(),
        'image/b/identity': person(),
        'image/c/identity': person(),
        type: i % 2 === 0 ? 'ONE_CLASS_TRIPLET' : 'TWO_CLASS_TRIPLET',
        triplet_code: odd,
      };
    }),
  });
}

function colour(which: number, random: Random): Uint8Array {
  // Of one brightness, so that grey pixels don't tell them apart.
  const [red, green, blue] = which === 0 ? [180, 40, 40] : [40, 90, 160];
  return Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) => {
    const level = [red, green, blue][at % 3] as number;
    return level + random.below(60) - 30;
  });
}

/** A run of a few steps over `small_windows`. @param changes `name=value,…`. */
export function windowsRun(dataDir: string, outputDir: string, changes = ''): TrainOptions {
  const set = hparamsSet('eegnet_tiny');
  return {
    problem: 'small_windows',
    model: model('eegnet'),
    hparamsSet: set.name,
    hparams: parseHparams(
      set.hparams,
      `batch_size=8,train_steps=12,temporal_kernel=8,learning_rate_warmup_steps=2,${changes}`,
    ),
    dataDir,
    outputDir,
    backend: 'wasm',
    evalEvery: 4,
    seed: 3,
  };
}

/** A run of a few steps over `small_triplets`. */
export function tripletsRun(dataDir: string, outputDir: string, changes = ''): TrainOptions {
  const set = hparamsSet('triplet_mobilenet_tiny');
  return {
    problem: 'small_triplets',
    model: model('triplet_mobilenet'),
    hparamsSet: set.name,
    hparams: parseHparams(
      set.hparams,
      `image_size=16,batch_size=4,train_steps=10,learning_rate_warmup_steps=0,${changes}`,
    ),
    dataDir,
    outputDir,
    backend: 'wasm',
    evalEvery: 5,
  };
}

/** Four pictures of each person; the class is the person's place in the list. */
export function writePeople(dataDir: string, split: Split, people: readonly string[]): void {
  const random = seededRandom(`people/${split}`);
  writeSmallSplit(dataDir, {
    problem: 'small_people',
    split,
    features: {
      key: text(),
      image: image({ encoding: 'raw', height: SIDE, width: SIDE, channels: 3 }),
      'image/identity': text(),
      targets: int64(),
    },
    examples: people.flatMap((person, number) =>
      Array.from({ length: 4 }, (_, i) => ({
        key: `${person}:${i}`,
        image: colour(number % 2, random),
        'image/identity': person,
        targets: number,
      })),
    ),
  });
}

/** Pairs of pictures in four folds, of one colour or of two: LFW's form, and no train split. */
export function writeColourPairs(dataDir: string, count: number): void {
  const random = seededRandom('pairs');
  const picture = image({ encoding: 'raw', height: SIDE, width: SIDE, channels: 3 });
  writeSmallSplit(dataDir, {
    problem: 'small_pairs',
    split: 'test',
    features: {
      key: text(),
      'image/a': picture,
      'image/b': picture,
      'image/a/identity': text(),
      'image/b/identity': text(),
      fold: int64(),
      targets: int64(),
    },
    examples: Array.from({ length: count }, (_, i) => {
      const [first, isSame] = [random.below(2), random.below(2)];
      const second = isSame === 1 ? first : 1 - first;
      return {
        key: `pair:${i}`,
        'image/a': colour(first, random),
        'image/b': colour(second, random),
        'image/a/identity': `${first} ${i % 11}`,
        'image/b/identity': `${second} ${i % 11}`,
        fold: 1 + (i % 4),
        targets: isSame,
      };
    }),
  });
}
