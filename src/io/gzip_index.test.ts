import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { constants, createGzip, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { jpegLike, seededBytes, wordy } from '../../fixtures/tar_archives.js';
import { testFolder } from './archive.test.samples.js';
import { startOfDeflate } from './deflate_start.js';
import { type AccessPoint, type GzipStart, GzipWalker } from './gzip_index.js';
import { GzipStream, type OpenFile } from './gzip_stream.js';
import { RawInflater } from './raw_inflate.js';
import { unpackWindow } from './sparse_window.js';

const SPAN = 64 * 1024;

const MIXED = Buffer.concat([
  jpegLike(1, 900_000),
  wordy(2, 900_000),
  Buffer.alloc(300_000),
  seededBytes(3, 500_000),
  wordy(4, 300_000),
]);

/** Archives of the same contents as different programs write them. */
const WRITERS: Readonly<Record<string, (data: Buffer) => Buffer>> = {
  'gzip at level 1': (data) => gzipSync(data, { level: 1 }),
  'gzip at level 6': (data) => gzipSync(data),
  'gzip at level 9 with little memory and so small blocks': (data) =>
    gzipSync(data, { level: 9, memLevel: 1 }),
  'stored blocks': (data) => gzipSync(data, { level: 0 }),
  'fixed codes': (data) => gzipSync(data, { strategy: constants.Z_FIXED }),
  'Huffman codes only': (data) => gzipSync(data, { strategy: constants.Z_HUFFMAN_ONLY }),
  'a window of 512 bytes': (data) => gzipSync(data, { windowBits: 9 }),
  'members of 60 KB, as bgzip writes them': (data) => inMembers(data, 60_000),
  'members of 700 KB and padding of zeros': (data) =>
    Buffer.concat([inMembers(data, 700_000), Buffer.alloc(1000)]),
  'empty members between others': (data) =>
    Buffer.concat([gzipSync(''), gzipSync(data), gzipSync(''), gzipSync('')]),
};

function inMembers(data: Buffer, bytes: number): Buffer {
  const members: Buffer[] = [];
  for (let at = 0; at < data.length; at += bytes) members.push(gzipSync(data.subarray(at, at + bytes)));
  return Buffer.concat(members);
}

async function openBytes(bytes: Buffer): Promise<OpenFile> {
  const path = join(await testFolder(), 'sample.gz');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  onTestFinished(() => closeSync(fd));
  return { path, fd, bytes: statSync(path).size };
}

interface Walked {
  readonly output: Buffer;
  readonly starts: readonly GzipStart[];
}

function walk(file: OpenFile, start?: GzipStart): Walked {
  const walker = new GzipWalker(file, SPAN, start);
  const pieces: Buffer[] = [];
  const starts: GzipStart[] = [];
  try {
    for (let piece = walker.next(); piece !== undefined; piece = walker.next()) {
      if (piece.point !== undefined && piece.restart !== undefined)
        starts.push({ point: piece.point, window: unpackWindow(piece.point.window), sum: piece.restart.sum });
      pieces.push(Buffer.from(piece.output));
    }
  } finally {
    walker.close();
  }
  return { output: Buffer.concat(pieces), starts };
}

const pointsOf = ({ starts }: Walked): AccessPoint[] => starts.map(({ point }) => point);

describe.each(Object.entries(WRITERS))('%s', (_, write) => {
  test('gives what was packed, and from every access point the rest of it and the same points', async () => {
    const file = await openBytes(write(MIXED));
    const whole = walk(file);
    expect(whole.output.equals(MIXED)).toBe(true);
    expect(whole.starts.length).toBeGreaterThan(10);
    for (const [i, start] of whole.starts.entries()) {
      const rest = walk(file, start);
      const { outPosition } = start.point;
      expect(rest.output.equals(MIXED.subarray(outPosition)), `from ${outPosition}`).toBe(true);
      expect(pointsOf(rest)).toEqual(pointsOf(whole).slice(i + 1));
    }
  });

  test('a file cut anywhere gives what was before the cut, and says where', async () => {
    const packed = write(MIXED.subarray(800_000, 1_100_000));
    for (let i = 1; i < 40; i++) {
      const file = await openBytes(packed.subarray(0, Math.floor((packed.length * i) / 40)));
      const walker = new GzipWalker(file, SPAN);
      let bytes = 0;
      const read = (): void => {
        for (let piece = walker.next(); piece !== undefined; piece = walker.next())
          bytes += piece.output.length;
      };
      const outcome = ((): unknown => {
        try {
          return read();
        } catch (error) {
          return error;
        }
      })();
      // Between two members a cut is no cut.
      if (outcome !== undefined) {
        expect(String(outcome)).toContain(`${file.path}, byte ${file.bytes}`);
        expect(walker.isCutOff).toBe(true);
      }
      expect(bytes).toBeLessThanOrEqual(300_000);
      walker.close();
    }
  });
});

test('windows of incompressible data hold little more than what is copied from them', async () => {
  const { starts } = walk(await openBytes(gzipSync(jpegLike(7, 3_000_000))));
  const points = starts.filter(({ point }) => point.window.length > 0);
  expect(points.length).toBeGreaterThan(20);
  for (const { point, window } of points) {
    expect(window).toHaveLength(32 * 1024);
    expect(point.window.length).toBeLessThan(4000);
  }
});

test('every bit of a byte is where some block begins, and each is found', async () => {
  const { starts } = walk(await openBytes(gzipSync(MIXED, { memLevel: 1 })));
  expect(new Set(starts.map(({ point }) => point.bits))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
});

test('the made-up start of deflate data gives its window and ends at its bit', () => {
  const inflater = new RawInflater();
  const window = seededBytes(5, 32 * 1024);
  for (const length of [0, 1, 255, 256, 32 * 1024])
    for (let bits = 0; bits < 8; bits++) {
      // A stored block, "not the last", whose three bits are the next ones: what follows them up to the byte is padding.
      const start = startOfDeflate(window.subarray(0, length), bits, 0);
      const after = Buffer.from([...(bits >= 3 ? [] : [0]), 2, 0, 0xfd, 0xff, 0x68, 0x69]);
      const output = Buffer.alloc(length + 10);
      const input = Buffer.concat([start, after]);
      inflater.reset();
      const { produced } = inflater.step({
        input: { bytes: input, start: 0, end: input.length },
        output: { bytes: output, start: 0, end: output.length },
        stop: 'only at the end',
      });
      expect(produced, `${bits} bits, window of ${length}`).toBe(length + 2);
      expect(output.subarray(0, length).equals(window.subarray(0, length))).toBe(true);
      expect(output.toString('latin1', length, length + 2)).toBe('hi');
    }
  inflater.close();
});

test('flushes of every kind between blocks, as network writers leave them, change nothing', async () => {
  const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
  for (let at = 0; at < MIXED.length; at += 1500) gzip.write(MIXED.subarray(at, at + 1500));
  gzip.end();
  const file = await openBytes(await buffer(gzip));
  const whole = walk(file);
  expect(whole.output.equals(MIXED)).toBe(true);
  for (const start of whole.starts)
    expect(walk(file, start).output.equals(MIXED.subarray(start.point.outPosition))).toBe(true);
});

test('a header with every field there may be is passed over', async () => {
  const packed = gzipSync('hello');
  const fields = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3]),
    Buffer.from([3, 0, 0xaa, 0, 0xbb]),
    Buffer.from('a name\0a comment\0'),
    Buffer.from([0x12, 0x34]),
  ]);
  const file = await openBytes(Buffer.concat([fields, packed.subarray(10)]));
  expect(walk(file).output.toString()).toBe('hello');
});

