import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { landmarkNumbers } from '../faces/face.js';
import { FaceTable, writeFaceTable } from './face_table.js';
import { KeyedRows } from './keyed_rows.js';

const folder = mkdtempSync(join(tmpdir(), 'face-table-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'faces.table');

type Row = readonly [key: number, values: readonly number[]];

function write(boxes: readonly Row[], landmarks: readonly Row[], notes: readonly string[] = []): FaceTable {
  const tables = [new KeyedRows(4), new KeyedRows(10)] as const;
  for (const [key, values] of boxes) tables[0].add(key, values);
  for (const [key, values] of landmarks) tables[1].add(key, values);
  writeFaceTable(path, { stamp: 'these files', boxes: tables[0], landmarks: tables[1], notes });
  return FaceTable.open(path) as FaceTable;
}

const row = (width: number, key: fc.Arbitrary<number>) =>
  fc.tuple(
    key,
    fc.array(fc.float({ noNaN: true, min: -4096, max: 4096 }), { minLength: width, maxLength: width }),
  );

test('whatever the order of the rows, each picture’s box and landmarks are found and no other’s; the last row counts', () => {
  // Few keys, so that they repeat and both tables share some.
  const key = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
  fc.assert(
    fc.property(
      fc.array(row(4, key), { maxLength: 80 }),
      fc.array(row(10, key), { maxLength: 80 }),
      fc.array(key, { maxLength: 20 }),
      (boxes, landmarks, others) => {
        const table = write(boxes, landmarks);
        const boxOf = new Map(boxes);
        const pointsOf = new Map(landmarks);
        try {
          expect(table.length).toBe(new Set([...boxOf.keys(), ...pointsOf.keys()]).size);
          for (const wanted of [...boxOf.keys(), ...pointsOf.keys(), ...others]) {
            const found = table.find(wanted);
            const box = found?.box;
            expect(box && [box.left, box.top, box.width, box.height]).toEqual(boxOf.get(wanted));
            expect(found?.landmarks && landmarkNumbers(found.landmarks)).toEqual(pointsOf.get(wanted));
          }
        } finally {
          table.close();
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('tables of many blocks find the first, the last and every key between, and nothing beside them', () => {
  const boxes = Array.from({ length: 1025 }, (_, i): Row => [i * 3 + 5, [i, -i, i + 1, 2]]);
  const table = write(boxes, []);
  for (const [key, [left]] of boxes) {
    expect(table.find(key)).toEqual({ box: { left, top: -left!, width: left! + 1, height: 2 } });
    expect(table.find(key + 1)).toBeUndefined();
  }
  expect(table.find(0)).toBeUndefined();
  table.close();
});

test('stamp, notes and a digest of the records come back; the digest follows the records alone', () => {
  const first = write([[1, [1, 2, 3, 4]]], [], ['a line is malformed']);
  const same = write([[1, [1, 2, 3, 4]]], []);
  const other = write([[1, [1, 2, 3, 5]]], []);
  expect(first.stamp).toBe('these files');
  expect(first.notes).toEqual(['a line is malformed']);
  expect(same.digest).toBe(first.digest);
  expect(other.digest).not.toBe(first.digest);
  for (const table of [first, same, other]) table.close();
});

test('no table, a cut one, one with bytes too many and another file are all no table', () => {
  expect(FaceTable.open(join(folder, 'absent.table'))).toBeUndefined();
  write([[1, [1, 2, 3, 4]]], []).close();
  const whole = readFileSync(path);
  const damaged = [0, 10, 64, 100, whole.length - 1].map((length) => whole.subarray(0, length));
  damaged.push(Buffer.concat([whole, Buffer.from('x')]), Buffer.alloc(whole.length, 0x20));
  for (const bytes of damaged) {
    writeFileSync(path, bytes);
    expect(FaceTable.open(path)).toBeUndefined();
  }
});

test('only the finished table is left in its folder', () => {
  write([[1, [1, 2, 3, 4]]], []).close();
  expect(readdirSync(folder)).toEqual(['faces.table']);
});
