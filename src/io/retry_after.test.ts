import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from './retry_after.js';

const NOW_MS = Date.UTC(2030, 0, 2, 3, 4, 5);

describe('parseRetryAfter', () => {
  it('reads seconds', () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => {
        expect(parseRetryAfter(` ${seconds} `, NOW_MS)).toBe(seconds * 1000);
      }),
    );
    expect(parseRetryAfter('9'.repeat(400), NOW_MS)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('reads all three forms of an HTTP date, past ones as now', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 6), max: 10 ** 6 }), (seconds) => {
        const date = new Date(NOW_MS + seconds * 1000);
        const [day, number, month, year, time] = date.toUTCString().replace(',', '').split(' ') as [
          string,
          string,
          string,
          string,
          string,
        ];
        const longDay = date.toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' });
        const forms = [
          date.toUTCString(),
          `${longDay}, ${number}-${month}-${year.slice(2)} ${time} GMT`,
          `${day} ${month} ${number.replace(/^0/, ' ')} ${time} ${year}`,
        ];
        for (const form of forms)
          expect([form, parseRetryAfter(form, NOW_MS)]).toEqual([form, Math.max(0, seconds * 1000)]);
      }),
    );
  });

  it('ignores anything else without an error', () => {
    for (const value of [undefined, '', 'soon', '-1', '1.5', '10 s', 'Mon, nonsense'])
      expect([value, parseRetryAfter(value, NOW_MS)]).toEqual([value, undefined]);
    fc.assert(
      fc.property(fc.string(), (value) => {
        const parsed = parseRetryAfter(value, NOW_MS);
        expect(parsed === undefined || parsed >= 0).toBe(true);
      }),
    );
  });
});
