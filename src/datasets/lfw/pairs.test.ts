import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type LfwPair, readLfwPairs } from './pairs.js';

const folder = mkdtempSync(join(tmpdir(), 'lfw-pairs-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(...lines: string[]): LfwPair[] {
  const path = join(folder, 'pairs.txt');
  writeFileSync(path, lines.join('\n'));
  return readLfwPairs(path);
}

const PAIRS = ['Abel_Pacheco\t1\t4', 'Abdel_Madi_Shabneh\t1\tDean_Barker\t1'];

test('pairs come with their fold, their pictures and whether they show one person', () => {
  expect(read('2\t1', ...PAIRS, 'Björn-Åke\t12\t3', "O'Neal_Jr.\t1\tDean_Barker\t2", '')).toEqual([
    {
      images: ['Abel_Pacheco/Abel_Pacheco_0001.jpg', 'Abel_Pacheco/Abel_Pacheco_0004.jpg'],
      fold: 1,
      same: true,
    },
    {
      images: ['Abdel_Madi_Shabneh/Abdel_Madi_Shabneh_0001.jpg', 'Dean_Barker/Dean_Barker_0001.jpg'],
      fold: 1,
      same: false,
    },
    { images: ['Björn-Åke/Björn-Åke_0012.jpg', 'Björn-Åke/Björn-Åke_0003.jpg'], fold: 2, same: true },
    { images: ["O'Neal_Jr./O'Neal_Jr._0001.jpg", 'Dean_Barker/Dean_Barker_0002.jpg'], fold: 2, same: false },
  ]);
});

test('the protocol’s size, ten folds of 300 and 300, gives 6,000 pairs, half of them of one person', () => {
  const fold = [...Array(300).fill(PAIRS[0]), ...Array(300).fill(PAIRS[1])] as string[];
  const pairs = read('10\t300', ...Array.from({ length: 10 }, () => fold).flat());
  expect(pairs).toHaveLength(6000);
  expect(pairs.filter(({ same }) => same)).toHaveLength(3000);
  for (let number = 1; number <= 10; number++)
    expect(pairs.filter((pair) => pair.fold === number && pair.same)).toHaveLength(300);
});

test('CRLF, blanks instead of tabs and a byte-order mark are no trouble', () => {
  expect(read('\uFEFF1 1\r', 'Abel_Pacheco 1 4\r', 'A\t1\tB\t1\r', '')).toHaveLength(2);
});

test.each<[string, string[], RegExp]>([
  ['no first line', PAIRS, /line 1\)/],
  ['no folds', ['0\t300'], /line 1\)/],
  ['folds without end', ['999\t99999'], /line 1\)/],
  ['a pair too few', ['1\t2', ...PAIRS], /has 2 pairs, its first line speaks of 4/],
  ['a pair too many', ['1\t1', ...PAIRS, ...PAIRS], /has 4 pairs, its first line speaks of 2/],
  [
    'kinds that are swapped',
    ['1\t1', PAIRS[1] as string, PAIRS[0] as string],
    /4 columns, 3 wanted.*line 2\)/,
  ],
  ['a name that leads out', ['1\t1', '../../etc\t1\t2', PAIRS[1] as string], /no name of a person.*line 2\)/],
  ['a name with a slash', ['1\t1', PAIRS[0] as string, 'a/b\t1\tc\t1'], /no name of a person.*line 3\)/],
  ['a picture 0', ['1\t1', 'A\t0\t1', PAIRS[1] as string], /"0" is no number.*line 2\)/],
  ['a word as number', ['1\t1', 'A\t1\tx', PAIRS[1] as string], /"x" is no number.*line 2\)/],
  ['two persons who are one', ['1\t1', PAIRS[0] as string, 'A\t1\tA\t2'], /names "A" twice.*line 3\)/],
  ['nothing in it', [''], /line 1\)/],
])('a file with %s is refused with its line', (_, lines, message) => {
  expect(() => read(...lines)).toThrow(message);
});
