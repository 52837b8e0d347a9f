import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { writeSmallSplit } from '../fixtures/small_split.js';
import { text } from '../src/io/features.js';
import { renewCard } from './renew_card.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-renew-card-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function toldOf(dataDir: string): Promise<string> {
  const told: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((line) => told.push(String(line)) > 0);
  try {
    await renewCard(dataDir);
  } finally {
    spy.mockRestore();
  }
  return told.join('');
}

test('whatever stands in the way of a card is told with its path, and fails no command', async () => {
  const dir = join(folder, 'data');
  const split = { problem: 'small', split: 'train', features: { key: text() } } as const;
  const { shards } = writeSmallSplit(dir, { ...split, examples: [{ key: 'a' }] });
  mkdirSync(join(dir, 'README.md'));
  expect(await toldOf(dir)).toContain(join(dir, 'README.md'));
  rmSync(join(dir, 'README.md'), { recursive: true });
  writeFileSync(join(dir, 'card'), 'a file');
  expect(await toldOf(dir)).toContain(`no dataset card was written in ${dir}`);
  rmSync(join(dir, 'card'));
  truncateSync(join(dir, shards[0]!.file), 3);
  expect(await toldOf(dir)).toContain(shards[0]!.file);
});