test('a changed checksum, a changed length and bytes that are not gzip behind a member are errors', async () => {
  const packed = gzipSync(wordy(1, 100_000));
  for (const at of [packed.length - 8, packed.length - 4]) {
    const changed = Buffer.from(packed);
    changed[at] = (changed[at] as number) ^ 1;
    const file = await openBytes(changed);
    expect(() => walk(file)).toThrow('checksum of a gzip member');
  }
  const file = await openBytes(Buffer.concat([packed, Buffer.from('rubbish')]));
  expect(() => walk(file)).toThrow('what follows is not gzip');
});

test('a changed byte gives the right bytes or an error', async () => {
  const data = Buffer.concat([jpegLike(1, 40_000), wordy(2, 60_000)]);
  const packed = gzipSync(data);
  const file = await openBytes(packed);
  fc.assert(
    fc.property(fc.nat({ max: packed.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, difference) => {
      const changed = Buffer.from(packed);
      changed[at] = (changed[at] as number) ^ difference;
      writeFileSync(file.path, changed);
      try {
        // Not every bit says something: the time in the header, the rest of a byte before a checksum.
        expect(walk(file).output.equals(data)).toBe(true);
      } catch (error) {
        expect(String(error)).toMatch(/^UserError: the archive is damaged/);
      }
    }),
    { numRuns: 300 },
  );
  expect(readFileSync(file.path)).toHaveLength(packed.length);
});

test('random access by a stream gives any range from the point before it', async () => {
  const file = await openBytes(gzipSync(MIXED));
  const points = pointsOf(walk(file));
  const stream = new GzipStream(file, 4096);
  for (const point of points) {
    stream.seekInto(point.position, point.bits, unpackWindow(point.window));
    const found = Buffer.alloc(1000);
    let filled = 0;
    while (filled < found.length) {
      const pause = stream.inflate(found, filled, found.length, 'only at the end');
      filled += stream.produced;
      if (pause === 'member') break;
    }
    expect(
      found.subarray(0, filled).equals(MIXED.subarray(point.outPosition, point.outPosition + filled)),
    ).toBe(true);
    expect(filled).toBe(Math.min(1000, MIXED.length - point.outPosition));
  }
  stream.close();
});
