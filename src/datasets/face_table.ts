/** Boxes and landmarks of millions of pictures in one sorted binary file, looked up without holding them in memory. */

import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { type Landmarks, landmarksOf, type PixelBox } from '../faces/face.js';
import { processTag } from '../io/process_tag.js';
import { writeFully } from '../io/write_fully.js';
import { type KeyedRows, placesByKey } from './keyed_rows.js';

/** What the publisher says of the face in a picture. */
export interface FaceAnnotation {
  readonly box?: PixelBox;
  readonly landmarks?: Landmarks;
}

/** What a table is made of. */
export interface FaceTableContents {
  /** Names the sources, e.g. by their sizes and times: a table of another stamp is not the one wanted. */
  readonly stamp: string;
  /** Left, top, width, height. */
  readonly boxes: KeyedRows;
  /** Ten numbers, as `landmarkNumbers` orders them. */
  readonly landmarks: KeyedRows;
  /** Sentences about the sources, which whoever opens the table may repeat. */
  readonly notes: readonly string[];
}

/*
 * The file, little endian: 'T2TFACE1', the number of records and of trailing bytes as two float64, 40 bytes of zeros;
 * the records, ascending by key: the key as float64, box and landmarks as 14 float32, NaN where there is none; the key
 * of every 256th record as float64; a trailer of JSON {stamp, digest, notes}.
 */
const MAGIC = 'T2TFACE1';
const HEADER_BYTES = 64;
const RECORD_BYTES = 64;
const VALUES = 14;
/** Records read at once: 16 KiB, about what a disk gives for the price of one. */
const BLOCK_RECORDS = 256;
const BLOCK_BYTES = BLOCK_RECORDS * RECORD_BYTES;

