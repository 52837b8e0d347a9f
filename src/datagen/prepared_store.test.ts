import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isLeftover, processTag } from '../io/process_tag.js';
import { PackWriter, PreparedStore } from './prepared_store.js';

const root = mkdtempSync(join(tmpdir(), 't2t-prepared-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CONTENT = 'c'.repeat(64);
const OTHER = 'd'.repeat(64);

function prepare(folder: string, worker: number, content: string, text: string): PreparedStore {
  const store = new PreparedStore(folder);
  const place = new PackWriter(folder, worker).append(Buffer.from(text));
  store.add(content, undefined, { ok: true, content, ...place });
  store.close();
  return store;
}

test('what was prepared is found by the next run, and a line that a kill cut is passed over', () => {
  const folder = join(root, 'found');
  prepare(folder, 0, CONTENT, 'face');
  const index = readdirSync(folder).find((name) => name.endsWith('.index.jsonl')) as string;
  const line = readFileSync(join(folder, index), 'utf8');
  writeFileSync(join(folder, 'zz.index.jsonl'), `${line.replaceAll(CONTENT, OTHER).slice(0, -20)}`);
  const store = new PreparedStore(folder);
  expect(store.get(CONTENT, undefined)).toMatchObject({ ok: true, length: 4, offset: 0 });
  expect(store.get(OTHER, undefined)).toBeUndefined();
});

test('an index line whose bytes never reached the pack is not believed', () => {
  const folder = join(root, 'lost');
  prepare(folder, 0, CONTENT, 'face');
  const pack = readdirSync(folder).find((name) => name.endsWith('.pack')) as string;
  writeFileSync(join(folder, pack), 'fa');
  expect(new PreparedStore(folder).get(CONTENT, undefined)).toBeUndefined();
});

test('erasing reaches every copy that any task prepared, and nothing else', () => {
  const folder = join(root, 'erase');
  prepare(folder, 0, CONTENT, 'SECRET');
  const mine = readdirSync(folder).find((name) => name.endsWith('.index.jsonl')) as string;
  // Another task's index, for a pack of its own.
  const copy = prepare(join(root, 'other-task'), 1, CONTENT, 'SECRET');
  for (const name of readdirSync(copy.folder))
    writeFileSync(
      join(folder, `task-${name}`),
      readFileSync(join(copy.folder, name), 'utf8').replace(/"pack":"/, '"pack":"task-'),
    );
  prepare(folder, 2, OTHER, 'KEEPME');
  expect(mine).toBeDefined();
  new PreparedStore(folder).erase((origin) => origin === CONTENT);
  const all = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('');
  expect(all).not.toContain('SECRET');
  expect(all).not.toContain(CONTENT);
  expect(all).toContain('KEEPME');
  expect(new PreparedStore(folder).get(OTHER, undefined)).toMatchObject({ ok: true, length: 6 });
});

test('erasing reaches what a kill left in a pack without an index line, and spares what is named', () => {
  const folder = join(root, 'orphans');
  const [host] = processTag().split('~');
  const pack = `${host}~999999999~x-w0-0.pack`;
  const place = { pack, offset: 6, length: 6, crc: 1 };
  mkdirSync(folder);
  writeFileSync(join(folder, pack), 'SECRETKEEPMESECRET');
  const key = JSON.stringify({ key: `${OTHER} whole`, ok: true, content: OTHER, ...place });
  writeFileSync(join(folder, `${host}~999999999~x.index.jsonl`), `${key}\n{"key":"cut by the ki`);
  // A pack that this process still writes has bytes whose index lines are yet to come.
  const ours = new PackWriter(folder, 1);
  ours.append(Buffer.from('SECRET'));
  new PreparedStore(folder).erase(() => false);
  expect(readFileSync(join(folder, pack), 'latin1')).toBe('\0\0\0\0\0\0KEEPME\0\0\0\0\0\0');
  expect(readFileSync(join(folder, ours.name), 'latin1')).toBe('SECRET');
  expect(new PreparedStore(folder).get(OTHER, undefined)).toMatchObject({ ok: true, ...place });
});

test('a process’s own files are no leftovers, those of an ended one or of an earlier one with its number are', () => {
  const [host, pid] = processTag().split('~');
  expect(isLeftover(processTag())).toBe(false);
  expect(isLeftover(`${host}~${pid}~earlier`)).toBe(true);
  expect(isLeftover(`${host}~999999999~x`)).toBe(true);
  expect(isLeftover(`another-machine~999999999~x`)).toBe(false);
  expect(isLeftover('nonsense')).toBe(false);
});
