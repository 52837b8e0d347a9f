import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PositionTriplet, sampleRelativePositions } from './relative_positions.js';

const cases = fc.record({
  windows: fc.array(fc.integer({ min: 0, max: 14 }), { maxLength: 4 }),
  near: fc.integer({ min: 1, max: 3 }),
  beyond: fc.integer({ min: 1, max: 4 }),
  count: fc.integer({ min: 0, max: 60 }),
  seed: fc.string(),
});

/** All there are, counted in the plainest way. */
function existing(windows: number, near: number, far: number): string[] {
  const found: string[] = [];
  for (let i = 0; i < windows; i++)
    for (let j = i + 1; j < windows && j - i <= near; j++)
      for (let k = 0; k < windows; k++)
        if (Math.abs(k - i) >= far && Math.abs(k - j) >= far) found.push(`${i} ${j} ${k}`);
  return found;
}

function nameOf({ pair, far }: PositionTriplet): string {
  return `${Math.min(...pair)} ${Math.max(...pair)} ${far}`;
}

describe('sampleRelativePositions', () => {
  it('gives triplets that exist, none twice, as many as wanted or as there are', () => {
    fc.assert(
      fc.property(cases, ({ windows, near, beyond, count, seed }) => {
        const series = windows.map((number, i) => ({ id: `r${i}`, windows: number }));
        const options = { near, far: near + beyond, count, seed };
        const sampled = sampleRelativePositions(series, options);
        const found = [...sampled.triplets];
        const all = windows.map((number) => existing(number, near, near + beyond));
        const total = all.reduce((sum, list) => sum + list.length, 0);
        expect(found.length).toBe(Math.min(count, total));
        expect(sampled.count).toBe(found.length);
        expect(new Set(found.map((triplet) => `${triplet.series} ${nameOf(triplet)}`)).size).toBe(
          found.length,
        );
        for (const triplet of found) expect(all[triplet.series]).toContain(nameOf(triplet));
        expect([...sampleRelativePositions(series, options).triplets]).toEqual(found);
      }),
    );
  });

  it('reaches every triplet there is', () => {
    const all = existing(12, 2, 5);
    const { triplets } = sampleRelativePositions([{ id: 'a', windows: 12 }], {
      near: 2,
      far: 5,
      count: 999,
      seed: '',
    });
    expect([...triplets].map(nameOf).sort()).toEqual(all.sort());
  });

  it('puts the far one in each place, and either near one first, equally often', () => {
    const { triplets } = sampleRelativePositions([{ id: 'a', windows: 200 }], {
      near: 2,
      far: 31,
      count: 6000,
      seed: 'x',
    });
    const counts = new Map<string, number>();
    for (const { odd, pair } of triplets) {
      const key = `${odd} ${pair[0] < pair[1]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // 1000 of each are expected; five standard deviations are 144.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(144);
  });

  it('takes as much of each recording, but for short ones', () => {
    const series = [300, 300, 35].map((windows, i) => ({ id: `r${i}`, windows }));
    const { triplets } = sampleRelativePositions(series, { near: 1, far: 31, count: 1000, seed: '' });
    const shares = [0, 0, 0];
    for (const { series: number } of triplets) shares[number]! += 1;
    expect(shares[2]).toBe(existing(35, 1, 31).length);
    expect(Math.abs((shares[0] as number) - (shares[1] as number))).toBeLessThanOrEqual(1);
  });
});