/** Writes a table under its final name, whole or not at all. */
export function writeFaceTable(path: string, contents: FaceTableContents): void {
  const { boxes, landmarks, stamp, notes } = contents;
  const { keys, places } = placesByKey([boxes, landmarks]);
  const [boxAt, landmarksAt] = places as [Int32Array, Int32Array];
  const temporary = `${path}.part-${processTag()}`;
  const file = openSync(temporary, 'w');
  try {
    writeFully(file, Buffer.alloc(HEADER_BYTES));
    const hash = createHash('sha256');
    const block = Buffer.alloc(BLOCK_BYTES);
    const view = new DataView(block.buffer, block.byteOffset, BLOCK_BYTES);
    for (let first = 0; first < keys.length; first += BLOCK_RECORDS) {
      const count = Math.min(BLOCK_RECORDS, keys.length - first);
      for (let i = 0; i < count; i++) {
        const offset = i * RECORD_BYTES;
        view.setFloat64(offset, keys[first + i] as number, true);
        writeValues(view, offset + 8, boxes, boxAt[first + i] as number);
        writeValues(view, offset + 24, landmarks, landmarksAt[first + i] as number);
      }
      writeBlock(file, hash, block.subarray(0, count * RECORD_BYTES));
    }
    const trailer = Buffer.from(JSON.stringify({ stamp, digest: hash.digest('hex'), notes }));
    writeFully(file, Buffer.concat([blockKeys(keys), trailer]));
    writeFully(file, header(keys.length, trailer.length), 0);
    fsyncSync(file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** An opened table. */
export class FaceTable {
  /** Pictures that have a box, landmarks or both. */
  readonly length: number;
  readonly stamp: string;
  /** SHA-256 of the records: another text when any of them is another. */
  readonly digest: string;
  readonly notes: readonly string[];
  readonly #file: number;
  /** The first key of each block. */
  readonly #firstKeys: Float64Array;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #blockNumber = -1;

  private constructor(file: number, length: number, trailer: Trailer, firstKeys: Float64Array) {
    this.#file = file;
    this.length = length;
    this.stamp = trailer.stamp;
    this.digest = trailer.digest;
    this.notes = trailer.notes;
    this.#firstKeys = firstKeys;
  }

  /** Undefined where there is no table or no whole one: it must then be written anew. */
  static open(path: string): FaceTable | undefined {
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const table = FaceTable.#read(file);
    if (table === undefined) closeSync(file);
    return table;
  }

  /** What is known of a picture; undefined where nothing is. */
  find(key: number): FaceAnnotation | undefined {
    const block = lastNotAbove(this.#firstKeys.length, (i) => this.#firstKeys[i] as number, key);
    if (block < 0) return undefined;
    this.#load(block);
    const count = Math.min(BLOCK_RECORDS, this.length - block * BLOCK_RECORDS);
    const keyAt = (i: number): number => this.#block.readDoubleLE(i * RECORD_BYTES);
    const record = lastNotAbove(count, keyAt, key);
    if (record < 0 || keyAt(record) !== key) return undefined;
    const values = new Float32Array(VALUES);
    for (let i = 0; i < VALUES; i++) values[i] = this.#block.readFloatLE(record * RECORD_BYTES + 8 + i * 4);
    return annotationOf(values);
  }

  close(): void {
    closeSync(this.#file);
  }

  #load(block: number): void {
    if (block === this.#blockNumber) return;
    this.#blockNumber = -1;
    readFully(this.#file, this.#block, HEADER_BYTES + block * BLOCK_BYTES);
    this.#blockNumber = block;
  }

  static #read(file: number): FaceTable | undefined {
    const head = Buffer.alloc(HEADER_BYTES);
    const { size } = fstatSync(file);
    if (size < HEADER_BYTES) return undefined;
    readFully(file, head, 0);
    const length = head.readDoubleLE(8);
    const trailerBytes = head.readDoubleLE(16);
    const blocks = Math.ceil(length / BLOCK_RECORDS);
    const keysAt = HEADER_BYTES + length * RECORD_BYTES;
    if (head.toString('latin1', 0, 8) !== MAGIC || size !== keysAt + blocks * 8 + trailerBytes)
      return undefined;
    const rest = Buffer.alloc(size - keysAt);
    readFully(file, rest, keysAt);
    const firstKeys = Float64Array.from({ length: blocks }, (_, i) => rest.readDoubleLE(i * 8));
    const trailer = trailerOf(rest.toString('utf8', blocks * 8));
    return trailer === undefined ? undefined : new FaceTable(file, length, trailer, firstKeys);
  }
}

interface Trailer {
  readonly stamp: string;
  readonly digest: string;
  readonly notes: readonly string[];
}

function trailerOf(text: string): Trailer | undefined {
  try {
    return JSON.parse(text) as Trailer;
  } catch {
    return undefined;
  }
}

function writeValues(view: DataView, offset: number, rows: KeyedRows, row: number): void {
  for (let i = 0; i < rows.width; i++)
    view.setFloat32(offset + i * 4, row < 0 ? Number.NaN : rows.value(row, i), true);
}

function writeBlock(file: number, hash: Hash, bytes: Buffer): void {
  hash.update(bytes);
  writeFully(file, bytes);
}

function blockKeys(keys: Float64Array): Buffer {
  const bytes = Buffer.alloc(Math.ceil(keys.length / BLOCK_RECORDS) * 8);
  for (let i = 0; i * BLOCK_RECORDS < keys.length; i++)
    bytes.writeDoubleLE(keys[i * BLOCK_RECORDS] as number, i * 8);
  return bytes;
}

function header(records: number, trailerBytes: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeDoubleLE(records, 8);
  bytes.writeDoubleLE(trailerBytes, 16);
  return bytes;
}

function annotationOf(values: Float32Array): FaceAnnotation {
  const [left, top, width, height] = values as unknown as [number, number, number, number];
  return {
    ...(Number.isNaN(left) ? {} : { box: { left, top, width, height } }),
    ...(Number.isNaN(values[4]) ? {} : { landmarks: landmarksOf(values.subarray(4)) }),
  };
}

/** The last of `count` ascending keys that is not above `key`; −1 where the first is. */
function lastNotAbove(count: number, keyAt: (i: number) => number, key: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyAt(middle) <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Fills `bytes` from `position` on, as far as the file goes. */
function readFully(file: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(file, bytes, done, bytes.length - done, position + done);
    if (read === 0) break;
    done += read;
  }
}
