import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitraryExample } from './arbitrary_example.test.helper.js';
import { createExampleEncoder } from './example.js';
import { createExampleParser } from './example_parser.js';
import { bytes, type Features, float32, image, int64, optional, text } from './features.js';
import { readNpy, valuesOfSample } from './read_converted.test.helper.js';
import { sampleFiles, sampleName, webdatasetLayout } from './webdataset.js';

const endings = (features: Features): string[] =>
  [...webdatasetLayout(features).values()].map(({ ending }) => ending);

test('each feature goes where a decoder of WebDataset knows what to do with it', () => {
  const features = {
    'image/a': image(),
    'image/b': image({ encoding: 'png' }),
    'image/c': image({ encoding: 'raw', height: 4, width: 3, channels: 3 }),
    blob: bytes(),
    frames: bytes([null]),
    window: float32([64, 640]),
    curve: float32([null]),
    box: float32([4]),
    pixels: int64([28, 28]),
    votes: int64([null]),
    label: int64(),
    caption: text(),
  };
  expect(Object.fromEntries(Object.keys(features).map((name, i) => [name, endings(features)[i]]))).toEqual({
    'image/a': 'image.a.jpg',
    'image/b': 'image.b.png',
    'image/c': 'image.c.npy',
    blob: 'blob.bin',
    frames: 'frames.bin',
    window: 'window.npy',
    curve: 'curve.npy',
    box: 'json',
    pixels: 'pixels.npy',
    votes: 'json',
    label: 'json',
    caption: 'json',
  });
});

test('features that WebDataset would take for one another have endings of their own', () => {
  const names = ['image/a', 'Image/A', 'image.a', 'image/a_2', '', '/', '../a', 'a\0b', 'json'];
  const found = endings(Object.fromEntries(names.map((name) => [name, image()])));
  expect(new Set(found).size).toBe(names.length);
  for (const ending of found) expect(ending).toMatch(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.jpg$/);
});

test('a sample is read back exactly from its files, whatever its features are called and hold', () => {
  fc.assert(
    fc.property(arbitraryExample, ({ features, values }) => {
      const parsed = createExampleParser(features).parse(
        createExampleEncoder(features).encode(values as never),
      );
      const files = sampleFiles(webdatasetLayout(features), features, parsed as Record<string, unknown>);
      const byEnding = new Map(files.map(({ ending, bytes: content }) => [ending, Buffer.from(content)]));
      expect(byEnding.size).toBe(files.length);
      for (const ending of byEnding.keys()) expect(ending).toMatch(/^[a-z0-9_~.-]+$/);
      expect(valuesOfSample(byEnding, features)).toEqual({ ...(parsed as object) });
    }),
    { numRuns: 300 },
  );
});

test('numbers that JSON has not, or that its readers round, are texts; whole floats have a point', () => {
  const features = { f: float32([6]), i: int64([3]), n: float32(), m: float32([2, 2]) };
  const values = {
    f: Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 2, 0.5),
    i: [2 ** 53 - 1, 2n ** 53n, -(2n ** 63n)],
    n: 1e21,
    m: Float32Array.of(1, 2, 3, 4),
  };
  const [file] = sampleFiles(webdatasetLayout(features), features, values);
  expect(Buffer.from(file?.bytes ?? []).toString()).toBe(
    '{"f": ["NaN", "Infinity", "-Infinity", -0.0, 2.0, 0.5], "i": [9007199254740991, "9007199254740992", ' +
      '"-9223372036854775808"], "n": 1e+21, "m": [[1.0, 2.0], [3.0, 4.0]]}',
  );
});

test('a raw image is an array of height, width and channels', () => {
  const features = {
    picture: image({ encoding: 'raw', height: 2, width: 1, channels: 3 }),
    more: optional(text()),
  };
  const [npy, json] = sampleFiles(webdatasetLayout(features), features, {
    picture: Uint8Array.of(1, 2, 3, 4, 5, 6),
  });
  const { dtype, shape, data } = readNpy(Buffer.from(npy?.bytes ?? []));
  expect([dtype, shape, [...(data as Uint8Array)]]).toEqual(['|u1', [2, 1, 3], [1, 2, 3, 4, 5, 6]]);
  expect(Buffer.from(json?.bytes ?? []).toString()).toBe('{}');
});

test('names of samples are safe in any folder and never the same', () => {
  const hostile = [
    '../../etc/passwd',
    'a\0b',
    'x'.repeat(5000),
    'a.b',
    'a/b',
    'a_b',
    '',
    '.',
    '-rf',
    '\ud800',
    'Ä.jpg',
  ];
  const names = hostile.map((key, record) => sampleName(record, key));
  expect(names.slice(0, 2)).toEqual(['000000000-______etc_passwd', '000000001-a_b']);
  expect(sampleName(12, undefined)).toBe('000000012');
  fc.assert(
    fc.property(
      fc.nat(),
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...hostile)),
      (record, key) => {
        expect(sampleName(record, key)).toMatch(/^\d{9,}(-[A-Za-z0-9_-]{1,60})?$/);
        expect(Number.parseInt(sampleName(record, key), 10)).toBe(record);
      },
    ),
  );
});
