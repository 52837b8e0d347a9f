import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { differences, runCli } from '../../fixtures/run_cli.js';
import { makeVggFace2Tree } from '../../fixtures/vggface2_tree.js';

const root = mkdtempSync(join(tmpdir(), 't2t-other-landmarks-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function datagen(data: string, tmp: string): Promise<void> {
  const places = [
    '--data-dir',
    join(root, data),
    '--tmp-dir',
    join(root, tmp),
    '--manual-dir',
    join(root, 'in'),
  ];
  const size = ['--split', 'test', '--shards', '2', '--option', 'test_examples=12', '--workers', '1'];
  const { code, stderr } = await runCli([
    'datagen',
    'vggface2',
    ...places,
    ...size,
    '--accept-licence',
    '--json',
  ]);
  expect(code, stderr).toBe(0);
}

test('shards of the same pictures with other landmarks are stale, also where another folder had them prepared anew', async () => {
  await makeVggFace2Tree({ folder: join(root, 'in'), seed: 'other', identities: { train: 1, test: 3 } });
  await datagen('first', 'tmp');
  const table = join(root, 'in', 'bb_landmark', 'loose_landmark_test.csv');
  const moved = readFileSync(table, 'utf8').replace(
    /,(\d+)(?=[.,\r\n])/g,
    (_, digits) => `,${Number(digits) + 7}`,
  );
  expect(moved).not.toBe(readFileSync(table, 'utf8'));
  writeFileSync(table, `${moved}\n`);
  await datagen('second', 'tmp');
  expect(differences(join(root, 'first'), join(root, 'second'))).not.toEqual([]);
  await datagen('first', 'tmp');
  await datagen('undisturbed', 'tmp-of-its-own');
  expect(differences(join(root, 'first'), join(root, 'undisturbed'))).toEqual([]);
  expect(differences(join(root, 'second'), join(root, 'undisturbed'))).toEqual([]);
}, 120_000);
