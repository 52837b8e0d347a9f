/** Checkpoint files: weights and everything else that a run needs to go on, whole or not at all, and checked when read. */

import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder, temporaryPath } from '../datagen/data_files.js';
import { UserError, unwritable } from '../io/errors.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../io/safetensors.js';
import { writeFully } from '../io/write_fully.js';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export interface Checkpoint {
  /** Steps done. */
  readonly step: number;
  /** Weights and the optimizer's arrays, by name. */
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** The rest, as JSON: the optimizer's numbers, where the reader stands, seeds, the config. Numbers are finite. */
  readonly state: { readonly [name: string]: JsonValue };
}

/**
 * Writes a checkpoint under a temporary name, waits until the disk holds it, and renames it: a process that is killed leaves
 * the file that was there before, or the new one.
 *
 * The file is in the safetensors format, so that Python reads the weights by `safetensors.numpy.load_file`. Its metadata are
 * `sha256`, `format` ("t2t-ts checkpoint 1"), `step` and `state` (JSON). The digest is that of the file in which its own 64
 * characters, which stand at byte 34, are zeros ("0").
 * @throws UserError where the file can't be written. @throws RangeError where JSON can't hold the state.
 */
export function writeCheckpoint(path: string, { step, tensors, state }: Checkpoint): void {
  const metadata = { sha256: NO_DIGEST, format: FORMAT, step: String(step), state: stateText(state) };
  const pieces = encodeSafetensors({ tensors, metadata });
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  Buffer.from(hash.digest('hex')).copy(pieces[0]!, DIGEST_AT);
  try {
    mkdirSync(dirname(path), { recursive: true });
    const temporary = temporaryPath(path);
    const file = openSync(temporary, 'wx');
    try {
      for (const piece of pieces) writeFully(file, piece);
      fsyncSync(file);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    } finally {
      closeSync(file);
    }
    syncFolder(dirname(path));
  } catch (cause) {
    throw unwritable('the checkpoint', path, cause);
  }
}

/** @throws UserError where there is none, it is damaged, or it is of another kind. */
export function readCheckpoint(path: string): Checkpoint {
  const bytes = readBytes(path);
  const { tensors, metadata } = decodeSafetensors(bytes, path);
  const { sha256, format, step, state } = metadata;
  if (format !== FORMAT)
    throw new UserError(`not a checkpoint of t2t-ts: its format is ${JSON.stringify(format)}`, {
      where: path,
    });
  const hash = createHash('sha256').update(bytes.subarray(0, DIGEST_AT)).update(NO_DIGEST);
  if (hash.update(bytes.subarray(DIGEST_AT + NO_DIGEST.length)).digest('hex') !== sha256)
    throw new UserError(
      'the checkpoint is damaged: it does not have the digest that it had when it was written',
      {
        where: path,
        remedy: 'use another checkpoint of the run, or copy this one again',
      },
    );
  return { step: Number(step), tensors, state: JSON.parse(state!) as Checkpoint['state'] };
}

const FORMAT = 't2t-ts checkpoint 1';
const NO_DIGEST = '0'.repeat(64);
const DIGEST_AT = 8 + '{"__metadata__":{"sha256":"'.length;

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new UserError(`the checkpoint can't be read (${code})`, { where: path, cause });
  }
}

/** @throws RangeError for a number that JSON would turn to null: a run must not go on with another state than it had. */
function stateText(state: Checkpoint['state']): string {
  return JSON.stringify(state, (name, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new RangeError(`state ${JSON.stringify(name)} is ${value}, which JSON can't hold`);
    return value;
  });
}
