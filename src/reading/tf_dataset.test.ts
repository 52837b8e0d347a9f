/** Batches in TensorFlow.js: values, types, memory, errors, and a model that learns from them. */

import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Batch, collate } from './collate.js';
import { asTfDataset } from './tf_dataset.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function examplesOf(start: number) {
  return [0, 1].map((i) => ({
    key: `train:${start + i}`,
    image: { data: Uint8Array.of(0, 51, 255, start + i), shape: [2, 2, 1] },
    'image/mask': { data: Uint8Array.of(0, 1), shape: [1, 2] },
    'eeg/raw': { data: Float32Array.of(0.5, -1.5, start + i), shape: [1, 3] },
    ragged: { data: Float32Array.from({ length: i + 1 }, () => i), shape: [i + 1] },
    names: ['C3', 'C4'].slice(i),
    bytes: Uint8Array.of(0, 255, i),
    absent: i === 0 ? undefined : { data: Float32Array.of(1), shape: [] },
    targets: { data: Float64Array.of(start + i), shape: [] },
  }));
}

/** Two batches, each time it is iterated. */
const BATCHES: AsyncIterable<Batch> = {
  async *[Symbol.asyncIterator]() {
    for (const start of [1, 3]) yield collate(examplesOf(start));
  },
};

type Elements = Record<string, tf.Tensor | (tf.Tensor | undefined)[]>;

async function first(options: Parameters<typeof asTfDataset>[2] = {}): Promise<Elements> {
  const [batch] = await asTfDataset(tf, BATCHES, options).take(1).toArray();
  return batch as Elements;
}

function one(batch: Elements, name: string): tf.Tensor {
  const value = batch[name];
  if (!(value instanceof tf.Tensor)) throw new Error(`${name} is no tensor`);
  return value;
}

describe('a dataset of TensorFlow.js', () => {
  it('has pictures from 0 to 1, windows as they are, labels as int32, texts and bytes as strings', async () => {
    const batch = await first();
    const described = Object.fromEntries(
      Object.keys(batch)
        .filter((name) => batch[name] instanceof tf.Tensor)
        .map((name) => [name, `${one(batch, name).dtype} ${one(batch, name).shape.join()}`]),
    );
    expect(described).toEqual({
      key: 'string 2',
      image: 'float32 2,2,2,1',
      'image/mask': 'int32 2,1,2',
      'eeg/raw': 'float32 2,1,3',
      bytes: 'string 2',
      targets: 'int32 2',
    });
    expect([...one(batch, 'image').dataSync()].slice(0, 3)).toEqual([0, Math.fround(0.2), 1]);
    expect([...one(batch, 'eeg/raw').dataSync()]).toEqual([0.5, -1.5, 1, 0.5, -1.5, 2]);
    expect([...one(batch, 'targets').dataSync()]).toEqual([1, 2]);
    expect(one(batch, 'key').dataSync()).toEqual(['train:1', 'train:2']);
    expect(await one(batch, 'bytes').bytes()).toEqual([Uint8Array.of(0, 255, 0), Uint8Array.of(0, 255, 1)]);
    expect([...one(batch, 'image/mask').dataSync()]).toEqual([0, 1, 0, 1]);
    tf.dispose(batch as tf.TensorContainer);
  });

  it('has lists, a tensor an example, of what differs in size, and nothing of what is missing', async () => {
    const batch = await first();
    const [ragged, names, absent] = ['ragged', 'names', 'absent'].map(
      (name) => batch[name] as (tf.Tensor | undefined)[],
    );
    expect(ragged?.map((each) => [...(each as tf.Tensor).dataSync()])).toEqual([[0], [1, 1]]);
    expect(names?.map((each) => each?.dataSync())).toEqual([['C3', 'C4'], ['C4']]);
    expect(absent?.map((each) => each && [...each.dataSync()])).toEqual([undefined, [1]]);
    tf.dispose(batch as tf.TensorContainer);
  });

  it('has pictures as bytes, and some features alone, where that is asked for', async () => {
    const batch = await first({ pictures: 'int32', features: ['image'] });
    expect(Object.keys(batch)).toEqual(['image']);
    expect(one(batch, 'image').dtype).toBe('int32');
    expect([...one(batch, 'image').dataSync()]).toEqual([0, 51, 255, 1, 0, 51, 255, 2]);
    tf.dispose(batch as tf.TensorContainer);
  });

  it('begins anew with each iteration, and leaves no tensor behind', async () => {
    const dataset = asTfDataset(tf, BATCHES);
    const before = tf.memory();
    for (let epoch = 0; epoch < 3; epoch++) {
      const seen: number[] = [];
      await dataset.forEachAsync((batch) => {
        seen.push(...one(batch as Elements, 'targets').dataSync());
      });
      expect(seen).toEqual([1, 2, 3, 4]);
    }
    const means = await dataset.map((batch) => one(batch as Elements, 'eeg/raw').mean()).toArray();
    expect(means).toHaveLength(2);
    tf.dispose(means as tf.Tensor[]);
    expect(tf.memory()).toMatchObject({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
    });
  });

  it('passes on what the batches throw, and what of them can’t be a tensor, without leaving tensors', async () => {
    const failure = new Error('record 7 of a shard is damaged');
    const failing: AsyncIterable<Batch> = {
      async *[Symbol.asyncIterator]() {
        yield collate(examplesOf(1));
        throw failure;
      },
    };
    const before = tf.memory().numTensors;
    await expect(asTfDataset(tf, failing).forEachAsync(() => {})).rejects.toBe(failure);
    const large = { targets: { data: Float64Array.of(2 ** 31), shape: [1] } };
    const tooLarge: AsyncIterable<Batch> = {
      async *[Symbol.asyncIterator]() {
        yield { ...collate(examplesOf(1)), ...large };
      },
    };
    await expect(asTfDataset(tf, tooLarge).forEachAsync(() => {})).rejects.toThrow(
      '2147483648 of targets does not fit int32',
    );
    await expect(
      asTfDataset(tf, BATCHES, { features: ['image', 'label'] }).forEachAsync(() => {}),
    ).rejects.toThrow('no feature "label"');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('trains a model by fitDataset, epoch after epoch', async () => {
    // The label is whether the first sample of a window is above 0.
    const batches: AsyncIterable<Batch> = {
      async *[Symbol.asyncIterator]() {
        for (let start = 0; start < 64; start += 16)
          yield collate(
            Array.from({ length: 16 }, (_, i) => {
              const value = Math.sin((start + i) * 2.4);
              return {
                'eeg/raw': { data: Float32Array.of(value, Math.cos(start + i)), shape: [1, 2] },
                targets: { data: Float64Array.of(value > 0 ? 1 : 0), shape: [1] },
              };
            }),
          );
      },
    };
    const model = tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [1, 2] }),
        tf.layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer: 'zeros' }),
      ],
    });
    model.compile({ optimizer: tf.train.sgd(2), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const dataset = asTfDataset(tf, batches).map((batch) => {
      const { 'eeg/raw': xs, targets: ys } = batch as tf.TensorContainerObject;
      return { xs, ys } as tf.TensorContainerObject;
    });
    await model.fitDataset(dataset, { epochs: 1, verbose: 0 });
    const before = tf.memory().numTensors;
    const { history } = await model.fitDataset(dataset, { epochs: 10, verbose: 0 });
    expect(tf.memory().numTensors).toBe(before);
    expect(history.acc?.at(-1)).toBeGreaterThan(0.95);
    const losses = history.loss as number[];
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2);
    model.dispose();
  });
});
