/** Python that reads what was written, made from the features: what `example_reading_spec` is in tensor2tensor. */

import type { Feature, Features, ImageFormat } from './features.js';
import { tfdsVersion } from './tfds_features.js';

/** What the program is for. */
export interface ReadInPython {
  /** The Problem's name, with which its shards' names begin. */
  readonly name: string;
  readonly version: string;
  readonly features: Features;
}

/**
 * A Python module of one function a framework, each of which imports its framework alone; `DATA_DIR`, from the environment,
 * is the data folder. It runs as it is, and each function may be copied out of it together with `shards`.
 */
export function pythonReader(of: ReadInPython): string {
  return [head(of), tensorFlow(of), tfds(of), torch(of), webDataset(of)].join('\n\n\n').concat('\n');
}

function head({ name }: ReadInPython): string {
  return `"""Reads the examples of ${name}. DATA_DIR is the folder that datagen wrote; each function needs its own framework only."""

import glob
import os

DATA_DIR = os.environ.get("DATA_DIR", "data")


def shards(split):
    files = sorted(glob.glob(glob.escape(os.path.join(DATA_DIR, f"${name}-{split}")) + "-?????-of-?????"))
    if not files:
        raise FileNotFoundError(f"{DATA_DIR} holds no {split} split of ${name}")
    return files`;
}

function tensorFlow({ features }: ReadInPython): string {
  const entries = Object.entries(features);
  const spec = entries.map(([name, feature]) => `        ${quoted(name)}: ${specOf(feature)},`);
  const decoded = entries.flatMap(([name, { image, optional }]) =>
    image === undefined || optional ? [] : [`            ${decodeLine(quoted(name), image)}`],
  );
  const hasDecoded = decoded.length > 0;
  const parsed = 'tf.io.parse_single_example(record, spec)';
  const body = [
    `def tensorflow_dataset(split="train"${hasDecoded ? ', decode=True' : ''}):`,
    '    """What an example may lack has a dimension more: one row, or none where it is missing."""',
    '    import tensorflow as tf',
    '',
    '    spec = {',
    ...spec,
    '    }',
    '',
    '    def parse(record):',
    ...(hasDecoded
      ? [`        example = ${parsed}`, '        if decode:', ...decoded, '        return example']
      : [`        return ${parsed}`]),
    '',
    '    return tf.data.TFRecordDataset(shards(split)).map(parse, tf.data.AUTOTUNE)',
  ];
  return body.join('\n');
}

function specOf({ kind, shape, optional }: Feature): string {
  const dtype = `tf.${kind === 'int64' || kind === 'float32' ? kind : 'string'}`;
  const isAny = shape[0] === null;
  const sizes = `[${(isAny ? shape.slice(1) : shape).join(', ')}]`;
  return optional || isAny
    ? `tf.io.FixedLenSequenceFeature(${sizes}, ${dtype}, allow_missing=True)`
    : `tf.io.FixedLenFeature(${sizes}, ${dtype})`;
}

function decodeLine(name: string, { encoding, height, width, channels }: ImageFormat): string {
  const sizes = `[${[height, width, channels].map((size) => size ?? 'None').join(', ')}]`;
  const bytes = `example[${name}]`;
  if (encoding === 'raw') return `${bytes} = tf.reshape(tf.io.decode_raw(${bytes}, tf.uint8), ${sizes})`;
  return `${bytes} = tf.ensure_shape(tf.io.decode_${encoding}(${bytes}, channels=${channels ?? 0}), ${sizes})`;
}

function tfds({ name, version }: ReadInPython): string {
  return `def tfds_dataset(split="train"):
    """Decoded. What an example may lack is the smallest number of its type, or an empty text, where it is missing."""
    import tensorflow_datasets as tfds

    return tfds.builder_from_directory(f"{DATA_DIR}/${name}/${tfdsVersion(version)}").as_dataset(split=split)`;
}

function torch({ features }: ReadInPython): string {
  const shapes = Object.entries(features).map(
    ([name, { shape }]) => `    ${quoted(name)}: [${shape.map((size) => size ?? -1).join(', ')}],`,
  );
  return `SHAPES = {
${shapes.join('\n')}
}


class Records:
    """Any record of a split at once, found by the .idx files; images and texts are bytes, and what it
    lacks is None. Needs NumPy and tfrecord, which can't be in one process with TensorFlow."""

    def __init__(self, split="train"):
        self.places = [(file, *map(int, line.split())) for file in shards(split) for line in open(file + ".idx")]

    def __len__(self):
        return len(self.places)

    def __getitem__(self, number):
        from tfrecord.example_pb2 import Example

        file, offset, length = self.places[number]
        with open(file, "rb") as shard:
            shard.seek(offset + 12)  # past its length and a checksum of 4 bytes; another such ends the record
            features = Example.FromString(shard.read(length - 16)).features.feature
        return {name: to_numpy(features[name], shape) if name in features else None for name, shape in SHAPES.items()}


def to_numpy(feature, shape):
    import numpy as np

    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else []
    if kind is None or (len(values) == 0 and shape[:1] != [-1]):
        return None
    if kind == "bytes_list":
        return list(values) if shape else values[0]
    return np.array(values, {"int64_list": np.int64, "float_list": np.float32}[kind]).reshape(shape)


def torch_loader(split="train", **options):
    """Lists of examples. A global shuffle: torch_loader(batch_size=32, shuffle=True, num_workers=4)."""
    import torch

    return torch.utils.data.DataLoader(Records(split), collate_fn=list, **options)`;
}

function webDataset({ name }: ReadInPython): string {
  return `def webdataset_dataset(split="train"):
    """After \`t2t-ts convert DATA_DIR ${name} --to webdataset --out WEBDATASET_DIR\`."""
    import webdataset as wds

    folder = os.environ.get("WEBDATASET_DIR", DATA_DIR)
    files = sorted(glob.glob(glob.escape(os.path.join(folder, f"${name}-{split}")) + "-*.tar"))
    return wds.WebDataset(files, shardshuffle=False).decode("rgb8")`;
}

/** A string literal that Python reads as JavaScript does. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
