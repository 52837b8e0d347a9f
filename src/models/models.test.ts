/** The models: what they take and give, how large they are, and that they learn. */

import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { float32, image, int64, text } from '../io/features.js';
import { seededRandom } from '../io/random.js';
import './all.js';
import '../problems/all.js';
import { problem, problemNames } from '../problems/registry.js';
import { ADAM_OPTIONS, ADAM_START, adamStep } from './adam.js';
import { type BatchMoments, forward } from './forward.js';
import { expectClose, numbers, on, someNumbers } from './gradients.test.helper.js';
import { hparams, parseHparams } from './hparams.js';
import { hparamsSet, hparamsSetFor } from './hparams_sets.js';
import { crossEntropy } from './losses.js';
import { modelInputs, networkOutput } from './model.js';
import { countWeights, type Network, NetworkBuilder, networkWeights, outputShape } from './network.js';
import { model, modelNames, registerModel } from './registry.js';
import { disposeState, lossAndGradients, nextState, startState } from './train_step.js';
import { disposeWeights, initialValues, initialWeights, withinMaxNorm } from './weights.js';

/** What each takes, small. */
const SHAPES = { image: [32, 32, 3], windows: [4, 96, 1] } as const;

function small(name: string, loss: 'soft_margin' | 'cross_entropy'): Network {
  const set = parseHparams(hparamsSet(`${name}_tiny`).hparams, `loss=${loss},embedding_size=5`);
  const shape = SHAPES[model(name).takes[0]!];
  return model(name).build(shape, set, networkOutput(set, 3));
}

function batchOf(network: Network, count: number): tf.Tensor {
  const shape = [count, ...network.inputShape];
  return tf.tensor(
    someNumbers(
      shape.reduce((a, b) => a * b, 1),
      'batch',
    ),
    shape,
  );
}

describe('the registry', () => {
  test('names the models, and suggests a near one', () => {
    expect(modelNames()).toEqual([
      'eegnet',
      'linear_probe',
      'shallow_convnet',
      'triplet_mobilenet',
      'triplet_resnet',
    ]);
    expect(() => model('eggnet')).toThrow('did you mean eegnet');
    expect(() => registerModel({ ...model('eegnet') })).toThrow('two models are called eegnet');
    expect(() => registerModel({ ...model('eegnet'), name: 'EEG-Net' })).toThrow('snake_case');
  });

  test('has a paper for each, and a year in it', () => {
    for (const name of modelNames()) expect(model(name).paper).toMatch(/ (19|20)\d\d\.$/);
  });
});

describe('sizes', () => {
  test('triplet_mobilenet_base at 64 × 64 has 82,304 weights', () => {
    const set = hparamsSet('triplet_mobilenet_base').hparams;
    const network = model('triplet_mobilenet').build([64, 64, 3], set, networkOutput(set));
    expect(countWeights(network)).toBe(82_304);
    expect(outputShape(network)).toEqual([64]);
  });

  test("eegnet has the weights of the paper's table", () => {
    const [channels, samples, classes, f1, d, f2] = [64, 256, 4, 8, 2, 16];
    const set = hparamsSet('eegnet_base').hparams;
    const network = model('eegnet').build([channels, samples, 1], set, networkOutput(set, classes));
    const norms = 4 * (f1 + d * f1 + f2);
    const table =
      64 * f1 + channels * d * f1 + (16 * d * f1 + f2 * d * f1) + (f2 * (samples / 32) * classes + classes);
    expect(countWeights(network)).toBe(table + norms);
  });

  test('triplet_resnet has two convolutions a block and a projection where the size changes', () => {
    const set = parseHparams(hparamsSet('triplet_resnet_base').hparams, 'width=16');
    const network = model('triplet_resnet').build([64, 64, 3], set, networkOutput(set));
    const convolutions = network.nodes.filter(({ layer }) => layer.op === 'conv2d');
    expect(convolutions.length).toBe(1 + 4 * 2 * 2 + 3);
    expect(network.nodes.filter(({ layer }) => layer.op === 'add').length).toBe(8);
  });

  test('a window that is too short is said to be, with what is needed', () => {
    const set = hparamsSet('shallow_convnet_base').hparams;
    const output = networkOutput(set, 2);
    expect(() => model('shallow_convnet').build([3, 40, 1], set, output)).toThrow('it needs 47 or more');
    expect(() => model('eegnet').build([3, 31, 1], set, output)).toThrow('too short for eegnet');
  });
});

