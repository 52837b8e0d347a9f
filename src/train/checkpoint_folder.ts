/** The checkpoints of a run: the last ones to go on from, and the best one to use. */

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeLeftovers } from '../datagen/data_files.js';
import { UserError } from '../io/errors.js';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.js';

/** What was found to go on from. */
export interface FoundCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly path: string;
  /** Later ones that can't be read, latest first, and why: to be said to the person. */
  readonly passedOver: readonly UserError[];
}

/**
 * `step-000000001200.safetensors` for the last steps and `best.safetensors`, each written whole or not at all. A process that
 * is killed at any moment leaves a folder from which the run goes on.
 */
export class CheckpointFolder {
  readonly folder: string;
  readonly #keep: number;

  /**
   * Opens or makes the folder and removes what killed processes left half written. One process at a time may write to it.
   * @param options `keep`: how many of the last checkpoints stay; 2 where not said, so that one may be damaged.
   */
  constructor(folder: string, options: { readonly keep?: number } = {}) {
    this.folder = folder;
    this.#keep = options.keep ?? 2;
    if (!(Number.isInteger(this.#keep) && this.#keep >= 1))
      throw new RangeError(`keep ${this.#keep} checkpoints`);
    mkdirSync(folder, { recursive: true });
    removeLeftovers(folder);
  }

  /**
   * Writes a checkpoint, where it is the best one as that first: a run that is killed in between comes to this step again and
   * saves it again, while one that went on from it would never know. Then it removes those that are too old or, left by a
   * run that went on from an earlier step, later. @throws UserError where it can't be written: nothing is removed then.
   */
  save(checkpoint: Checkpoint, as: 'last' | 'best' = 'last'): void {
    if (as === 'best') writeCheckpoint(this.bestPath, checkpoint);
    writeCheckpoint(join(this.folder, stepName(checkpoint.step)), checkpoint);
    const steps = this.#steps();
    const past = steps.filter((step) => step <= checkpoint.step);
    const kept = new Set(past.slice(0, this.#keep));
    for (const step of steps) if (!kept.has(step)) rmSync(join(this.folder, stepName(step)), { force: true });
  }

  get bestPath(): string {
    return join(this.folder, 'best.safetensors');
  }

  /** The best checkpoint; undefined where none was saved. @throws UserError where it can't be read. */
  best(): Checkpoint | undefined {
    return existsSync(this.bestPath) ? readCheckpoint(this.bestPath) : undefined;
  }

  /**
   * The last checkpoint that can be read; undefined where none was saved.
   * @throws UserError where there are some and none can be read: a run must not begin again in silence.
   */
  last(): FoundCheckpoint | undefined {
    const passedOver: UserError[] = [];
    for (const step of this.#steps()) {
      const path = join(this.folder, stepName(step));
      try {
        return { checkpoint: readCheckpoint(path), path, passedOver };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        passedOver.push(error);
      }
    }
    if (passedOver.length === 0) return undefined;
    throw new UserError(
      `none of ${passedOver.length} checkpoints can be read; of the last one: ${passedOver[0]!.what}`,
      {
        where: this.folder,
        remedy: 'remove the folder to begin again, or copy the files from where they are whole',
        cause: passedOver[0],
      },
    );
  }

  /** Latest first. */
  #steps(): number[] {
    return readdirSync(this.folder)
      .map((name) => /^step-(\d{12,16})\.safetensors$/.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((a, b) => b - a);
  }
}

/** As many digits as names sort by; beyond them a name is longer and is found all the same. */
function stepName(step: number): string {
  if (!(Number.isSafeInteger(step) && step >= 0)) throw new RangeError(`a checkpoint of step ${step}`);
  return `step-${String(step).padStart(12, '0')}.safetensors`;
}
