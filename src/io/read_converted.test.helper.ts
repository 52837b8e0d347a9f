/** Reads converted files back into the values that a parser of the source records gives. */

import { readFileSync } from 'node:fs';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { extract } from 'tar-stream';
import type { Feature, Features } from './features.js';
import { numbersOf } from './numpy_array.js';
import { webdatasetLayout } from './webdataset.js';

export type Values = Record<string, unknown>;

/** The samples of a tar, in order: the name before the first dot, and the files behind it. */
export async function readSamples(tar: Uint8Array): Promise<Map<string, Map<string, Buffer>>> {
  const samples = new Map<string, Map<string, Buffer>>();
  const entries = extract();
  entries.end(Buffer.from(tar));
  for await (const entry of entries) {
    const pieces: Buffer[] = [];
    for await (const piece of entry) pieces.push(piece as Buffer);
    const [, name = '', ending = ''] = /^([^./]+)\.([^/]*)$/.exec(entry.header.name) ?? [];
    const sample = samples.get(name) ?? new Map<string, Buffer>();
    samples.set(name, sample);
    if (sample.has(ending)) throw new Error(`${entry.header.name} is there twice`);
    sample.set(ending, Buffer.concat(pieces));
  }
  return samples;
}

export async function readWebdataset(path: string, features: Features): Promise<Values[]> {
  const samples = await readSamples(readFileSync(path));
  return [...samples.values()].map((files) => valuesOfSample(files, features));
}

/** What `sampleFiles` has made files of. */
export function valuesOfSample(files: ReadonlyMap<string, Buffer>, features: Features): Values {
  const json = JSON.parse(files.get('json')?.toString() ?? '') as Values;
  const values: Values = {};
  for (const [name, { ending, as }] of webdatasetLayout(features)) {
    const feature = features[name] as Feature;
    if (as === 'json' && Object.hasOwn(json, name)) values[name] = fromJson(json[name], feature);
    if (as === 'files' && Object.hasOwn(json, name))
      values[name] = Array.from({ length: json[name] as number }, (_, i) =>
        asBytes(files.get(ending.replace(/bin$/, '').replace(/\.$/, `~${String(i).padStart(5, '0')}.bin`))),
      );
    const file = files.get(ending);
    if (file === undefined) continue;
    if (as === 'file') values[name] = asBytes(file);
    if (as === 'npy') values[name] = fromNpy(file, feature);
  }
  return values;
}

/** An `.npy` file: its numbers and its shape. */
export function readNpy(file: Buffer): {
  dtype: string;
  shape: number[];
  data: ReturnType<typeof numbersOf>;
} {
  const start = 10 + file.readUInt16LE(8);
  const head = file.toString('latin1', 10, start);
  const [, dtype = '', sizes = ''] =
    /^\{'descr': '([<|][a-z]\d)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n$/.exec(head) ?? [];
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  return { dtype, shape, data: numbersOf(dtype.slice(1), dtype[0] as '<', asBytes(file.subarray(start))) };
}

export async function readParquet(path: string, features: Features): Promise<Values[]> {
  const file = readFileSync(path);
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const rows = await parquetReadObjects({
    file: file.buffer.slice(file.byteOffset, file.byteOffset + file.length),
    utf8: false,
    // By itself it drops a byte order mark at a text's beginning.
    parsers: { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes) },
  });
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => [name, fromColumn(value, features[name] as Feature)]),
    ),
  );
}

/** The footer of a Parquet file. */
export function parquetFooter(path: string): ReturnType<typeof parquetMetadata> {
  const file = readFileSync(path);
  return parquetMetadata(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
}

function fromJson(value: unknown, { kind, shape }: Feature): unknown {
  const list = shape.length === 0 ? [value] : (value as unknown[]).flat(10);
  const one = (item: unknown): unknown => {
    if (kind === 'text') return item;
    return kind === 'int64' ? narrow(BigInt(item as string | number)) : Number(item);
  };
  const items = list.map(one);
  if (shape.length === 0) return items[0];
  return kind === 'float32' ? Float32Array.from(items as number[]) : items;
}

function fromNpy(file: Buffer, { kind, image }: Feature): unknown {
  const { data } = readNpy(file);
  if (image !== undefined || kind === 'float32') return data;
  return Array.from(data as BigInt64Array, narrow);
}

function fromColumn(value: unknown, { kind, shape, image }: Feature): unknown {
  if (image !== undefined && image.encoding !== 'raw') return (value as { bytes: Uint8Array }).bytes;
  if (shape.length === 0) return kind === 'int64' ? narrow(value as bigint) : value;
  const list = value as unknown[];
  if (kind === 'float32') return Float32Array.from(list as number[]);
  return kind === 'int64' ? list.map((item) => narrow(item as bigint)) : list;
}

/** As our parser has it: a number where that is exact. */
function narrow(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function asBytes(buffer: Buffer | undefined): Uint8Array {
  if (buffer === undefined) throw new Error('a file of the sample is missing');
  return Uint8Array.from(buffer);
}
