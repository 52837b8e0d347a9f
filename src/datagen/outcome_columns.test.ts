import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StampedOutcome } from './input_table.js';
import { OutcomeColumns, outcomeAt } from './outcome_columns.js';

const stamp = fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined });
const outcome: fc.Arbitrary<StampedOutcome> = fc
  .oneof(
    fc.record({
      ok: fc.constant(true as const),
      content: fc.stringMatching(/^[0-9a-f]{64}$/),
      pack: fc.constantFrom('a.pack', 'b.pack'),
      offset: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      length: fc.nat({ max: 0xffffffff }),
      crc: fc.nat({ max: 0xffffffff }),
    }),
    fc.record({
      ok: fc.constant(false as const),
      reason: fc.constantFrom('no-face' as const, 'dead-url' as const),
      detail: fc.string({ unit: 'grapheme' }),
    }),
  )
  .chain((one) => stamp.map((text) => (text === undefined ? one : { ...one, stamp: text })));

test('what was set comes back, wherever it was set and however often, and nothing else is there', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 5000 }), outcome), { maxLength: 60 }), (pairs) => {
      const columns = new OutcomeColumns();
      const expected = new Map<number, StampedOutcome>();
      for (const [number, one] of pairs) {
        columns.set(number, one);
        expected.set(number, one);
      }
      const [removed] = pairs[0] ?? [];
      if (removed !== undefined) {
        columns.remove(removed);
        expected.delete(removed);
      }
      const some = [...expected.keys()];
      const table = structuredClone(columns.subset(some));
      for (const [at, number] of some.entries()) {
        const { stamp: _, ...unstamped } = expected.get(number) as StampedOutcome;
        expect(outcomeAt(table, at)).toEqual(unstamped);
      }
      for (let number = 0; number <= 5001; number++) {
        expect(columns.has(number)).toBe(expected.has(number));
        if (expected.has(number)) expect(columns.get(number)).toEqual(expected.get(number));
      }
    }),
    { numRuns: 50 },
  );
});

test('a content that is no SHA-256 is an error, not another content', () => {
  const bad = { ok: true, content: 'abc', pack: 'p', offset: 0, length: 1, crc: 0 } as const;
  expect(() => new OutcomeColumns().set(0, bad)).toThrow(/SHA-256/);
});