describe.for(['triplet_mobilenet', 'triplet_resnet', 'eegnet', 'shallow_convnet', 'linear_probe'])(
  '%s',
  (name) => {
    test('gives embeddings of length 1, and logits, the same on wasm and cpu to 1e-4', async () => {
      for (const loss of ['soft_margin', 'cross_entropy'] as const) {
        const network = small(name, loss);
        const run = () =>
          tf.tidy(() => {
            const weights = initialWeights(networkWeights(network), 7);
            const output = forward(network, weights, batchOf(network, 3));
            disposeWeights(weights);
            return { shape: output.shape, values: numbers(output) };
          });
        const ours = await on('wasm', run);
        const theirs = await on('cpu', run);
        expectClose(ours.values, theirs.values, 1e-4);
        expect(ours.shape).toEqual([3, loss === 'cross_entropy' ? 3 : 5]);
        if (loss === 'soft_margin') {
          const length = Math.hypot(...ours.values.slice(0, 5));
          expect(length).toBeCloseTo(1, 5);
        }
      }
    });

    test('learns a batch, with the same losses each time, and leaves no tensor behind', async () => {
      const [first, second] = await on('wasm', () => {
        const held = (): number[] => [tf.memory().numTensors, tf.backend().numDataIds()];
        const before = held();
        const curves = [losses(small(name, 'cross_entropy'), 12), losses(small(name, 'cross_entropy'), 12)];
        expect(held()).toEqual(before);
        return curves as [number[], number[]];
      });
      expect(second).toEqual(first);
      expect(first.at(-1)!).toBeLessThan(0.8 * first[0]!);
    });
  },
);

/** The losses of so many steps on one batch of six in three classes. */
function losses(network: Network, steps: number): number[] {
  const specs = networkWeights(network);
  let state = startState(specs, 1);
  const x = batchOf(network, 6);
  const labels = tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32');
  const options = { ...ADAM_OPTIONS, learningRate: 0.01 };
  const curve: number[] = [];
  for (let step = 0; step < steps; step++) {
    const moments: BatchMoments = new Map();
    const training = { random: seededRandom(`${step}`), moments };
    const { loss, gradients } = lossAndGradients(specs, state.weights, (weights) =>
      crossEntropy(forward(network, weights, x, training), labels),
    );
    state = nextState(network, specs, state, { gradients, moments, options });
    curve.push(numbers(loss)[0]!);
    loss.dispose();
  }
  disposeState(state);
  tf.dispose([x, labels]);
  return curve;
}

describe('weights', () => {
  test('depend on the seed and their own name alone', () => {
    const [one, other] = networkWeights(small('triplet_mobilenet', 'soft_margin'));
    expect(initialValues(one!, 1)).toEqual(initialValues(one!, 1));
    expect(initialValues(one!, 1)).not.toEqual(initialValues(one!, 2));
    expect(initialValues({ ...one!, name: other!.name }, 1)).not.toEqual(initialValues(one!, 1));
  });

  test("have the variance of He's and the bounds of Glorot's initialisers", () => {
    const spec = { name: 'w', shape: [100, 200], fan: [100, 200], trainable: true } as const;
    const he = initialValues({ ...spec, initialiser: 'heNormal' }, 1);
    const variance = he.reduce((sum, value) => sum + value * value, 0) / he.length;
    expect(Math.abs(variance / (2 / 100) - 1)).toBeLessThan(0.05);
    const glorot = initialValues({ ...spec, initialiser: 'glorotUniform' }, 1);
    expect(Math.max(...glorot.map(Math.abs))).toBeLessThanOrEqual(Math.fround(Math.sqrt(6 / 300)));
  });

  test('are cut to the length that their layer allows, output by output', async () => {
    const shortened = await on('wasm', () =>
      tf.tidy(() => {
        const spec = networkWeights(small('eegnet', 'cross_entropy')).find(({ maxNorm }) => maxNorm === 1)!;
        return numbers(withinMaxNorm(spec, tf.tensor4d([3, 0.3, 4, 0.4], [2, 1, 1, 2])));
      }),
    );
    expectClose(shortened, [0.6, 0.3, 0.8, 0.4], 1e-6);
  });

  test('shrink by weight decay where they are kernels, and not where they are biases', async () => {
    const [kernel, bias] = await on('wasm', () =>
      tf.tidy(() => {
        const weights = new Map<string, tf.Tensor>([
          ['k', tf.ones([1, 1])],
          ['b', tf.ones([1])],
        ]);
        const gradients = new Map<string, tf.Tensor>([
          ['k', tf.zeros([1, 1])],
          ['b', tf.zeros([1])],
        ]);
        const { weights: next, state } = adamStep(weights, gradients, ADAM_START, {
          ...ADAM_OPTIONS,
          learningRate: 0.1,
          weightDecay: 0.5,
        });
        const values = ['k', 'b'].map((name) => numbers(next.get(name)!)[0]);
        for (const kept of [next, state.first, state.second]) disposeWeights(kept);
        return values;
      }),
    );
    expect(kernel).toBeCloseTo(0.95, 6);
    expect(bias).toBe(1);
  });
});

