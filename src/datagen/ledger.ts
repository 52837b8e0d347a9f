/**
 * The ledger of a shard: a head line with what the shard is, then a line for every example planned, written or rejected,
 * with the fate of each input. It is written last: a shard with a ledger is finished, and the ledger says from what.
 */

import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { UserError } from '../io/errors.js';
import type { RejectionReason } from '../problems/rejection.js';
import { writeWhole } from './data_files.js';

export interface LedgerHead {
  readonly shard: string;
  readonly index: number;
  readonly of: number;
  /** Digest of the settings that the shard was made with, and of the rows planned for it. */
  readonly settings: string;
  readonly plan: string;
  readonly planned: number;
  readonly written: number;
  readonly rejected: Readonly<Partial<Record<RejectionReason, number>>>;
  /** Of the shard file and of its index. */
  readonly bytes: number;
  readonly sha256: string;
  readonly indexSha256: string;
}

export interface LedgerLine {
  readonly key: string;
  /**
   * A token for each input: the first 16 hex digits of its content's SHA-256 and the 8 of the CRC-32C of what was prepared
   * of it, or the reason why there is none.
   */
  readonly inputs?: readonly string[];
  readonly rejected?: RejectionReason;
  readonly detail?: string;
  /** Of a few rejected examples: their inputs' addresses, and those of their pictures that could be had (base64 JPEG). */
  readonly sample?: readonly { readonly url: string; readonly jpeg?: string }[];
}

/** Writes a ledger whole. */
export function writeLedger(path: string, head: LedgerHead, lines: readonly LedgerLine[]): void {
  writeWhole(path, `${[head, ...lines].map((line) => JSON.stringify(line)).join('\n')}\n`);
}

/** The head of a ledger; undefined where there is none or it can't be read, which means that the shard is not finished. */
export function readLedgerHead(path: string): LedgerHead | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(8192);
    const read = readSync(file, buffer, 0, buffer.length, 0);
    const end = buffer.subarray(0, read).indexOf(10);
    if (end < 0) return undefined;
    const head = JSON.parse(buffer.toString('utf8', 0, end)) as LedgerHead;
    return typeof head.settings === 'string' &&
      typeof head.plan === 'string' &&
      typeof head.bytes === 'number'
      ? head
      : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

/**
 * All of a ledger.
 * @throws UserError where it can't be read or holds another number of lines than its head says.
 */
export function readLedger(path: string): { head: LedgerHead; lines: LedgerLine[] } {
  try {
    const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
    const parsed = JSON.parse(head as string) as LedgerHead;
    if (lines.length !== parsed.planned)
      throw new Error(`${lines.length} lines for ${parsed.planned} examples`);
    return { head: parsed, lines: lines.map((line) => JSON.parse(line) as LedgerLine) };
  } catch (error) {
    throw new UserError(`a ledger can't be read: ${error instanceof Error ? error.message : error}`, {
      where: path,
      remedy: 'delete it and run datagen again: its shard is made anew',
    });
  }
}
