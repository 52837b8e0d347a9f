import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { UserError } from '../io/errors.js';
import { bytes, featuresToJson, float32, image, int64, optional, text } from '../io/features.js';
import { featuresFromTfds, isTfdsFeatures } from '../io/features_from_tfds.js';
import { readFeatureSpec } from './feature_spec.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-spec-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function specOf(content: unknown): ReturnType<typeof readFeatureSpec> {
  const path = join(folder, 'spec.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return readFeatureSpec(path);
}

const FEATURES = {
  label: int64(),
  window: float32([null, 3]),
  words: optional(text([null])),
  picture: image(),
};

test('features are read from a list of them and from a manifest', () => {
  expect(specOf(featuresToJson(FEATURES))).toEqual(FEATURES);
  expect(specOf({ format: 't2t-ts manifest 1', features: featuresToJson(FEATURES) })).toEqual(FEATURES);
  // What `--infer --json` prints.
  expect(specOf({ features: featuresToJson(FEATURES), records: 3, notes: [] })).toEqual(FEATURES);
});

/** As TFDS writes them: `member` says what is particular to the class. */
function tfds(className: string, member: object): object {
  return { pythonClassName: `tensorflow_datasets.core.features.${className}`, ...member };
}
const tensor = (dtype: string, dimensions?: string[], more: object = {}): object =>
  tfds('tensor_feature.Tensor', {
    tensor: { shape: dimensions ? { dimensions } : {}, dtype, encoding: 'none', ...more },
  });
const dictionary = (features: object): object =>
  tfds('features_dict.FeaturesDict', { featuresDict: { features } });
const sequence = (feature: object, length = '-1'): object =>
  tfds('sequence_feature.Sequence', { sequence: { feature, length } });

test('TFDS’s features are read as its serialiser stores them', () => {
  const box = tfds('bounding_boxes.BBoxFeature', {
    boundingBox: { shape: { dimensions: ['4'] }, dtype: 'float32', bboxFormat: 'REL_YXYX' },
  });
  const photo = (about: object): object =>
    tfds('image_feature.Image', { image: { dtype: 'uint8', ...about } });
  const json = dictionary({
    image: photo({ shape: { dimensions: ['-1', '-1', '3'] }, encodingFormat: 'jpeg' }),
    digit: photo({ shape: { dimensions: ['28', '28', '1'] } }),
    pixels: tensor('uint8', ['2', '2', '3'], { encoding: 'bytes' }),
    packed: tensor('float32', ['3'], { encoding: 'zlib' }),
    label: tfds('class_label_feature.ClassLabel', { classLabel: { numClasses: '2' } }),
    text: tfds('text_feature.Text', { text: {} }),
    x: tensor('float64', ['3', '4']),
    y: tensor('bfloat16', ['-1', '4']),
    flag: tensor('bool'),
    small: tensor('uint8', ['5']),
    raw: tensor('string'),
    maybe: tensor('int64', undefined, { optional: true }),
    box,
    votes: sequence(tensor('int64')),
    pairs: sequence(tensor('float32', ['2']), '3'),
    objects: sequence(dictionary({ box, id: tensor('int64') })),
    nested: dictionary({ a: tensor('int32'), b: dictionary({ c: tfds('text_feature.Text', { text: {} }) }) }),
    audio: tfds('audio_feature.Audio', {
      audio: { shape: { dimensions: ['-1'] }, dtype: 'int64', encoding: 'NONE' },
    }),
    video: tfds('video_feature.Video', {
      video: { shape: { dimensions: ['-1', '8', '8', '3'] }, dtype: 'uint8' },
    }),
    captions: sequence(tfds('text_feature.Text', { text: {} })),
  });
  expect(specOf(json)).toEqual({
    image: image({ channels: 3 }),
    digit: image({ encoding: 'png', height: 28, width: 28, channels: 1 }),
    pixels: image({ encoding: 'raw', height: 2, width: 2, channels: 3 }),
    packed: bytes(),
    label: int64(),
    text: text(),
    x: float32([3, 4]),
    y: float32([null, 4]),
    flag: int64(),
    small: int64([5]),
    raw: bytes(),
    maybe: optional(int64()),
    box: float32([4]),
    votes: int64([null]),
    pairs: float32([3, 2]),
    'objects/box': float32([null, 4]),
    'objects/id': int64([null]),
    'nested/a': int64(),
    'nested/b/c': text(),
    audio: int64([null]),
    video: bytes([null]),
    captions: bytes([null]),
  });
});

test('what has no shape of ours is named', () => {
  const ragged = dictionary({ rag: sequence(sequence(tensor('int64'))) });
  expect(() => specOf(ragged)).toThrow(
    /feature "rag", a Tensor, has no shape that we know .*spec\.json.*--infer/,
  );
  const strange = dictionary({ s: tfds('new_feature.Strange', { strange: {} }) });
  expect(() => specOf(strange)).toThrow(/feature "s", a Strange,/);
});

test('files that are none of these are refused with a remedy', () => {
  expect(() => specOf('{"label": ')).toThrow(/not JSON .*--infer/);
  expect(() => specOf({})).toThrow(/names no feature/);
  expect(() => specOf({ label: { kind: 'int32', shape: [] } })).toThrow(
    /"label" is not described as a feature/,
  );
  for (const wrong of [{}, { label: { kind: 'int32', shape: [] } }, { __proto: 1 }])
    expect(() => specOf(wrong)).toThrow(
      expect.objectContaining({ exitCode: 2, remedy: expect.stringContaining('--infer') }),
    );
  expect(() => readFeatureSpec(join(folder, 'none.json'))).toThrow(/can't be read \(ENOENT\)/);
});

test('any JSON is features or a clear error, and nothing else', () => {
  const leaf = fc.constantFrom(
    'tensor',
    'image',
    'sequence',
    'featuresDict',
    'text',
    'video',
    'audio',
    'features',
    'shape',
  );
  const feature = fc.dictionary(leaf, fc.oneof(fc.jsonValue(), fc.dictionary(leaf, fc.jsonValue())), {
    maxKeys: 4,
  });
  const like = fc.dictionary(fc.string(), feature, { maxKeys: 3 }).map((features) => dictionary(features));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), like), (json) => {
      try {
        if (isTfdsFeatures(json)) featuresFromTfds(json, 'fuzz');
        else specOf(json);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
