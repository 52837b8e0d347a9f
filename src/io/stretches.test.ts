import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Stretch, Stretches } from './stretches.js';

describe('Stretches', () => {
  it('gives the second half of the longest to who has nothing, down to one piece', () => {
    const stretches = new Stretches([{ start: 0, end: 1000 }], 100);
    const first = stretches.take() as Stretch;
    const second = stretches.take() as Stretch;
    expect([first.position, first.end, second.position, second.end]).toEqual([0, 500, 500, 1000]);
    const third = stretches.take() as Stretch;
    expect([third.position, third.end]).toEqual([300, 500]);
  });

  it('hands on every piece once, whole and in place, however the work is shared, cut and given back', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 97 }),
        fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 200 }), fc.boolean()), { maxLength: 60 }),
        (total, pieceBytes, steps) => {
          const source = Buffer.from(Array.from({ length: total }, (_, i) => (i * 7) % 251));
          const target = Buffer.alloc(total, 255);
          const seen = new Set<number>();
          const stretches = new Stretches([{ start: 0, end: total }], pieceBytes);
          const held: (Stretch | undefined)[] = [];
          const feed = (stretch: Stretch, count: number): void => {
            const end = Math.min(stretch.end, stretch.position + count);
            stretch.fill(source.subarray(stretch.position, end), (start, bytes) => {
              expect(seen.has(start)).toBe(false);
              seen.add(start);
              bytes.copy(target, start);
            });
          };
          for (const [worker, count, isLost] of steps) {
            held[worker] ??= stretches.take();
            const stretch = held[worker];
            if (stretch === undefined) continue;
            feed(stretch, count);
            if (!isLost && stretch.position < stretch.end) continue;
            stretches.giveBack(stretch);
            held[worker] = undefined;
          }
          for (const stretch of held) if (stretch !== undefined) stretches.giveBack(stretch);
          for (let stretch = stretches.take(); stretch !== undefined; stretch = stretches.take()) {
            feed(stretch, total);
            stretches.giveBack(stretch);
          }
          expect(stretches.isEmpty).toBe(true);
          expect(target.equals(source)).toBe(true);
          expect(seen.size).toBe(Math.ceil(total / pieceBytes));
        },
      ),
    );
  });
});
