import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import { UserError } from './errors.js';
import { isSafeRelativePath, parseSha256Sums } from './sha256_sums.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

describe('parseSha256Sums', () => {
  it('reads text and binary lines, CR LF, a byte-order mark, blanks and plus signs in names', () => {
    const text = `\uFEFF${A}  RECORDS\r\n${B.toUpperCase()} *chb02/chb02_16+.edf\r\n\n${A}  a  b.txt\n`;
    expect([...parseSha256Sums(text, 'sums')]).toEqual([
      ['RECORDS', A],
      ['chb02/chb02_16+.edf', B],
      ['a  b.txt', A],
    ]);
  });

  it('takes a line that comes twice, and refuses one that contradicts', () => {
    expect(parseSha256Sums(`${A}  x\n${A}  x\n`, 'sums').size).toBe(1);
    expect(() => parseSha256Sums(`${A}  x\n${B}  x\n`, 'sums')).toThrow('(sums, line 2)');
  });

  for (const name of [
    '../x',
    '/etc/x',
    'a/../b',
    'a//b',
    './a',
    'a/.',
    'C:x',
    'a\\b',
    'a\u0000b',
    'x/',
    'y'.repeat(2000),
  ])
    it(`refuses the name ${JSON.stringify(name.slice(0, 12))}`, () => {
      expect(() => parseSha256Sums(`${A}  ${name}\n`, 'sums')).toThrow(UserError);
    });

  it('refuses names with escapes, which hold backslashes or line ends', () => {
    expect(() => parseSha256Sums(`\\${A}  a\\nb\n`, 'sums')).toThrow(
      'none that may be written below a folder',
    );
  });

  it('gives back any safe names with any digests', () => {
    const name = fc
      .array(
        fc.stringMatching(/^[\w+ é.-]{1,12}$/).filter((part) => part !== '.' && part !== '..'),
        {
          minLength: 1,
          maxLength: 4,
        },
      )
      .map((parts) => parts.join('/'))
      .filter((path) => isSafeRelativePath(path));
    const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
    fc.assert(
      fc.property(fc.dictionary(name, digest), fc.constantFrom(' ', '*'), (sums, mark) => {
        const text = Object.entries(sums).map(([path, sum]) => `${sum} ${mark}${path}\n`);
        expect(Object.fromEntries(parseSha256Sums(text.join(''), 'sums'))).toEqual({ ...sums });
      }),
    );
  });

  it('gives a map or a UserError for any text, and no name that leads out', () => {
    const line = fc.oneof(
      fc.string(),
      fc.string().map((name) => `${A}  ${name}`),
      fc.constant(`${A} *../../x`),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          for (const name of parseSha256Sums(lines.join('\n'), 'sums').keys())
            expect(name.split('/')).not.toContain('..');
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });

  const list = sharedData('eeg-eegmmidb', 'eegbci_checksums.txt');
  it.skipIf(list === undefined || !existsSync(list))(
    'reads the real digests of EEGMMIDB (skipped where shared data is absent)',
    () => {
      // That list pads its columns the other way round: name, then digest.
      const rows = readFileSync(list as string, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/));
      const text = rows.map(([name, sum]) => `${sum} ${name}\n`.replace(' ', '  ')).join('');
      const sums = parseSha256Sums(text, 'sums');
      expect(sums.size).toBe(rows.length);
      expect(sums.get('S001/S001R03.edf')).toMatch(/^[0-9a-f]{64}$/);
    },
  );
});
