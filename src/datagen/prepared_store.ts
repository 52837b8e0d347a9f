/** Prepared inputs (face crops) in a few large pack files, so that each is made once, however many examples use it. */

import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '../io/crc32c.js';
import { UserError } from '../io/errors.js';
import { isLeftover, processTag } from '../io/process_tag.js';
import { TextTable } from '../io/text_table.js';
import { writeFully } from '../io/write_fully.js';
import type { Facts } from '../problems/problem.js';
import type { RejectionReason } from '../problems/rejection.js';
import { type InputOutcome, type InputPart, partKey, type StampedOutcome } from './input_table.js';
import { OutcomeColumns } from './outcome_columns.js';

/**
 * A folder of packs for one way of preparing. Workers append bytes to packs of their own (`PackWriter`); the main thread
 * appends where they lie to an index of its own, after the bytes. So a kill leaves at most bytes that no index line
 * names, which are made again.
 */
export class PreparedStore {
  readonly folder: string;
  private readonly keys = new TextTable();
  /** By the number of the key. */
  private readonly known = new OutcomeColumns();
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
      forEachLine(join(folder, name), (line) => {
        const entry = readEntry(line);
        if (entry === undefined) return;
        const { outcome } = entry;
        if (outcome.ok && outcome.offset + outcome.length > (packBytes.get(outcome.pack) ?? 0)) return;
        this.known.set(this.keys.number(entry.key), outcome);
      });
    }
  }

  /** What was prepared of a raw file: `origin` is a fetched file's content hash, or the address of a dataset's own file. */
  get(origin: string, part: InputPart | undefined): StampedOutcome | undefined {
    // A key that is only asked for gets a number too: it will be added soon.
    return this.known.get(this.keys.number(`${origin} ${partKey(part)}`));
  }

  /** Remembers an outcome, now and for later runs. The bytes must be in their pack already. */
  add(origin: string, part: InputPart | undefined, outcome: StampedOutcome): void {
    const key = `${origin} ${partKey(part)}`;
    this.known.set(this.keys.number(key), outcome);
    this.indexFile ??= openSync(this.indexPath, 'a');
    writeFully(this.indexFile, Buffer.from(`${JSON.stringify({ key, ...outcome })}\n`));
  }

  /**
   * Overwrites with zeros, and forgets, everything that was prepared from raw files: every copy that any index names,
   * since several tasks may have prepared the same file, and what a kill has left in packs without an index line, of
   * which nobody knows from what it was made. Gives the number of entries.
   */
  erase(isErased: (origin: string) => boolean): number {
    const isOurs = (key: string): boolean => isErased(key.slice(0, key.lastIndexOf(' ')));
    for (let number = 0; number < this.keys.size; number++)
      if (isOurs(this.keys.text(number))) this.known.remove(number);
    const named = new Map<string, number[]>();
    let erased = 0;
    for (const name of readdirSync(this.folder)) {
      if (!name.endsWith('.index.jsonl')) continue;
      const path = join(this.folder, name);
      let here = 0;
      forEachLine(path, (line) => {
        const entry = readEntry(line);
        if (entry === undefined) return;
        if (!isOurs(entry.key)) {
          if (entry.outcome.ok)
            placesIn(named, entry.outcome.pack).push(entry.outcome.offset, entry.outcome.length);
          return;
        }
        zero(this.folder, entry.outcome);
        here += 1;
      });
      if (here > 0) keepLines(path, (line) => !isOurs(readEntry(line)?.key ?? ''));
      erased += here;
    }
    for (const name of readdirSync(this.folder))
      if (name.endsWith('.pack') && isLeftover(ownerOf(name)))
        zeroBetween(join(this.folder, name), named.get(name));
    return erased;
  }

  close(): void {
    if (this.indexFile !== undefined) closeSync(this.indexFile);
    this.indexFile = undefined;
  }
}

/**
 * An input as it lies in a pack: the length of the facts (uint32, little endian), the facts as JSON, the bytes. Facts lie
 * there and not in the index, so that nobody holds those of millions of faces in memory.
 */
