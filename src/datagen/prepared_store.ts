/** Prepared inputs (face crops) in a few large pack files, so that each is made once, however many examples use it. */

import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FractionBox } from '../faces/crop.js';
import { crc32c } from '../io/crc32c.js';
import { UserError } from '../io/errors.js';
import { processTag } from '../io/process_tag.js';
import { writeFully } from '../io/write_fully.js';
import type { RejectionReason } from '../problems/rejection.js';
import { boxKey, type InputOutcome } from './input_table.js';

/**
 * A folder of packs for one way of preparing. Workers append bytes to packs of their own (`PackWriter`); the main thread
 * appends where they lie to an index of its own, after the bytes. So a kill leaves at most bytes that no index line
 * names, which are made again.
 */
export class PreparedStore {
  readonly folder: string;
  private readonly known = new Map<string, InputOutcome>();
  private readonly indexPath: string;
  private indexFile: number | undefined;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.indexPath = join(folder, `${processTag()}.index.jsonl`);
    const packBytes = new Map<string, number>();
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.pack')) packBytes.set(name, statSync(join(folder, name)).size);
    }
    for (const name of readdirSync(folder).sort()) {
      if (!name.endsWith('.index.jsonl')) continue;
      for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
        const entry = readEntry(line);
        if (entry === undefined) continue;
        const { outcome } = entry;
        if (outcome.ok && outcome.offset + outcome.length > (packBytes.get(outcome.pack) ?? 0)) continue;
        this.known.set(entry.key, outcome);
      }
    }
  }

  get(content: string, box: FractionBox | undefined): InputOutcome | undefined {
    return this.known.get(`${content} ${boxKey(box)}`);
  }

  /** Remembers an outcome, now and for later runs. The bytes must be in their pack already. */
  add(content: string, box: FractionBox | undefined, outcome: InputOutcome): void {
    const key = `${content} ${boxKey(box)}`;
    this.known.set(key, outcome);
    this.indexFile ??= openSync(this.indexPath, 'a');
    writeFully(this.indexFile, Buffer.from(`${JSON.stringify({ key, ...outcome })}\n`));
  }

  /**
   * Overwrites with zeros, and forgets, everything that was prepared from one raw file: every copy that any index names,
   * since several tasks may have prepared the same file.
   */
  erase(content: string): void {
    for (const key of this.known.keys()) if (key.startsWith(`${content} `)) this.known.delete(key);
    for (const name of readdirSync(this.folder)) {
      if (!name.endsWith('.index.jsonl')) continue;
      const path = join(this.folder, name);
      const lines = readFileSync(path, 'utf8').split('\n');
      const kept = lines.filter((line) => {
        const entry = readEntry(line);
        if (entry?.key.startsWith(`${content} `) === true) zero(this.folder, entry.outcome);
        return line !== '' && entry?.key.startsWith(`${content} `) !== true;
      });
      if (kept.length === lines.length - 1) continue;
      const file = openSync(path, 'w');
      writeFully(file, Buffer.from(kept.map((line) => `${line}\n`).join('')));
      closeSync(file);
    }
  }

  close(): void {
    if (this.indexFile !== undefined) closeSync(this.indexFile);
    this.indexFile = undefined;
  }
}

function zero(folder: string, outcome: InputOutcome): void {
  if (!outcome.ok || !existsSync(join(folder, outcome.pack))) return;
  const file = openSync(join(folder, outcome.pack), 'r+');
  writeFully(file, Buffer.alloc(outcome.length), outcome.offset);
  closeSync(file);
}

/** Appends prepared bytes to a pack that no other thread writes. */
export class PackWriter {
  readonly name: string;
  private readonly path: string;
  private file: number | undefined;
  private size = 0;

  constructor(folder: string, worker: number) {
    let serial = 0;
    while (existsSync(join(folder, `${processTag()}-w${worker}-${serial}.pack`))) serial++;
    this.name = `${processTag()}-w${worker}-${serial}.pack`;
    this.path = join(folder, this.name);
  }

  append(bytes: Uint8Array): { pack: string; offset: number; length: number; crc: number } {
    this.file ??= openSync(this.path, 'wx');
    const offset = this.size;
    writeFully(this.file, bytes);
    this.size += bytes.length;
    return { pack: this.name, offset, length: bytes.length, crc: crc32c(bytes) };
  }
}

function readEntry(line: string): { key: string; outcome: InputOutcome } | undefined {
  if (line === '') return undefined;
  try {
    const entry = JSON.parse(line) as { key: string; ok: boolean } & Record<string, unknown>;
    if (typeof entry.key !== 'string') return undefined;
    if (!entry.ok)
      return {
        key: entry.key,
        outcome: { ok: false, reason: entry.reason as RejectionReason, detail: String(entry.detail) },
      };
    const { content, pack, offset, length, crc } = entry;
    if (typeof content !== 'string' || typeof pack !== 'string') return undefined;
    return {
      key: entry.key,
      outcome: { ok: true, content, pack, offset: Number(offset), length: Number(length), crc: Number(crc) },
    };
  } catch {
    return undefined; // A line that a kill cut: what it named is made again.
  }
}

/** Says that a pack was changed behind our back. */
export function damagedPack(path: string): UserError {
  return new UserError('a pack of prepared pictures is damaged', {
    where: path,
    remedy: 'delete its folder and run the command again: the pictures are prepared anew',
  });
}
