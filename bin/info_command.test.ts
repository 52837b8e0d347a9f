import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCli } from '../fixtures/run_cli.js';
import { makeUnusualSplit, UNUSUAL_FEATURES } from '../src/datagen/unusual_split.test.helper.js';
import { featureTable } from '../src/io/feature_table.js';
import { exampleSchema } from '../src/io/json_schema.js';
import { pythonReader } from '../src/io/python_reader.js';
import '../src/problems/all.js';
import { featureMeanings } from '../src/problems/feature_meanings.js';
import { problem } from '../src/problems/registry.js';

const root = mkdtempSync(join(tmpdir(), 't2t-info-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('info prints a Problem’s features as Python, as a schema and as a table, and nothing else', async () => {
  const { name, version, features } = problem('fec');
  const meanings = featureMeanings({ name, features });
  const expected = {
    '--python': pythonReader({ name: 'fec', version, features }),
    '--json-schema': `${JSON.stringify(exampleSchema('fec', features, meanings), null, 2)}\n`,
    '--markdown': `${featureTable(features, meanings)}\n`,
  };
  for (const [flag, text] of Object.entries(expected)) {
    const { code, stdout, stderr } = await runCli(['info', 'fec', flag]);
    expect([code, stdout, stderr]).toEqual([0, text, '']);
  }
});

test('with --data-dir the features are those of the data there, also of a name that nobody registered', async () => {
  makeUnusualSplit(root, 'foreign', { split: 'test' });
  const { code, stdout } = await runCli(['info', 'foreign', '--python', '--data-dir', root]);
  expect(code).toBe(0);
  expect(stdout).toBe(pythonReader({ name: 'foreign', version: '2', features: UNUSUAL_FEATURES }));
  const whole = await runCli(['info', 'foreign', '--data-dir', root]);
  expect([whole.code, whole.stderr]).toEqual([0, '']);
  expect(whole.stdout).toMatch(/^foreign 2: /);
  expect(whole.stdout).toContain('\nsplits    test\n');
  const nothing = await runCli(['info', 'fec', '--markdown', '--data-dir', root]);
  expect(nothing.code).toBe(1);
  expect(nothing.stderr).toContain('there is no train split of fec');
});

test('two forms at once are refused', async () => {
  const { code, stderr } = await runCli(['info', 'fec', '--python', '--json']);
  expect(code).toBe(2);
  expect(stderr).toContain('cannot be used with');
});
