/** What becomes of an example on its way to a model: augmentations of each Problem, in training alone. */

import { describe, expect, it } from 'vitest';
import { seededRandom } from '../io/random.js';
import './all.js';
import { floats } from './augmentations.test.helper.js';
import type { DecodedExample, Tensor } from './decoded.js';
import { problem, problemNames } from './registry.js';
import { TripletProblem } from './triplet.js';

/** Every picture and window that a Problem has, of small sizes; other features are left out. */
function exampleOf(name: string): DecodedExample {
  const { features } = problem(name);
  const values = Object.entries(features).flatMap(([feature, { kind, shape }]): [string, Tensor][] => {
    if (kind === 'image')
      return [
        [feature, { data: Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => i % 251), shape: [16, 16, 3] }],
      ];
    if (kind !== 'float32' || shape.length !== 2 || feature.endsWith('positions')) return [];
    return [
      [
        feature,
        floats(
          [4, 200],
          Array.from({ length: 800 }, (_, i) => Math.sin(i)),
        ),
      ],
    ];
  });
  return { key: 'train:1', targets: { data: Float64Array.of(1), shape: [] }, ...Object.fromEntries(values) };
}

describe.each(problemNames().filter((name) => name !== 'eeg_folder'))('%s', (name) => {
  const { splits } = problem(name);

  it('augments in train as its seed says, and labels never', () => {
    const example = exampleOf(name);
    const augmented = (seed: string) => problem(name).preprocessExample(example, 'train', seededRandom(seed));
    expect(augmented('1')).toEqual(augmented('1'));
    const { key, targets } = augmented('1');
    expect({ key, targets }).toEqual({ key: 'train:1', targets: example.targets });
    const hasTrain = splits.includes('train');
    if (hasTrain) expect(augmented('1')).not.toEqual(augmented('2'));
  });

  it('leaves examples as they are in eval and predict', () => {
    const example = exampleOf(name);
    for (const mode of ['eval', 'predict'] as const)
      expect(problem(name).preprocessExample(example, mode, seededRandom('1'))).toBe(example);
  });
});

describe('a Problem', () => {
  it('that declares none has no augmentations', () => {
    expect(problem('lfw').augmentations).toEqual([]);
    expect(
      TripletProblem.prototype.preprocessExample.call({ augmentations: [] }, {}, 'train', seededRandom('')),
    ).toEqual({});
  });

  it('over triplets by label augments windows as the Problem whose windows they are', () => {
    expect(problem('eeg_seizure_triplets').augmentations).toHaveLength(
      problem('eeg_seizure').augmentations.length,
    );
  });

  it('applies its augmentations one after the other', () => {
    const twice = Object.create(problem('fec_tiny'), {
      augmentations: {
        value: [
          (example: DecodedExample) => ({ ...example, trace: `${example.trace ?? ''}a` }),
          (example: DecodedExample) => ({ ...example, trace: `${example.trace ?? ''}b` }),
        ],
      },
    }) as ReturnType<typeof problem>;
    expect(twice.preprocessExample({}, 'train', seededRandom(''))).toEqual({ trace: 'ab' });
  });
});
