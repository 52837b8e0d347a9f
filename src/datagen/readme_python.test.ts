import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import '../problems/all.js';
import { problem } from '../problems/registry.js';
import { generateData } from './generate.js';

const python = process.env.T2T_PYTHON ?? 'python3';
const hasTensorFlow = spawnSync(python, ['-c', 'import tensorflow'], { timeout: 120_000 }).status === 0;
if (!hasTensorFlow) console.warn(`SKIPPED: ${python} has no tensorflow; set T2T_PYTHON to one that has`);

const folder = mkdtempSync(join(tmpdir(), 't2t-readme-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(!hasTensorFlow)(
  'the Python of the README reads every example of finished shards [needs TensorFlow]',
  async () => {
    const { splits } = await generateData(problem('fec_tiny'), {
      dataDir: join(folder, 'data'),
      tmpDir: join(folder, 'tmp'),
      splits: ['train'],
    });
    const page = readFileSync(join(projectFolder(), 'README.md'), 'utf8');
    const program = /```python\n([\s\S]*?)```/
      .exec(page)?.[1]
      ?.replace('data/fec-train', 'data/fec_tiny-train');
    const count = `
shapes = {tuple(tf.io.decode_jpeg(e['image/b']).shape) for e in dataset}
print(sum(1 for _ in dataset), sorted({int(e['triplet_code']) for e in dataset}), shapes)
`;
    const { stdout, stderr, status } = spawnSync(python, ['-c', program + count], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 120_000,
    });
    expect(status, stderr).toBe(0);
    expect(stdout.trim()).toBe(`${splits.train?.written} [1, 2, 3] {(128, 128, 3)}`);
  },
);

function projectFolder(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, 'README.md'))) at = dirname(at);
  return at;
}
