import { writeFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import type { Header } from 'tar-stream';
import { expect, test } from 'vitest';
import { archiveFile, tarOf, withTarChecksum } from './archive.test.samples.js';
import { UnpackMeter } from './archive_limits.js';
import { readTar } from './tar.js';
import { type ScannedMember, TarScanner, type TarScanState } from './tar_scan.js';

/** Scans in pieces of the given sizes, over and over, with a new scanner for each: only the state goes over. */
function scan(tar: Buffer, sizes: readonly number[] = [tar.length]): ScannedMember[] {
  const members: ScannedMember[] = [];
  let state: TarScanState | undefined;
  for (let at = 0, i = 0; at < tar.length; i++) {
    const end = Math.min(tar.length, at + (sizes[i % sizes.length] as number));
    const scanner = new TarScanner(
      'a.tar',
      new UnpackMeter('a.tar'),
      (member) => members.push(member),
      state,
    );
    // A piece is only lent: whoever keeps it finds other bytes in it.
    const piece = Buffer.from(tar.subarray(at, end));
    scanner.scan(piece);
    piece.fill(0xee);
    state = JSON.parse(JSON.stringify(scanner.state)) as TarScanState;
    at = end;
  }
  new TarScanner('a.tar', new UnpackMeter('a.tar'), () => {}, state).end();
  return members;
}

/** The same by the streaming reader. */
async function streamed(path: string): Promise<{ name: string; bytes: number; crc32: number }[]> {
  const members: { name: string; bytes: number; crc32: number }[] = [];
  for await (const entry of readTar(path))
    if (entry.kind === 'file')
      members.push({ name: entry.name, bytes: entry.bytes, crc32: crc32(await buffer(entry.open())) });
  return members;
}

const LONG = `${'long/'.repeat(40)}name-${'x'.repeat(150)}`;

/** A GNU long name: a header of type L, the name, and a header whose own name is cut. */
async function gnuLong(name: string, contents: string): Promise<Buffer> {
  const typed = await tarOf([[{ name: '././@LongLink' }, `${name}\0`]]);
  typed.write('L', 156);
  const long = withTarChecksum(typed);
  return Buffer.concat([
    long.subarray(0, 512 + Math.ceil((name.length + 1) / 512) * 512),
    await tarOf([[name.slice(0, 90), contents]]),
  ]);
}

async function samples(): Promise<Record<string, Buffer>> {
  const entries: [Partial<Header> & { name: string }, string?][] = [
    [{ name: 'a', type: 'directory' }],
    [{ name: 'a/b.jpg' }, 'some words '.repeat(99)],
    [{ name: './a//empty' }, ''],
    [{ name: 'a/link', type: 'symlink', linkname: '../b' }],
    [{ name: 'dev', type: 'character-device', devmajor: 1, devminor: 3 }],
    [{ name: LONG }, 'long'],
    [{ name: 'ümlaut', pax: { comment: 'é' } }, 'x'.repeat(512)],
    [{ name: 'sparse', pax: { 'GNU.sparse.major': '1' } }, 'map'],
    [{ name: 'a/b.jpg' }, 'the second of this name'],
  ];
  const mixed = await tarOf(entries);
  const old = await tarOf([
    ['old/', ''],
    ['old/file', 'contents'],
  ]);
  old.fill(0, 257, 265);
  const base256 = await tarOf([['big', 'y'.repeat(700)]]);
  base256.fill(0, 124, 136);
  base256[124] = 0x80;
  base256.writeUInt16BE(700, 134);
  return {
    mixed,
    'before POSIX': withTarChecksum(old),
    'sizes in base 256': withTarChecksum(base256),
    'GNU long names': await gnuLong(LONG, 'by GNU'),
    'two tars in one': Buffer.concat([await tarOf([['first', '1']]), await tarOf([['second', '2']])]),
    'one block of zeros': mixed.subarray(0, mixed.length - 512),
  };
}

test('finds the files that the streaming reader finds, in pieces of any size', async () => {
  for (const [kind, tar] of Object.entries(await samples())) {
    const expected = await streamed(await archiveFile(tar));
    expect(expected.length, kind).toBeGreaterThan(0);
    const found = scan(tar);
    expect(
      found.map(({ name, bytes, crc32 }) => ({ name, bytes, crc32 })),
      kind,
    ).toEqual(expected);
    for (const { offset, bytes, crc32: sum } of found)
      expect(crc32(tar.subarray(offset, offset + bytes))).toBe(sum);
    for (const sizes of [[1], [511], [512], [513], [100, 3, 5000]])
      expect(scan(tar, sizes), `${kind} in pieces of ${sizes}`).toEqual(found);
  }
});

test('refuses what the streaming reader refuses, and no change of a tar sets them apart', async () => {
  const tars = Object.values(await samples());
  const path = await archiveFile(Buffer.alloc(0));
  const edit = fc.record({
    at: fc.nat(),
    // Mostly in a header, where it matters.
    field: fc.constantFrom(0, 1, 3, 50, 100, 124, 130, 134, 148, 156, 257, 345, 400),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.constantFrom('../', '/', 'x', 'g', 'L', '5', '7').map((text) => Buffer.from(text)),
    ),
    isChecked: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...tars),
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      async (tar, edits) => {
        const changed = Buffer.from(tar);
        for (const { at, field, bytes, isChecked } of edits) {
          const block = (at % (changed.length / 512)) * 512;
          changed.set(bytes, block + field);
          if (isChecked) withTarChecksum(changed.subarray(block)).copy(changed, block, 148, 156);
        }
        writeFileSync(path, changed);
        const [theirs, ours] = await Promise.all([
          streamed(path).catch(() => 'refused'),
          Promise.resolve()
            .then(() => scan(changed, [777]))
            .catch(() => 'refused'),
        ]);
        const plain =
          typeof ours === 'string' ? ours : ours.map(({ name, bytes, crc32 }) => ({ name, bytes, crc32 }));
        expect(plain, JSON.stringify(edits)).toEqual(theirs);
      },
    ),
    { numRuns: 1500 },
  );
});

test('says of a tar that is cut anywhere that it is', async () => {
  const { mixed } = await samples();
  for (let end = 0; end < mixed!.length - 512; end += 128)
    expect(() => {
      const scanner = new TarScanner('a.tar', new UnpackMeter('a.tar'), () => {});
      scanner.scan(mixed!.subarray(0, end));
      scanner.end();
    }, `cut at ${end}`).toThrow();
});