export function packed(bytes: Uint8Array, facts: Facts | undefined): Uint8Array {
  const json = facts === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(facts));
  const entry = Buffer.allocUnsafe(4 + json.length + bytes.length);
  entry.writeUInt32LE(json.length, 0);
  json.copy(entry, 4);
  entry.set(bytes, 4 + json.length);
  return entry;
}

/** The reverse of `packed`; the bytes are a view. */
export function unpacked(entry: Uint8Array): { readonly bytes: Uint8Array; readonly facts?: Facts } {
  const view = Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength);
  const end = 4 + view.readUInt32LE(0);
  const bytes = entry.subarray(end);
  return end === 4 ? { bytes } : { bytes, facts: JSON.parse(view.toString('utf8', 4, end)) as Facts };
}

function zero(folder: string, outcome: InputOutcome): void {
  if (!outcome.ok || !existsSync(join(folder, outcome.pack))) return;
  const file = openSync(join(folder, outcome.pack), 'r+');
  try {
    writeFully(file, Buffer.alloc(outcome.length), outcome.offset);
  } finally {
    closeSync(file);
  }
}

function placesIn(named: Map<string, number[]>, pack: string): number[] {
  const places = named.get(pack) ?? [];
  named.set(pack, places);
  return places;
}

/** The process that wrote a pack: only what an ended one has left may be touched where no index names it. */
function ownerOf(pack: string): string {
  return pack.replace(/-w\d+-\d+\.pack$/, '');
}

/** Zeroes a pack but for the places given, offset and length after one another. */
function zeroBetween(path: string, places: readonly number[] = []): void {
  const starts = Array.from({ length: places.length / 2 }, (_, i) => i).sort(
    (a, b) => (places[2 * a] as number) - (places[2 * b] as number),
  );
  const file = openSync(path, 'r+');
  try {
    let end = 0;
    for (const i of starts) {
      zeroRange(file, end, places[2 * i] as number);
      end = Math.max(end, (places[2 * i] as number) + (places[2 * i + 1] as number));
    }
    zeroRange(file, end, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

const ZEROS = Buffer.alloc(1 << 16);

function zeroRange(file: number, start: number, end: number): void {
  for (let at = start; at < end; at += ZEROS.length)
    writeFully(file, ZEROS.subarray(0, Math.min(ZEROS.length, end - at)), at);
}

/** Writes a file anew with some of its whole lines, under a temporary name first: a kill leaves the one or the other. */
function keepLines(path: string, isKept: (line: string) => boolean): void {
  const temporary = `${path}.part`;
  const file = openSync(temporary, 'w');
  try {
    let text = '';
    forEachLine(path, (line) => {
      if (isKept(line)) text += `${line}\n`;
      if (text.length < 1 << 20) return;
      writeFully(file, Buffer.from(text));
      text = '';
    });
    writeFully(file, Buffer.from(text));
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
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

/** Line by line: the index of a corpus of millions is longer than a string may be. */
function forEachLine(path: string, visit: (line: string) => void): void {
  const file = openSync(path, 'r');
  const chunk = Buffer.allocUnsafe(1 << 20);
  let rest = Buffer.alloc(0);
  try {
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      const text = Buffer.concat([rest, chunk.subarray(0, read)]);
      let start = 0;
      for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, start)) {
        visit(text.toString('utf8', start, end));
        start = end + 1;
      }
      rest = text.subarray(start);
    }
    // A last line without its end was cut by a kill.
  } finally {
    closeSync(file);
  }
}

function readEntry(line: string): { key: string; outcome: StampedOutcome } | undefined {
  if (line === '') return undefined;
  try {
    const entry = JSON.parse(line) as { key: string; ok: boolean } & Record<string, unknown>;
    if (typeof entry.key !== 'string') return undefined;
    const stamp = typeof entry.stamp === 'string' ? { stamp: entry.stamp } : {};
    if (!entry.ok)
      return {
        key: entry.key,
        outcome: {
          ok: false,
          reason: entry.reason as RejectionReason,
          detail: String(entry.detail),
          ...stamp,
        },
      };
    const { content, pack, offset, length, crc } = entry;
    if (typeof content !== 'string' || typeof pack !== 'string') return undefined;
    const place = { pack, offset: Number(offset), length: Number(length), crc: Number(crc) };
    return { key: entry.key, outcome: { ok: true, content, ...place, ...stamp } };
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
