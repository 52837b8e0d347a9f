import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { planDigest, readPlanLines, shardLines, shardRange, writePlanFile } from './plan_file.js';

const folder = mkdtempSync(join(tmpdir(), 'plan-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function keysOfShards(rows: readonly { key: string }[], shards: number, seed: string, limit?: number) {
  const plan = await writePlanFile({
    folder,
    split: 'train',
    rows,
    shuffleSeed: seed,
    ...(limit === undefined ? {} : { limit }),
  });
  return Array.from({ length: shards }, (_, index) => {
    const { start, end } = shardRange(plan.planned, shards, index);
    const keys: string[] = [];
    readPlanLines(plan.path, shardLines(plan, start, end), (line) =>
      keys.push(JSON.parse(line.toString()).key),
    );
    return keys;
  });
}

test('every row is in exactly one shard, and shards differ by at most one row', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 80 }),
      fc.integer({ min: 1, max: 9 }),
      async (names, shards) => {
        const parts = await keysOfShards(
          names.map((key) => ({ key })),
          shards,
          'seed',
        );
        expect(parts.flat().sort()).toEqual([...names].sort());
        const sizes = parts.map((part) => part.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 60 },
  );
});

test('the shuffle follows the seed, and a limit keeps its beginning', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => ({ key: `row ${i}`, text: 'ü'.repeat(i % 700) }));
  const all = (await keysOfShards(rows, 4, 'a')).flat();
  expect((await keysOfShards(rows, 7, 'a')).flat()).toEqual(all);
  expect((await keysOfShards(rows, 1, 'b')).flat()).not.toEqual(all);
  expect((await keysOfShards(rows, 2, 'a', 100)).flat()).toEqual(all.slice(0, 100));
});

test('a row without a key is refused', async () => {
  await expect(keysOfShards([{ key: 'a' }, { key: '' }], 1, 's')).rejects.toThrow(/row 2 of train.*key/);
});

test('the digest tells rows and their order apart', () => {
  const digestOf = (...lines: string[]) => {
    const digest = planDigest();
    for (const line of lines) digest.add(Buffer.from(line));
    return digest.hex();
  };
  expect(digestOf('a', 'b')).not.toBe(digestOf('b', 'a'));
  expect(digestOf('a', 'b')).not.toBe(digestOf('ab'));
});
