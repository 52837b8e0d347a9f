import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lfwImage, readLfwPairs } from '../datasets/lfw/pairs.js';
import { LabeledFacesInTheWild } from './lfw.js';

/** The published file's shape: folds, then in each fold pairs of one person, then pairs of two. */
function writePairs(path: string, folds: number, pairs: number): void {
  const lines = [`${folds}\t${pairs}`];
  for (let fold = 1; fold <= folds; fold++) {
    for (let i = 1; i <= pairs; i++) lines.push(`Fold_${fold}_Person_${i}\t1\t${i + 1}`);
    for (let i = 1; i <= pairs; i++) lines.push(`Fold_${fold}_Person_${i}\t1\tFold_${fold}_Other\t${i}`);
  }
  writeFileSync(path, `${lines.join('\n')}\n`);
}

test('the 6,000 pairs of pairs.txt are the test split, in their folds, 1 for one person and 0 for two', async () => {
  const folder = mkdtempSync(join(tmpdir(), 't2t-lfw-'));
  try {
    writePairs(join(folder, 'pairs.txt'), 10, 300);
    const problem = new LabeledFacesInTheWild();
    expect(problem.splits).toEqual(['test']);
    const rows = [];
    for await (const row of problem.plan('test', { pairs: readLfwPairs(join(folder, 'pairs.txt')) }))
      rows.push(row);
    expect(rows.length).toBe(6000);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(6000);
    const counts = new Map<string, number>();
    for (const row of rows) {
      const input = (url: string) => ({ input: { url }, bytes: new Uint8Array(1), contentSha256: url });
      const values = problem.example(row, row.images.map(input));
      const name = `${values.fold} ${values.targets}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      const isSame = values['image/a/identity'] === values['image/b/identity'];
      expect(values.targets).toBe(isSame ? 1 : 0);
      expect(values['image/a/identity']).toMatch(new RegExp(`^Fold_${values.fold}_`));
      expect(problem.inputs(row).map(({ url }) => url)).toEqual([
        `dataset:${values['image/a/path']}`,
        `dataset:${values['image/b/path']}`,
      ]);
    }
    expect(counts.size).toBe(20);
    expect([...counts.values()].every((count) => count === 300)).toBe(true);
    expect(rows[0]).toEqual({
      key: 'fold1:1',
      images: [lfwImage('Fold_1_Person_1', 1), lfwImage('Fold_1_Person_1', 2)],
      fold: 1,
      same: true,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