describe("a model's inputs", () => {
  const of = (name: string, set = hparamsSetFor(name)!) =>
    modelInputs(model(set.model), { problem: name, features: problem(name).features, hparams: set.hparams });

  test('are found in every Problem that has a set, but where channels are left open', () => {
    for (const name of problemNames()) {
      const set = hparamsSetFor(name);
      if (set === undefined) continue;
      if (['eeg_folder', 'eeg_seizure', 'eeg_seizure_triplets'].includes(name)) continue;
      expect(of(name).shape.length, name).toBe(3);
    }
    expect(of('fec')).toEqual({
      kind: 'image',
      names: ['image/a', 'image/b', 'image/c'],
      target: 'triplet_code',
      shape: [64, 64, 3],
    });
    expect(of('eeg_motor_imagery')).toEqual({
      kind: 'windows',
      names: ['eeg/raw'],
      target: 'targets',
      shape: [64, 640, 1],
    });
  });

  test('that a model does not take are refused', () => {
    expect(() => of('fec', hparamsSet('eegnet_base'))).toThrow(
      'eegnet takes windows, but fec has image (feature image/a)',
    );
    expect(() => of('eeg_motor_imagery', hparamsSet('triplet_resnet_base'))).toThrow('takes image');
    expect(() => of('eeg_folder')).toThrow('may have any number of channels');
    expect(() => of('lfw', hparamsSet('triplet_resnet_base'))).toThrow(
      'lfw has nothing that a model learns from',
    );
  });

  test('are refused by a loss that needs others', () => {
    const inputs = (loss: string, features: Parameters<typeof modelInputs>[1]['features']) =>
      modelInputs(model('triplet_mobilenet'), {
        problem: 'mine',
        features,
        hparams: parseHparams(hparams(), `loss=${loss}`),
      });
    const single = { key: text(), image: image(), targets: int64() };
    const triplet = { 'image/a': image(), 'image/b': image(), 'image/c': image(), triplet_code: int64() };
    expect(() => inputs('fec_hinges', single)).toThrow(
      'fec_hinges needs triplets, but mine has single examples',
    );
    expect(() => inputs('semi_hard', triplet)).toThrow(
      'semi_hard needs labelled examples, but mine has triplets',
    );
    expect(() => inputs('cross_entropy', triplet)).toThrow('needs labelled examples');
    expect(() => inputs('semi_hard', { image: image() })).toThrow(
      'mine has no triplet_code or targets to learn',
    );
    expect(() => inputs('semi_hard', { other: float32() })).toThrow('nothing that a model learns from');
    expect(inputs('semi_hard', single).names).toEqual(['image']);
  });
});

describe('building a network', () => {
  test('refuses layers that leave nothing or do not suit', () => {
    const net = new NetworkBuilder([4, 4, 2]);
    const pool = { op: 'maxPool', kernel: [5, 1], strides: [1, 1], padding: 'valid' } as const;
    expect(() => net.apply(net.input, pool)).toThrow('maxPool_1 leaves nothing of [4, 4, 2]');
    expect(() => net.apply(net.input, { op: 'dense', units: 3 })).toThrow('dense takes a vector');
    const flat = net.apply(net.input, { op: 'flatten' });
    expect(() => net.apply(flat, pool)).toThrow("can't slide");
    expect(() => net.apply([net.input, flat], { op: 'add' })).toThrow('two of one shape');
  });
});
