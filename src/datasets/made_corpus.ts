/** Corpora that come with the program: made by our own code on first use, in a folder below the raw data. */

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a made-up corpus lies; another version is another folder. */
export function madeCorpusFolder(rawDir: string, version: string): string {
  return join(rawDir, `corpus-${version}`);
}

/**
 * Makes a corpus where it is not there yet: in a folder beside, which is then renamed, so that a folder under its final
 * name is whole. Gives that folder.
 */
export async function madeCorpus(
  rawDir: string,
  version: string,
  make: (folder: string) => Promise<unknown>,
): Promise<string> {
  const folder = madeCorpusFolder(rawDir, version);
  if (existsSync(folder)) return folder;
  const partial = await mkdtemp(`${folder}.part-`);
  await make(partial);
  await rename(partial, folder).catch(async (error) => {
    // Another run may have made it meanwhile: theirs is the same.
    if (!existsSync(folder) || (await readdir(folder)).length === 0) throw error;
    await rm(partial, { recursive: true, force: true });
  });
  return folder;
}
