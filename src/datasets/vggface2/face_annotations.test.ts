import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { sharedData } from '../../../fixtures/shared_data.js';
import type { MalformedLines } from '../malformed_lines.js';
import { ANNOTATION_COLUMNS, type AnnotationKind, readAnnotations } from './face_annotations.js';
import { pictureKey } from './picture_name.js';

const folder = mkdtempSync(join(tmpdir(), 'annotations-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Rows = [key: number, values: number[]][];

async function readFile(
  path: string,
  kind: AnnotationKind,
): Promise<{ rows: Rows; malformed: MalformedLines }> {
  const rows: Rows = [];
  const malformed = await readAnnotations(path, {
    kind,
    onRow: (key, values) => rows.push([key, [...values]]),
  });
  return { rows, malformed };
}

function read(text: string, kind: AnnotationKind = 'boxes') {
  const path = join(folder, 'annotations.csv');
  writeFileSync(path, text);
  return readFile(path, kind);
}

const key = (name: string): number => pictureKey(name) as number;
const BOXES = 'NAME_ID,X,Y,W,H';

test('rows as published give key and numbers, negative and over-large boxes as they are', async () => {
  const { rows, malformed } = await read(
    `${BOXES}\n"n000001/0001_01",60,60,79,109\n"n000001/0002_01",-13,-1,4000,295\n`,
  );
  expect(rows).toEqual([
    [key('n000001/0001_01'), [60, 60, 79, 109]],
    [key('n000001/0002_01'), [-13, -1, 4000, 295]],
  ]);
  expect(malformed.count).toBe(0);
});

test('landmarks keep all their digits', async () => {
  const { rows } = await read(
    '"n000002/0001_01",239.4643,276.5054,349.8496,282.2599,311.2406,354.8974,236.0358,391.3312,342.1541,392.2661\n',
    'landmarks',
  );
  expect(rows[0]?.[1]).toEqual([
    239.4643, 276.5054, 349.8496, 282.2599, 311.2406, 354.8974, 236.0358, 391.3312, 342.1541, 392.2661,
  ]);
});

test.each([
  ['CRLF', `${BOXES}\r\n"n000001/0001_01",1,2,3,4\r\n`],
  ['no header', '"n000001/0001_01",1,2,3,4\n'],
  ['a byte-order mark', `\uFEFF${BOXES}\n"n000001/0001_01",1,2,3,4\n`],
  ['no quotes', `${BOXES}\nn000001/0001_01,1,2,3,4\n`],
  ['names with .jpg', `${BOXES}\n"n000001/0001_01.jpg",1,2,3,4\n`],
  ['blanks', `${BOXES}\n "n000001/0001_01" , 1, 2 ,3,4 \n`],
  ['a quoted header', '"NAME_ID","X","Y","W","H"\n"n000001/0001_01",1,2,3,4\n'],
  ['quoted and fractional numbers', `${BOXES}\n"n000001/0001_01","1",2.0,3.,4e0\n`],
  ['no end of the last line', `${BOXES}\n"n000001/0001_01",1,2,3,4`],
])('a file with %s reads the same', async (_, text) => {
  const { rows, malformed } = await read(text);
  expect(rows).toEqual([[key('n000001/0001_01'), [1, 2, 3, 4]]]);
  expect(malformed.count).toBe(0);
});

test('malformed lines are counted with line and reason, and do not harm their neighbours', async () => {
  const bad: [line: string, reason: string][] = [
    ['"n000001/0001_01",1,2,3', '4 columns, 5 wanted'],
    ['"n000001/0001_01",1,2,3,4,5', '6 columns, 5 wanted'],
    ['"n000001",1,2,3,4', '"n000001" is no name like n000001/0001_01'],
    ['"n000001/0001_01",1,2,x,4', 'W is "x", not a coordinate'],
    ['"n000001/0001_01",1,.,3,4', 'Y is ".", not a coordinate'],
    ['"n000001/0001_01",1,,3,4', 'Y is "", not a coordinate'],
    ['"n000001/0001_01",nan,2,3,4', 'X is "nan", not a coordinate'],
    ['"n000001/0001_01",1e9,2,3,4', 'X is "1e9", not a coordinate'],
    ['"n000001/0001_01",1,2,0,4', 'an empty box, 0 wide and 4 high'],
    ['"n000001/0001_01",1,2,3,-4', 'an empty box, 3 wide and -4 high'],
    ['', 'an empty line'],
    [BOXES, '"NAME_ID" is no name like n000001/0001_01'],
    ['x'.repeat(5000), 'the line is too long'],
  ];
  const good = '"n000002/0001_01",1,2,3,4';
  const text = [BOXES, ...bad.flatMap(([line]) => [line, good]), ''].join('\n');
  const { rows, malformed } = await read(text);
  expect(rows).toHaveLength(bad.length);
  expect(malformed.first).toEqual(bad.map(([, reason], i) => ({ line: 2 + 2 * i, reason })));
});

test('a landmark file in the place of a box file is refused by its header', async () => {
  const text = `NAME_ID,${ANNOTATION_COLUMNS.landmarks.join(',')}\n`;
  await expect(read(text)).rejects.toThrow(/header names the columns .*line 1.*NAME_ID,X,Y,W,H/);
});

test('numbers read from bytes are those that a parser of the text gives', async () => {
  const texts = fc
    .tuple(fc.boolean(), fc.nat({ max: 999_999 }), fc.array(fc.nat({ max: 9 }), { maxLength: 12 }))
    .map(
      ([negative, whole, digits]) =>
        `${negative ? '-' : ''}${whole}${digits.length ? `.${digits.join('')}` : ''}`,
    );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(texts, { minLength: 10, maxLength: 10 }), { maxLength: 5 }),
      async (lines) => {
        const text = lines.map((numbers) => `"n000001/0001_01",${numbers.join(',')}\n`).join('');
        const { rows, malformed } = await read(text, 'landmarks');
        expect(malformed.count).toBe(0);
        expect(rows.map(([, values]) => values)).toEqual(lines.map((numbers) => numbers.map(Number)));
      },
    ),
    { numRuns: 60 },
  );
});

test('arbitrary text never throws and every line is a row, a header or malformed', async () => {
  const pieces = fc.constantFrom('"n000001/0001_01"', ',', '1', '-', '.', '\r', '"', ' ', 'x', '\0', 'é');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(pieces, { maxLength: 12 }), { minLength: 1, maxLength: 6 }),
      async (lines) => {
        const { rows, malformed } = await read(lines.map((line) => `${line.join('')}\n`).join(''));
        expect(rows.length + malformed.count).toBe(lines.length);
      },
    ),
    { numRuns: 150 },
  );
});

const real = sharedData('vggface2', 'bb_landmark');
test.skipIf(real === undefined)(
  'rows of the published files (skipped where shared data is absent) all parse',
  async () => {
    for (const [file, kind] of [
      ['loose_bb_test.head3.csv', 'boxes'],
      ['loose_bb_test.recovered.csv', 'boxes'],
      ['loose_bb_train.row1.csv', 'boxes'],
      ['loose_landmark_train.row1.csv', 'landmarks'],
    ] as const) {
      const path = join(real as string, file);
      const lines = readFileSync(path, 'utf8').trim().split(/\r?\n/);
      const { rows, malformed } = await readFile(path, kind);
      expect(malformed.first).toEqual([]);
      expect(rows).toHaveLength(lines.length - 1);
      expect(rows.at(-1)?.[1]).toEqual((lines.at(-1) as string).split(',').slice(1).map(Number));
    }
  },
);
