import fc from 'fast-check';
import { expect, test } from 'vitest';
import '../problems/all.js';
import { problem, problemNames } from '../problems/registry.js';
import { bibtex } from './bibtex.js';

const of = { key: 'small', title: 'A small set', url: 'https://example.org/' };

test('authors, title, place and year become fields', () => {
  const citation =
    'R. Vemulapalli and A. Agarwala. A Compact Embedding for Facial Expression Similarity. CVPR 2019, pp. 5683-5692.';
  expect(bibtex(citation, of)).toBe(`@misc{vemulapalli2019compact,
  author       = {R. Vemulapalli and A. Agarwala},
  title        = {{A Compact Embedding for Facial Expression Similarity}},
  howpublished = {CVPR 2019, pp. 5683-5692},
  year         = {2019}
}`);
});

test('every work of a citation of several has its entry, with initials of two letters and “et al.”', () => {
  const text = bibtex(
    'S. Koelstra, J.-S. Lee and I. Patras. DEAP: A Database. IEEE TAC 3(1), pp. 18-31, 2012. A. L. Goldberger et al. PhysioBank. Circulation 101(23), 2000.',
    of,
  );
  expect(text.match(/@misc\{/g)).toHaveLength(2);
  expect(text).toContain('author       = {S. Koelstra and J.-S. Lee and I. Patras}');
  expect(text).toContain('author       = {A. L. Goldberger and others}');
  expect(text).toContain('@misc{goldberger2000physiobank,');
});

test('the citations of all datasets that come with the program are in that form, but for those that are made up', () => {
  const others = problemNames()
    .map((name) => problem(name).dataset)
    .filter(({ name, citation }) => /\bnote {9}=/.test(bibtex(citation, { ...of, key: name })));
  expect([...new Set(others.map(({ name }) => name))].sort()).toEqual([
    'eeg_folder',
    'eeg_tiny',
    'fec_tiny',
    'vggface2_tiny',
  ]);
});

test('anything else becomes the note of one entry', () => {
  expect(bibtex('Drawn by t2t-ts.', of)).toBe(`@misc{small,
  title        = {{A small set}},
  howpublished = {\\url{https://example.org/}},
  note         = {Drawn by t2t-ts.}
}`);
});

test('braces match whatever the citation holds', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('{', '}', '\\', '%', 'a', 'Bb', '. ', ' ', '2001', '&') }),
      (text) => {
        const made = bibtex(text, of);
        let depth = 0;
        let lowest = 0;
        for (const character of made) {
          depth += character === '{' ? 1 : character === '}' ? -1 : 0;
          lowest = Math.min(lowest, depth);
        }
        expect([lowest, depth]).toEqual([0, 0]);
      },
    ),
  );
});
