import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 't2t-library-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the package is imported by its name, and makes and verifies data', () => {
  const program = `
    import { generateData, problem, verifyData } from 't2t-ts';
    const summary = await generateData(problem('fec_tiny'), { dataDir: ${JSON.stringify(join(folder, 'data'))}, tmpDir: ${JSON.stringify(join(folder, 'tmp'))}, splits: ['test'], limit: 7 });
    console.log(JSON.stringify([summary.splits, await verifyData(${JSON.stringify(join(folder, 'data'))})]));
  `;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  const [splits, report] = JSON.parse(stdout) as [
    Record<string, { planned: number; written: number }>,
    { ok: boolean },
  ];
  expect(splits.test).toMatchObject({ planned: 7, written: 7 });
  expect(report.ok).toBe(true);
});
