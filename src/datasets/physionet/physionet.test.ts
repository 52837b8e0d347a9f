import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Fault } from '../../../fixtures/faults.js';
import { type CorpusFiles, physionetPath, startPhysionet } from '../../../fixtures/physionet.js';
import { DownloadFailure } from '../../io/download_failure.js';
import { testContext } from './obtain_context.test.helper.js';
import { obtainPhysionetFiles, type PhysionetProject } from './physionet.js';

const root = mkdtempSync(join(tmpdir(), 't2t-physionet-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const PROJECT: PhysionetProject = { slug: 'toy', version: '1.0.0', accepts: () => true };
const names = Array.from({ length: 40 }, (_, i) => `r${String(i).padStart(2, '0')}.edf`);
const corpus: CorpusFiles = new Map(names.map((name) => [name, Buffer.from(`the signals of ${name}`)]));
const DEAD: Fault = { kind: 'status', status: 404 };

/** Fetches all of the corpus from a host with faults; gives the error and what is here then. */
async function obtain(
  faultOf: (name: string) => Fault | undefined,
): Promise<{ readonly error: unknown; readonly here: string[]; readonly asked: Set<string> }> {
  const faults = new Map<string, Fault>();
  for (const name of names) {
    const fault = faultOf(name);
    if (fault !== undefined) faults.set(physionetPath('toy', name), fault);
  }
  const server = await startPhysionet({ toy: corpus }, { faults });
  try {
    const rawDir = mkdtempSync(join(root, 'raw-'));
    const context = testContext({ rawDir, mirror: server.mirror });
    const error = await obtainPhysionetFiles(PROJECT, names, context).catch((caught: unknown) => caught);
    const asked = new Set(context.fetched);
    return { error, here: names.filter((name) => existsSync(join(rawDir, name))), asked };
  } finally {
    await server.close();
  }
}

test('files that are gone are said in the end, and keep nothing else from coming', async () => {
  const gone = names.filter((_, i) => i < 12 || i % 5 === 0);
  const { error, here } = await obtain((name) => (gone.includes(name) ? DEAD : undefined));
  expect(error).toBeInstanceOf(DownloadFailure);
  expect((error as DownloadFailure).failure).toMatchObject({ kind: 'dead', detail: 'HTTP 404' });
  expect(here).toEqual(names.filter((name) => !gone.includes(name)));
});

test('a host that refuses one file after the other is left alone', async () => {
  const busy: Fault = { kind: 'status', status: 429, retryAfter: { seconds: 3600, as: 'seconds' } };
  const { error, here, asked } = await obtain((name) => (name < 'r04' ? undefined : busy));
  expect((error as DownloadFailure).failure.kind).toBe('throttled');
  expect(here).toEqual(names.slice(0, 4));
  expect(asked.size).toBeLessThan(names.length);
});

test('a file that is not the one listed is the error, whatever else is gone', async () => {
  const { error } = await obtain((name) =>
    name === 'r03.edf' ? { kind: 'html' } : name < 'r03' ? DEAD : undefined,
  );
  expect(error).not.toBeInstanceOf(DownloadFailure);
  expect((error as Error).message).toContain('SHA-256');
});
