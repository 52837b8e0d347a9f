import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { type FecRow, type MalformedFecRow, readFecCsv } from './fec_csv.js';

const folder = mkdtempSync(join(tmpdir(), 'fec-csv-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FACE = '0.142578,0.266602,0.065421,0.297508';
const VOTES = '291701,2,321402,2,4295017797,2,321902,3,322102,2,48316,2';

function line(changes: { urls?: string[]; box?: string; type?: string; votes?: string } = {}): string {
  const urls = changes.urls ?? ['"http://a.test/1.jpg"', '"http://a.test/2.jpg"', '"http://a.test/3.jpg"'];
  const faces = urls.map((url, i) => `${url},${i === 1 ? (changes.box ?? FACE) : FACE}`);
  return `${faces.join(',')},${changes.type ?? 'TWO_CLASS_TRIPLET'},${changes.votes ?? VOTES}`;
}

async function rowsOf(text: string | Buffer): Promise<(FecRow | MalformedFecRow)[]> {
  const path = join(folder, 'rows.csv');
  writeFileSync(path, text);
  const rows: (FecRow | MalformedFecRow)[] = [];
  for await (const row of readFecCsv(path, 'train')) rows.push(row);
  return rows;
}

test('a row gives its three faces with boxes as left, top, right, bottom, its type and votes', async () => {
  expect(await rowsOf(`${line()}\n`)).toEqual([
    {
      key: 'train:1',
      faces: [1, 2, 3].map((n) => ({
        url: `http://a.test/${n}.jpg`,
        box: { left: 0.142578, right: 0.266602, top: 0.065421, bottom: 0.297508 },
      })),
      type: 'TWO_CLASS_TRIPLET',
      annotators: ['291701', '321402', '4295017797', '321902', '322102', '48316'],
      ratings: [2, 2, 2, 3, 2, 2],
    },
  ]);
});

test('rows may have more than six annotators, CRLF, a byte-order mark, blanks and commas in quoted URLs', async () => {
  const urls = ['" http://a.test/1,2.jpg "', ' "http://a.test/2.jpg"', 'http://a.test/3.jpg'];
  const text = `\uFEFF${line({ urls, votes: `${VOTES},1,1,18446744073,3` })}\r\n${line()}\r\n`;
  const [first, second] = (await rowsOf(text)) as FecRow[];
  expect(first?.faces.map((face) => face.url)).toEqual([
    'http://a.test/1,2.jpg',
    'http://a.test/2.jpg',
    'http://a.test/3.jpg',
  ]);
  expect(first?.ratings).toEqual([2, 2, 2, 3, 2, 2, 1, 3]);
  expect(first?.annotators[7]).toBe('18446744073');
  expect(second?.key).toBe('train:2');
});

test.each([
  ['too few columns', line({ votes: '1,2' }), '18 columns, at least 28 wanted'],
  ['an annotator without an annotation', `${line()},5`, 'column 29 is an annotator without an annotation'],
  ['an empty line', '', 'empty line'],
  ['an empty URL', line({ urls: ['""', '"b"', '"c"'] }), 'column 1 holds no URL'],
  ['a box that is no number', line({ box: '0.1,x,0.2,0.3' }), 'column 8 is "x", not a number'],
  ['an empty box number', line({ box: '0.1,,0.2,0.3' }), 'column 8 is "", not a number'],
  [
    'a box whose right is left of its left',
    line({ box: '0.5,0.4,0.2,0.3' }),
    'columns 7 to 10 are an empty box',
  ],
  [
    'a box in pixels',
    line({ box: '10,40,20,30' }),
    'columns 7 to 10 are a box outside the image (fractions of 0 to 1 wanted)',
  ],
  ['another type', line({ type: 'FOUR' }), 'column 16 is "FOUR", not a triplet type'],
  [
    'an annotation of 0',
    line({ votes: VOTES.replace(',3,', ',0,') }),
    'column 24 is "0", not an annotation of 1, 2 or 3',
  ],
  [
    'an annotator that is no number',
    line({ votes: VOTES.replace('48316', 'me') }),
    'column 27 is "me", not an annotator id',
  ],
  ['a quote that is not closed', `"${line().replaceAll('"', '')}`, 'a quote is not closed'],
])('%s is malformed, with the line number, and its neighbours are not', async (_, bad, malformed) => {
  const rows = await rowsOf(`${line()}\n${bad}\n${line()}\n`);
  expect(rows[1]).toEqual({ key: 'train:2', malformed });
  expect(rows.map((row) => row.key)).toEqual(['train:1', 'train:2', 'train:3']);
  expect('malformed' in rows[0]!).toBe(false);
  expect('malformed' in rows[2]!).toBe(false);
});

test('every line gives exactly one row, in order, whatever the bytes are', async () => {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constant(line()) },
    fc.string({ maxLength: 60 }).map((text) => text.replaceAll('\n', ' ')),
    fc.constantFrom('"', '""', ',,,', '"a', 'a"b,"c', '\r', '"\r"'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 40 }), async (lines) => {
      const rows = await rowsOf(`${[...lines, line()].join('\n')}\n`);
      expect(rows.map((row) => row.key)).toEqual([...lines, line()].map((_, i) => `train:${i + 1}`));
      lines.forEach((text, i) => {
        if (text === line()) expect('malformed' in rows[i]!).toBe(false);
      });
    }),
    { numRuns: 200 },
  );
});

test('a line without an end is malformed and does not fill the memory', async () => {
  const rows = await rowsOf(Buffer.alloc(20_000_000, 'a'));
  expect(rows).toEqual([{ key: 'train:1', malformed: 'a line of more than 8192 bytes' }]);
});

test('a line that would be a row if it were cut is malformed too', async () => {
  const long = `${line()}${',7,1'.repeat(3000)}`;
  expect((await rowsOf(`${long}\n${line()}\n`)).map((row) => 'malformed' in row)).toEqual([true, false]);
});
