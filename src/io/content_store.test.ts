import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentStore, contentHash } from './content_store.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't2t-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = Buffer.from('a picture, say');

describe('ContentStore', () => {
  it('keeps bytes under their SHA-256 and gives them back', () => {
    const store = new ContentStore(folder);
    const { sha256 } = store.put(bytes);
    expect(sha256).toBe(contentHash(bytes));
    expect(store.path(sha256)).toBe(join(folder, sha256.slice(0, 2), sha256.slice(2)));
    expect(store.read(sha256)).toEqual(bytes);
    expect(store.has(sha256, bytes.length)).toBe(true);
    store.put(bytes);
    expect(readdirSync(join(folder, sha256.slice(0, 2)))).toEqual([sha256.slice(2)]);
    store.remove(sha256);
    store.remove(sha256);
    expect(store.has(sha256, bytes.length)).toBe(false);
    expect(store.read(sha256)).toBeUndefined();
  });

  it('neither trusts nor keeps a file that a kill has cut or somebody has altered', () => {
    const store = new ContentStore(folder);
    const { sha256 } = store.put(bytes);
    truncateSync(store.path(sha256), 5);
    expect(store.has(sha256, bytes.length)).toBe(false);
    expect(store.read(sha256)).toBeUndefined();
    store.put(bytes);
    expect(store.read(sha256)).toEqual(bytes);
    writeFileSync(store.path(sha256), 'b picture, say');
    expect(store.read(sha256)).toBeUndefined();
    store.put(bytes);
    expect(readFileSync(store.path(sha256))).toEqual(bytes);
  });

  it('says what to do where the folder can’t be written', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => new ContentStore(file).put(bytes)).toThrow();
  });
});
