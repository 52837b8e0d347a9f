import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jpegLike, memberName, wordy } from '../../fixtures/tar_archives.js';
import { tarOf, testFolder } from './archive.test.samples.js';
import { UserError } from './errors.js';
import { IndexedTar, indexTar } from './tar_index.js';

const COUNT = 60;
const contentsOf = (i: number): Buffer => (i % 3 === 0 ? wordy(i, 50_000) : jpegLike(i, 50_000));
const whole = (): Promise<Buffer> =>
  tarOf(Array.from({ length: COUNT }, (_, i) => [memberName(i), contentsOf(i)] as const));

const edits = fc.array(
  fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 600 }),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.constant(new Uint8Array(600)),
      fc.constantFrom('../', '\x1f\x8b\x08\0').map((text) => Buffer.from(text, 'latin1')),
    ),
  }),
  { minLength: 1, maxLength: 3 },
);
type Edits = typeof edits extends fc.Arbitrary<infer T> ? T : never;

function changed(bytes: Buffer, changes: Edits, keep: 'length' | 'nothing'): Buffer {
  let result = Buffer.from(bytes);
  for (const { at, remove, insert } of changes) {
    const start = at % result.length;
    const end = start + (keep === 'length' ? insert.length : remove);
    result = Buffer.concat([result.subarray(0, start), insert, result.subarray(end)]).subarray(
      0,
      keep === 'length' ? bytes.length : undefined,
    );
  }
  return result;
}

/** Runs it; what it throws must be a `UserError`. */
async function outcome<T>(action: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return undefined;
  }
}

test('a changed archive is indexed as the tar that it is, or refused, or said to be cut off', async () => {
  const folder = await testFolder();
  const [archive, index] = [join(folder, 'a'), join(folder, 'index')];
  const tar = await whole();
  const samples = [
    gzipSync(tar),
    gzipSync(tar, { level: 0 }),
    Buffer.concat([gzipSync(tar.subarray(0, 777_777)), gzipSync(tar.subarray(777_777))]),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...samples),
      edits,
      fc.constantFrom('length', 'nothing'),
      async (sample, changes, keep) => {
        writeFileSync(archive, changed(sample, changes, keep));
        await outcome(() => indexTar(archive, index));
        const opened = await outcome(() => IndexedTar.open(archive, index));
        if (opened === undefined) return;
        // The checksum at gzip's end is what tells damage: where the end is missing nothing can be told.
        const isCutOff = opened.incomplete !== undefined;
        const bytes: (Uint8Array | undefined)[] = [];
        // Another change may have left an index of an archive of the same identity: then reading says so.
        for (let i = 0; i < COUNT; i++) bytes.push(await outcome(() => opened.read(memberName(i))));
        bytes.forEach((found, i) => {
          if (found !== undefined && !isCutOff) expect(contentsOf(i).equals(found)).toBe(true);
        });
        opened.close();
      },
    ),
    { numRuns: 300 },
  );
});

test('an archive that is changed after it was indexed gives right bytes or an error', async () => {
  const folder = await testFolder();
  const [archive, index] = [join(folder, 'a'), join(folder, 'index')];
  for (const sample of [gzipSync(await whole()), await whole()]) {
    writeFileSync(archive, sample);
    await indexTar(archive, index);
    // Opened before it changes: the identity can't tell.
    const opened = IndexedTar.open(archive, index);
    let errors = 0;
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        writeFileSync(archive, changed(sample, changes, 'length'));
        for (let i = 0; i < COUNT; i += 7) {
          const bytes = await outcome(() => opened.read(memberName(i)));
          if (bytes === undefined) errors++;
          else expect(contentsOf(i).equals(bytes)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
    expect(errors).toBeGreaterThan(0);
    opened.close();
  }
});

test('a changed index gives what a whole one gives, or an error', async () => {
  const folder = await testFolder();
  const [archive, index] = [join(folder, 'a'), join(folder, 'index')];
  writeFileSync(archive, gzipSync(await whole()));
  await indexTar(archive, index);
  const good = readFileSync(index);
  let errors = 0;
  await fc.assert(
    fc.asyncProperty(edits, fc.constantFrom('length', 'nothing'), async (changes, keep) => {
      writeFileSync(index, changed(good, changes, keep));
      const opened = await outcome(() => IndexedTar.open(archive, index));
      if (opened === undefined) {
        errors++;
        return;
      }
      const names = await outcome(() => [...opened.names()]);
      if (names !== undefined) expect(names).toHaveLength(COUNT);
      for (let i = 0; i < COUNT; i += 7) {
        const bytes = await outcome(async () => (await opened.read(memberName(i))) ?? 'missing');
        if (bytes !== undefined) expect(contentsOf(i).equals(bytes as Uint8Array)).toBe(true);
      }
      expect(await outcome(() => opened.has('not there'))).not.toBe(true);
      opened.close();
    }),
    { numRuns: 400 },
  );
  expect(errors).toBeGreaterThan(0);
});

test('a changed journal costs time and nothing else', async () => {
  const folder = await testFolder();
  const [archive, index] = [join(folder, 'a'), join(folder, 'index')];
  const sample = gzipSync(await whole());
  writeFileSync(archive, sample);
  await indexTar(archive, index);
  const good = readFileSync(index);
  const large = join(folder, 'large');
  // Only what is cut off leaves a journal behind, here with nothing but its head: its frames are tried by their checksums.
  writeFileSync(large, sample.subarray(0, 1_000_000));
  await outcome(() => indexTar(large, `${index}.2`));
  const journal = readFileSync(`${index}.2.journal`);
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      writeFileSync(`${index}.3.journal`, changed(journal, changes, 'nothing'));
      writeFileSync(`${index}.3`, '');
      await indexTar(archive, `${index}.3`);
      expect(readFileSync(`${index}.3`).equals(good)).toBe(true);
    }),
    { numRuns: 30 },
  );
});
