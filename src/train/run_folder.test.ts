import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hparams } from '../models/hparams.js';
import { checkSameRun, findRun, type RunSettings, readRun, runPart } from './run_folder.js';
import { testFolder } from './small_run.test.helper.js';

const SETTINGS: RunSettings = {
  problem: { name: 'fec', version: '1.0.0', options: { margin: 0.15 } },
  model: 'triplet_mobilenet',
  hparamsSet: 'triplet_mobilenet_fec',
  hparams: hparams(),
  seed: 0,
  backend: 'wasm',
  evalEvery: 200,
  evalLimit: null,
  patience: null,
  data: { train: 'a', dev: null },
};

test('settings that differ are named with both values, however deep they are; equal ones are one run', () => {
  checkSameRun('o', SETTINGS, JSON.parse(JSON.stringify(SETTINGS)) as RunSettings);
  const problem = { ...SETTINGS.problem, options: { margin: 0.2 } };
  for (const [change, sentence] of [
    [{ problem }, 'the run in this folder has problem.options.margin 0.15, not 0.2'],
    [{ backend: 'cpu' }, 'has backend "wasm", not "cpu"'],
    [{ hparams: hparams({ learning_rate: 0.5 }) }, 'has hparams.learning_rate 0.001, not 0.5'],
    [
      { data: { train: 'a', dev: 'b' } },
      'the dev split is not the one that the run in this folder was trained on',
    ],
  ] as const)
    expect(() => checkSameRun('o', SETTINGS, { ...SETTINGS, ...change })).toThrow(sentence);
});

test('a folder without a run has none, and a file that is no config is not taken for one', () => {
  const folder = testFolder();
  expect(findRun(folder)).toBeUndefined();
  expect(() => readRun(folder)).toThrow('there is no run in this folder');
  for (const text of ['', '{', '{}', 'null']) {
    writeFileSync(join(folder, 'config.json'), text);
    expect(() => findRun(folder)).toThrow('this is no config of a run');
  }
});

test('a part of a run says when, where and with what it was made', () => {
  const { step, at, versions, machine } = runPart(7, 'wasm');
  expect([step, Number.isNaN(Date.parse(at))]).toEqual([7, false]);
  expect(versions.node).toBe(process.versions.node);
  expect(machine).toContain(process.arch);
});
