/** Counts the features in records that the specification does not name: they stay in the shards, and nothing reads them. */

import type { Features } from '../io/features.js';
import {
  type Cursor,
  LENGTH_DELIMITED,
  MalformedExampleError,
  readFieldEnd,
  readTag,
  skipField,
} from '../io/protobuf.js';

/** Other names are not counted: records may come from anyone. */
const MAX_NAMES = 1000;

export class UnknownFeatures {
  private readonly known: ReadonlySet<string>;
  private readonly counts = new Map<string, number>();
  private records = 0;

  constructor(features: Features) {
    this.known = new Set(Object.keys(features).map((name) => Buffer.from(name).toString('latin1')));
  }

  add(record: Uint8Array): void {
    this.records += 1;
    for (const name of unlessMalformed(() => keysOf(record))) {
      if (this.known.has(name)) continue;
      const count = this.counts.get(name);
      if (count !== undefined || this.counts.size < MAX_NAMES) this.counts.set(name, (count ?? 0) + 1);
    }
  }

  /** A sentence for each of them, by name. */
  notes(): string[] {
    return [...this.counts]
      .map(([name, count]) => [Buffer.from(name, 'latin1').toString('utf8'), count] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([name, count]) =>
          `${JSON.stringify(name)}, in ${count} of ${this.records} records, is none of the features: it stays in the shards, unread, and convert leaves it out`,
      );
  }
}

/** What is no Example is the parser's to complain of. */
function unlessMalformed(read: () => ReadonlySet<string>): ReadonlySet<string> {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedExampleError)) throw error;
    return new Set();
  }
}

/** The keys of an Example's map: field 1 of each field 1 (the entries) of its field 1; bytes as latin1. */
function keysOf(bytes: Uint8Array): ReadonlySet<string> {
  const cursor: Cursor = { bytes, at: 0 };
  const keys = new Set<string>();
  visitFirst(cursor, bytes.length, (mapEnd) =>
    visitFirst(cursor, mapEnd, (entryEnd) => {
      let key = '';
      visitFirst(cursor, entryEnd, (end) => {
        key = Buffer.from(bytes.buffer, bytes.byteOffset + cursor.at, end - cursor.at).toString('latin1');
      });
      keys.add(key);
    }),
  );
  return keys;
}

/** Visits each field 1 of a message that ends at `end`. */
function visitFirst(cursor: Cursor, end: number, visit: (fieldEnd: number) => void): void {
  while (cursor.at < end) {
    const tag = readTag(cursor, end);
    if (tag !== ((1 << 3) | LENGTH_DELIMITED)) {
      skipField(cursor, tag, end);
      continue;
    }
    const fieldEnd = readFieldEnd(cursor, end);
    visit(fieldEnd);
    cursor.at = fieldEnd;
  }
}
