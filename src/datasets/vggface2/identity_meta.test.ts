import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sharedData } from '../../../fixtures/shared_data.js';
import { identityMetaRow, readIdentityMeta } from './identity_meta.js';

const folder = mkdtempSync(join(tmpdir(), 'identity-meta-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  const path = join(folder, 'identity_meta.csv');
  writeFileSync(path, text);
  return readIdentityMeta(path);
}

const HEADER = 'Class_ID, Name, Sample_Num, Flag, Gender';
const LAMA = 'n000001," ""14th_Dalai_Lama""",424,0, m';
const FRENZY = 'n000002," ""A_Fine_Frenzy""",315,1, f';

test('a row as published gives id, name without its blank and quotes, count, part and sex', () => {
  const { rows, malformed } = read(`${HEADER}\r\n${LAMA}\r\n${FRENZY}\r\n`);
  expect(rows).toEqual([
    { id: 'n000001', name: '14th_Dalai_Lama', samples: 424, part: 'test', gender: 'm' },
    { id: 'n000002', name: 'A_Fine_Frenzy', samples: 315, part: 'train', gender: 'f' },
  ]);
  expect(malformed.count).toBe(0);
  expect(malformed.sentence()).toBeUndefined();
});

test.each([
  ['no header', `${LAMA}\r\n${FRENZY}\r\n`],
  ['LF alone and no end of the last line', `${HEADER}\n${LAMA}\n${FRENZY}`],
  ['a byte-order mark', `\uFEFF${HEADER}\r\n${LAMA}\r\n${FRENZY}\r\n`],
  ['a byte-order mark and no header', `\uFEFF${LAMA}\r\n${FRENZY}\r\n`],
])('a file with %s has the same rows', (_, text) => {
  expect(read(text).rows.map((row) => row.id)).toEqual(['n000001', 'n000002']);
  expect(read(text).malformed.count).toBe(0);
});

test.each([
  ['n000003, "A._A._Gill", 205, 1, m', 'A._A._Gill'],
  ['n000003,A._A._Gill,205,1,m', 'A._A._Gill'],
  ['n000003," ""Drawn,_Jr.""",205,1, m', 'Drawn,_Jr.'],
  ['n000003," ""Abdüllatif_Şener""",205,1, m', 'Abdüllatif_Şener'],
])('%j is understood, too', (line, name) => {
  expect(identityMetaRow(line)).toEqual({ id: 'n000003', name, samples: 205, part: 'train', gender: 'm' });
});

test('an empty sex is unknown, not wrong', () => {
  expect(identityMetaRow('n000003,A,205,1,')).toEqual({
    id: 'n000003',
    name: 'A',
    samples: 205,
    part: 'train',
  });
});

test('malformed lines are counted with their line and reason, and do not harm their neighbours', () => {
  const bad = [
    'n000003," ""A""",205,1',
    'n3," ""A""",205,1, m',
    'n000004," ""A""",many,1, m',
    'n000005," ""A""",205,2, m',
    'n000006," ""A""",205,1, x',
    'n000007," ""A",205,1, m',
    'n000008,,205,1, m',
    '',
    LAMA,
  ];
  const { rows, malformed } = read([HEADER, LAMA, ...bad, FRENZY, ''].join('\r\n'));
  expect(rows.map((row) => row.id)).toEqual(['n000001', 'n000002']);
  expect(malformed.count).toBe(bad.length);
  expect(malformed.first.map(({ line }) => line)).toEqual(bad.map((_, i) => i + 3));
  expect(malformed.first.map(({ reason }) => reason)).toEqual([
    '4 columns, 5 wanted',
    '"n3" is no id like n000001',
    'Sample_Num is "many", not a number',
    'Flag is "2", not 0 or 1',
    'Gender is "x", not m or f',
    'a quote is not closed',
    'the name is empty',
    'an empty line',
    'n000001 is there already, at line 2',
  ]);
  expect(malformed.sentence()).toContain(
    'identity_meta.csv are malformed and not used, the first is line 3: 4 columns',
  );
});

const real = sharedData('vggface2', 'identity_meta.csv');
test.skipIf(real === undefined)(
  'the published file (skipped where shared data is absent) parses to 9,131 identities',
  () => {
    const { rows, malformed } = readIdentityMeta(real as string);
    expect(malformed.count).toBe(0);
    expect(rows.filter((row) => row.part === 'train')).toHaveLength(8631);
    expect(rows.filter((row) => row.part === 'test')).toHaveLength(500);
    expect(rows.every((row) => row.gender !== undefined)).toBe(true);
    expect(rows.find((row) => row.id === 'n000078')?.samples).toBe(458);
    expect(rows.some((row) => /^[\s"]|[\s"]$/.test(row.name))).toBe(false);
    expect(rows.find((row) => row.id === 'n000030')?.name).toBe('Abdüllatif_Şener');
  },
);
