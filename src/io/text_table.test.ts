import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextTable } from './text_table.js';

test('texts of any kind get the numbers that a Map would give them, and come back by number', () => {
  const texts = fc.array(fc.oneof(fc.string({ maxLength: 3 }), fc.string({ unit: 'binary' }), fc.webUrl()), {
    maxLength: 400,
  });
  fc.assert(
    fc.property(texts, (list) => {
      const table = new TextTable();
      const numbers = new Map<string, number>();
      for (const text of [...list, ...list]) {
        if (!numbers.has(text)) numbers.set(text, numbers.size);
        expect(table.number(text)).toBe(numbers.get(text));
      }
      expect(table.size).toBe(numbers.size);
      for (const [text, number] of numbers) expect(table.text(number)).toBe(text);
    }),
  );
});

test('a hundred thousand addresses, a lone surrogate and a text longer than a page keep their numbers', () => {
  const table = new TextTable();
  const odd = ['\ud800', '\ud801', 'é', '', 'x'.repeat(3 << 20)];
  for (const [i, text] of odd.entries()) expect(table.number(text)).toBe(i);
  const address = (i: number): string => `dataset:n${String(i % 9131).padStart(6, '0')}/${i}_01.jpg`;
  const wrong: number[] = [];
  for (const times of [1, 2])
    for (let i = 0; i < 100_000; i++) if (table.number(address(i)) !== odd.length + i) wrong.push(i, times);
  expect(wrong).toEqual([]);
  for (const [i, text] of odd.entries())
    expect(table.number(text) === i && table.text(i) === text).toBe(true);
  expect(table.text(odd.length + 77)).toBe(address(77));
  expect(() => table.text(odd.length + 100_000)).toThrow(RangeError);
});
