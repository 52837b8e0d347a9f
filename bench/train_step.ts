/** A step of training on triplets of faces: forward, backward and Adam over the 82,304 weights of `triplet_mobilenet_base`. */

import { createRequire } from 'node:module';
import '../src/models/all.js';
import * as tf from '@tensorflow/tfjs-core';
import { seededRandom } from '../src/io/random.js';
import { ADAM_OPTIONS } from '../src/models/adam.js';
import { type BackendName, openBackend, openNative } from '../src/models/backend.js';
import { forward } from '../src/models/forward.js';
import { hparamsSet } from '../src/models/hparams_sets.js';
import { fecHinges } from '../src/models/losses.js';
import { networkOutput } from '../src/models/model.js';
import { networkWeights } from '../src/models/network.js';
import { model } from '../src/models/registry.js';
import { type LearnerState, lossAndGradients, nextState, startState } from '../src/models/train_step.js';
import { alternate, type BenchFigure, type BenchMissing, figure } from './harness.js';
import { startPython } from './python_lines.js';

const NAME = 'train-step/32-triplets-64px';

interface Batch {
  readonly triplets: number;
  /** Height and width of the pictures. */
  readonly size: number;
}

const USUAL: Batch = { triplets: 32, size: 64 };
/** The `cpu` backend, whose time grows with the batch, takes minutes for the usual one: its rate is that of one triplet. */
const SMALL: Batch = { triplets: 1, size: 64 };

export async function* bench(): AsyncGenerator<BenchFigure | BenchMissing, void, undefined> {
  const usual = stepsOn('wasm', USUAL);
  const medians = await alternate({ ours: usual, theirs: stepsOn('cpu', SMALL) });
  yield figure(NAME, 'cpu backend, 1 a step', 'triplets/s', medians);
  yield* againstNative(usual);
  yield* againstKeras(usual);
}

async function* againstNative(ours: () => Promise<number>): AsyncGenerator<BenchFigure | BenchMissing> {
  const native = await openNative(createRequire(import.meta.url));
  if (native.ok) {
    const medians = await alternate({ ours, theirs: stepsOn('tfjs-node', USUAL) });
    yield figure(NAME, 'tfjs-node', 'triplets/s', medians);
  } else yield { bench: NAME, missing: 'tfjs-node', reason: native.reason };
}

async function* againstKeras(ours: () => Promise<number>): AsyncGenerator<BenchFigure | BenchMissing> {
  const python = startPython(['-c', STEPS_BY_KERAS], { errors: 'ignore' });
  try {
    const first = await python.answer();
    if (first !== 'ready') {
      yield { bench: NAME, missing: 'Keras', reason: 'set T2T_PYTHON to a Python that has tensorflow' };
      return;
    }
    const medians = await alternate({
      ours,
      theirs: async () => {
        python.ask('step');
        return checked(Number(await python.answer()), USUAL);
      },
    });
    yield figure(NAME, 'Keras, 2 threads', 'triplets/s', medians);
  } finally {
    python.process.kill();
  }
}

/** Takes one step after another on a batch of noise, on a backend; gives the number of triplets. */
function stepsOn(backend: BackendName, batch: Batch): () => Promise<number> {
  const { hparams } = hparamsSet('triplet_mobilenet_base');
  const network = model('triplet_mobilenet').build(
    [batch.size, batch.size, 3],
    hparams,
    networkOutput(hparams),
  );
  const specs = networkWeights(network);
  let state: LearnerState | undefined;
  let pictures: tf.Tensor | undefined;
  return async () => {
    await openBackend({ prefer: backend });
    state ??= startState(specs, 1);
    pictures ??= noise([3 * batch.triplets, batch.size, batch.size, 3]);
    const x = pictures;
    const moments = new Map();
    const { loss, gradients } = lossAndGradients(specs, state.weights, (weights) => {
      const embeddings = forward(network, weights, x, { random: seededRandom('bench'), moments });
      const [a, b, c] = tf.split(embeddings, 3) as [tf.Tensor, tf.Tensor, tf.Tensor];
      return fecHinges({ a, b, c }, tf.fill([batch.triplets], hparams.margin));
    });
    state = nextState(network, specs, state, { gradients, moments, options: ADAM_OPTIONS });
    const [value] = await loss.data();
    loss.dispose();
    return checked(value as number, batch);
  };
}

function noise(shape: readonly number[]): tf.Tensor {
  const random = seededRandom('noise');
  const count = shape.reduce((product, size) => product * size, 1);
  return tf.tensor(
    Float32Array.from({ length: count }, () => 2 * random.next() - 1),
    [...shape],
  );
}

/** A loss that is no number would mean that a contender did not do the work. */
function checked(loss: number, { triplets }: Batch): number {
  if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
  return triplets;
}

/** The same network, loss and optimizer; a line in is a step, a line out its loss. */
const STEPS_BY_KERAS = `
import sys
try:
    import tensorflow as tf
except ImportError:
    print("absent", flush=True)
    sys.exit()
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.config.threading.set_inter_op_parallelism_threads(2)
layers = tf.keras.layers
def normalised(x):
    return layers.ReLU()(layers.BatchNormalization()(x))
inputs = tf.keras.Input((64, 64, 3))
x = normalised(layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False)(inputs))
for filters, strides in [(64, 1), (128, 2), (128, 1), (256, 2)]:
    x = normalised(layers.SeparableConv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x))
x = layers.Dense(64)(layers.GlobalAveragePooling2D()(x))
model = tf.keras.Model(inputs, x)
assert model.count_params() == 82304
adam = tf.keras.optimizers.Adam(1e-3)
pictures = tf.random.uniform((96, 64, 64, 3), -1, 1)
@tf.function
def step():
    with tf.GradientTape() as tape:
        a, b, c = tf.split(tf.math.l2_normalize(model(pictures, training=True), 1), 3)
        d = lambda p, q: tf.reduce_sum(tf.math.squared_difference(p, q), 1)
        near = d(a, b)
        loss = tf.reduce_mean(tf.nn.relu(near - d(a, c) + 0.2) + tf.nn.relu(near - d(b, c) + 0.2))
    adam.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return loss
print("ready", flush=True)
for line in sys.stdin:
    print(float(step()), flush=True)
`;
