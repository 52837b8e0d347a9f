import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { UserError } from '../io/errors.js';
import { decodeSafetensors } from '../io/safetensors.js';
import { type Checkpoint, type JsonValue, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { CheckpointFolder } from './checkpoint_folder.js';

const root = mkdtempSync(join(tmpdir(), 't2t-checkpoint-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const newFolder = (): string => mkdtempSync(join(root, 'run-'));

const at = (step: number): Checkpoint => ({
  step,
  tensors: new Map([
    ['dense/kernel', { data: Float32Array.of(step, 0.5, -0), shape: [3, 1] }],
    ['optimizer/steps', { data: Int32Array.of(step), shape: [] }],
  ]),
  state: { epoch: 2, seed: 'a', best: null, hparams: { learning_rate: 3e-4 } },
});

test('what is saved comes back: step, tensors, state', () => {
  const path = join(newFolder(), 'one.safetensors');
  writeCheckpoint(path, at(7));
  expect(readCheckpoint(path)).toEqual(at(7));
  // To any reader of the format it is an ordinary file of it.
  expect(decodeSafetensors(readFileSync(path), path).metadata).toMatchObject({ step: '7' });
});

test('any state that JSON holds comes back', () => {
  const path = join(newFolder(), 'one.safetensors');
  // JSON has no −0.
  const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
  fc.assert(
    fc.property(fc.maxSafeInteger().map(Math.abs), json, (step, value) => {
      writeCheckpoint(path, { ...at(step), state: { value } });
      expect(readCheckpoint(path)).toEqual({ ...at(step), state: { value } });
    }),
    { numRuns: 40 },
  );
  expect(() => writeCheckpoint(path, { ...at(1), state: { loss: Number.NaN } })).toThrow('"loss" is NaN');
});

test('a checkpoint with a byte changed, or cut off, wherever it is, is refused in a sentence', () => {
  const folder = newFolder();
  const path = join(folder, 'one.safetensors');
  writeCheckpoint(path, at(7));
  const whole = readFileSync(path);
  const damaged = join(folder, 'damaged');
  for (let byte = 0; byte < whole.length; byte += 3) {
    const bytes = Buffer.from(whole);
    bytes[byte]! ^= 1 << (byte % 8);
    writeFileSync(damaged, bytes);
    expect(() => readCheckpoint(damaged)).toThrow(UserError);
    writeFileSync(damaged, whole.subarray(0, byte));
    expect(() => readCheckpoint(damaged)).toThrow(UserError);
  }
  expect(() => readCheckpoint(join(folder, 'absent'))).toThrow("can't be read (ENOENT)");
});

test('the last two and the best stay, and nothing else', () => {
  const run = new CheckpointFolder(newFolder());
  expect(run.last()).toBeUndefined();
  expect(run.best()).toBeUndefined();
  run.save(at(10));
  run.save(at(20), 'best');
  run.save(at(30));
  run.save(at(40));
  expect(readdirSync(run.folder).sort()).toEqual([
    'best.safetensors',
    'step-000000000030.safetensors',
    'step-000000000040.safetensors',
  ]);
  expect(run.last()).toMatchObject({ checkpoint: at(40), passedOver: [] });
  expect(run.best()).toEqual(at(20));
});

test('a damaged last checkpoint is said, and the one before is used', () => {
  const run = new CheckpointFolder(newFolder());
  run.save(at(10));
  run.save(at(20));
  const last = join(run.folder, 'step-000000000020.safetensors');
  writeFileSync(last, readFileSync(last).subarray(0, 100));
  const found = run.last()!;
  expect(found.checkpoint).toEqual(at(10));
  expect(found.passedOver.map(({ message }) => message)).toEqual([expect.stringContaining(last)]);
  // What is saved on the way again takes the damaged one's place.
  run.save(at(15));
  expect(run.last()).toMatchObject({ checkpoint: at(15), passedOver: [] });
  expect(existsSync(last)).toBe(false);
});

test('a run whose checkpoints are all damaged does not begin again in silence', () => {
  const run = new CheckpointFolder(newFolder());
  run.save(at(10));
  writeFileSync(join(run.folder, 'step-000000000010.safetensors'), 'nothing');
  expect(() => run.last()).toThrow('none of 1 checkpoints can be read');
});

test('a folder that can not be written is said', () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'file'), '');
  expect(() => writeCheckpoint(join(folder, 'file', 'one.safetensors'), at(1))).toThrow(UserError);
});
