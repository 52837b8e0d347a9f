/** Makes small archives for the tests, good ones with the libraries of others and hostile ones by changing their bytes. */

import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import { onTestFinished } from 'vitest';
import { type Options, ZipFile } from 'yazl';
import type { ArchiveEntry } from './archive_entry.js';

/** A folder of the running test's own, removed when it ends. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 't2t-archive-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes an archive into a folder of its own and gives its path. */
export async function archiveFile(bytes: Uint8Array, name = 'sample.archive'): Promise<string> {
  const path = join(await testFolder(), name);
  await writeFile(path, bytes);
  return path;
}

/** A zip of files; the options are yazl's, for its entries and its end alike. */
export function zipOf(
  files: Readonly<Record<string, string | Buffer>>,
  options: Partial<Options> = {},
): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, contents] of Object.entries(files)) zip.addBuffer(Buffer.from(contents), name, options);
  zip.end({ forceZip64Format: options.forceZip64Format ?? false, comment: '' });
  return buffer(zip.outputStream);
}

/** A tar of headers with contents; a plain name stands for a file. */
export async function tarOf(
  entries: readonly (readonly [string | (Partial<Header> & { name: string }), (string | Buffer)?])[],
): Promise<Buffer> {
  const tar = pack();
  for (const [header, contents] of entries)
    tar.entry(typeof header === 'string' ? { name: header } : header, Buffer.from(contents ?? ''));
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** Offsets of the records of a zip that begin with a signature ("PK" and two numbers). */
export function recordsOf(zip: Buffer, kind: 'local' | 'directory' | 'end'): number[] {
  const signature = Buffer.from(
    { local: 'PK\x03\x04', directory: 'PK\x01\x02', end: 'PK\x05\x06' }[kind],
    'latin1',
  );
  const offsets: number[] = [];
  for (let at = zip.indexOf(signature); at >= 0; at = zip.indexOf(signature, at + 1)) offsets.push(at);
  return offsets;
}

/** The same zip with its n-th directory record changed. Field offsets: APPNOTE.TXT, section 4.3.12. */
export function withDirectoryRecord(zip: Buffer, n: number, change: (record: Buffer) => void): Buffer {
  const changed = Buffer.from(zip);
  change(changed.subarray(recordsOf(zip, 'directory')[n]!));
  return changed;
}

/** The same archive with every occurrence of a name replaced by another of the same length. */
export function renamed(archive: Buffer, from: string, to: string): Buffer {
  if (from.length !== to.length) throw new Error('names of one length only: nothing else may move');
  return Buffer.from(archive.toString('latin1').replaceAll(from, to), 'latin1');
}

/** The same tar with the checksum of its first header made right (POSIX pax, "ustar Interchange Format"). */
export function withTarChecksum(tar: Buffer): Buffer {
  const fixed = Buffer.from(tar);
  fixed.fill(' ', 148, 156);
  const sum = fixed.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  fixed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return fixed;
}

/** Everything in an archive that is read through: names, kinds and the contents of files. */
export async function readAll(entries: AsyncIterable<ArchiveEntry>): Promise<[string, string, string][]> {
  const all: [string, string, string][] = [];
  for await (const entry of entries)
    all.push([
      entry.name,
      entry.kind,
      entry.kind === 'file' ? (await buffer(entry.open())).toString('latin1') : '',
    ]);
  return all;
}

/** Every file below a folder with its contents, links as what they point to. */
export async function snapshot(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) found[path.slice(folder.length + 1)] = `link to ${readlinkSync(path)}`;
    else if (entry.isFile()) found[path.slice(folder.length + 1)] = (await readFile(path)).toString('latin1');
  }
  return found;
}

/** How often this process has a file open. Only Linux tells. */
export function openCount(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;
}
