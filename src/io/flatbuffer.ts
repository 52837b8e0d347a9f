/** FlatBuffers read by hand: tables, vectors and strings of a file that may lie about every one of its offsets. */

import { UserError } from './errors.js';

/** Bytes that aren't the flatbuffer they should be. */
export class MalformedFlatbufferError extends UserError {
  /** Where in the file, in bytes from its start. */
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(`not the file it should be: ${what} at byte ${offset}`);
    this.name = 'MalformedFlatbufferError';
    this.offset = offset;
  }
}

/**
 * A table: fields by number, each of which may be absent. Numbers are the order of declaration in the schema; layout as in
 * FlatBuffers' "internals" page: an int32 leads back to the vtable, which is uint16 size, uint16 size of the table, uint16
 * offset a field (0: absent).
 */
export interface FlatTable {
  readonly file: FlatFile;
  readonly at: number;
  readonly vtable: number;
  /** Fields that the vtable has room for. */
  readonly fields: number;
}

interface FlatFile {
  readonly view: DataView;
  /**
   * Vector elements that may still be read. A file made for it could have every element of a vector lead to one long vector,
   * and make us read the square of its size; an honest one has a byte at least for each element.
   */
  elementsLeft: number;
}

/** The root table. `identifier` is the four letters at byte 4. @throws MalformedFlatbufferError, as all functions here do. */
export function openFlatbuffer(bytes: Uint8Array, identifier: string): FlatTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const file: FlatFile = { view, elementsLeft: bytes.byteLength };
  check(file, 0, 8);
  const found = String.fromCharCode(...bytes.subarray(4, 8));
  if (found !== identifier)
    throw new MalformedFlatbufferError(`no "${identifier}" where the file's kind is written`, 4);
  return tableAt(file, view.getUint32(0, true));
}

export function int8Field(table: FlatTable, field: number, fallback = 0): number {
  const at = fieldAt(table, field, 1);
  return at === undefined ? fallback : table.file.view.getInt8(at);
}

export function uint8Field(table: FlatTable, field: number, fallback = 0): number {
  const at = fieldAt(table, field, 1);
  return at === undefined ? fallback : table.file.view.getUint8(at);
}

export function int32Field(table: FlatTable, field: number, fallback = 0): number {
  const at = fieldAt(table, field, 4);
  return at === undefined ? fallback : table.file.view.getInt32(at, true);
}

export function uint32Field(table: FlatTable, field: number, fallback = 0): number {
  const at = fieldAt(table, field, 4);
  return at === undefined ? fallback : table.file.view.getUint32(at, true);
}

export function hasField(table: FlatTable, field: number): boolean {
  return fieldAt(table, field, 1) !== undefined;
}

export function tableField(table: FlatTable, field: number): FlatTable | undefined {
  const at = fieldAt(table, field, 4);
  return at === undefined ? undefined : tableAt(table.file, followOffset(table.file, at));
}

/** A vector of tables; empty where it is absent. */
export function tablesField(table: FlatTable, field: number): FlatTable[] {
  const { at, length } = vectorField(table, field, 4);
  spend(table.file, length, at);
  const tables: FlatTable[] = [];
  for (let i = 0; i < length; i++) tables.push(tableAt(table.file, followOffset(table.file, at + 4 * i)));
  return tables;
}

/** A vector of int32; empty where it is absent. */
export function int32sField(table: FlatTable, field: number): number[] {
  const { at, length } = vectorField(table, field, 4);
  spend(table.file, length, at);
  const numbers: number[] = [];
  for (let i = 0; i < length; i++) numbers.push(table.file.view.getInt32(at + 4 * i, true));
  return numbers;
}

/** A vector of bytes, not copied; undefined where it is absent. */
export function bytesField(table: FlatTable, field: number): Uint8Array | undefined {
  if (fieldAt(table, field, 4) === undefined) return undefined;
  const { at, length } = vectorField(table, field, 1);
  const { buffer, byteOffset } = table.file.view;
  return new Uint8Array(buffer, byteOffset + at, length);
}

/** A string; empty where it is absent. */
export function stringField(table: FlatTable, field: number): string {
  const bytes = bytesField(table, field);
  if (bytes === undefined) return '';
  spend(table.file, bytes.length, table.at);
  return new TextDecoder().decode(bytes);
}

function tableAt(file: FlatFile, at: number): FlatTable {
  check(file, at, 4);
  const vtable = at - file.view.getInt32(at, true);
  check(file, vtable, 4);
  const vtableBytes = file.view.getUint16(vtable, true);
  if (vtableBytes < 4) throw new MalformedFlatbufferError(`a table's layout of ${vtableBytes} bytes`, vtable);
  check(file, vtable, vtableBytes);
  return { file, at, vtable, fields: (vtableBytes - 4) >>> 1 };
}

/** Where a field's `size` bytes stand; undefined where it is absent. */
function fieldAt({ file, at, vtable, fields }: FlatTable, field: number, size: number): number | undefined {
  if (field >= fields) return undefined;
  const offset = file.view.getUint16(vtable + 4 + 2 * field, true);
  if (offset === 0) return undefined;
  check(file, at + offset, size);
  return at + offset;
}

function vectorField(table: FlatTable, field: number, elementBytes: number): { at: number; length: number } {
  const { file } = table;
  const offsetAt = fieldAt(table, field, 4);
  if (offsetAt === undefined) return { at: 0, length: 0 };
  const start = followOffset(file, offsetAt);
  check(file, start, 4);
  const length = file.view.getUint32(start, true);
  check(file, start + 4, length * elementBytes);
  return { at: start + 4, length };
}

function followOffset({ view }: FlatFile, at: number): number {
  return at + view.getUint32(at, true);
}

function check({ view }: FlatFile, at: number, size: number): void {
  if (at < 0 || at + size > view.byteLength)
    throw new MalformedFlatbufferError(`${size} bytes outside the file's ${view.byteLength}`, at);
}

function spend(file: FlatFile, elements: number, at: number): void {
  file.elementsLeft -= elements;
  if (file.elementsLeft < 0)
    throw new MalformedFlatbufferError('more elements than the file has bytes: vectors overlap', at);
}
