/** Strikes URLs and identities: what was kept of them is erased, and only the shards that hold them are made anew. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../io/errors.js';
import { makeFolder } from '../io/make_folder.js';
import { datasetFileName, SPLITS, withOptions } from '../problems/problem.js';
import { problem } from '../problems/registry.js';
import { namesIn } from './data_files.js';
import { type GenerateOptions, generateData } from './generate.js';
import { openFetched, openOwnFiles } from './input_records.js';
import { type Manifest, readManifest } from './manifest.js';
import { PreparedStore } from './prepared_store.js';
import { obtainRawData, rawDirOf } from './raw_data.js';
import { datasetStruckPath, type Struck, struckPath, writeStruck } from './struck.js';

export type ForgetOptions = Omit<
  GenerateOptions,
  'splits' | 'limit' | 'shards' | 'seed' | 'task' | 'dryRun' | 'overwrite' | 'retry' | 'onlyFinished'
>;

export interface ForgetSummary {
  readonly problem: string;
  /** Addresses, then identities. */
  readonly struck: readonly string[];
  /** Shards that were made anew, by file name. */
  readonly remade: readonly string[];
  /** Fetched files that were erased from the raw data, by content hash. */
  readonly erased: readonly string[];
  /** Prepared pictures of struck identities that were erased. */
  readonly erasedPrepared: number;
}

/**
 * Strikes URLs and identities (or subjects) from every split of a problem in the data folder. They are not used again,
 * neither here nor, by any Problem over the same dataset, with the same `tmpDir`. The person's own folder or archive is left as it is.
 * @throws UserError where the folder holds no finished split of the problem, or the dataset knows no identities.
 */
export async function forget(name: string, struck: Struck, options: ForgetOptions): Promise<ForgetSummary> {
  const { urls, identities } = struck;
  const { dataset } = problem(name);
  if (identities.length > 0 && dataset.identityOf === undefined)
    throw new UserError(`${dataset.name} does not say whose its pictures are`, {
      where: identities.join(', '),
      remedy: 'give addresses with --url',
      exitCode: 2,
    });
  for (const id of identities)
    if (!/^[^\p{Cc}]+$/u.test(id))
      throw new UserError('this is no identity', {
        where: JSON.stringify(id),
        remedy: 'give it as it stands in the record',
        exitCode: 2,
      });
  for (const url of urls)
    if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
      throw new UserError('this is no address', {
        where: url,
        remedy: 'give it as it stands in the record, http://…',
        exitCode: 2,
      });
  const manifests = SPLITS.flatMap((split) => readManifest(options.dataDir, name, split) ?? []);
  if (manifests.length === 0)
    throw new UserError(`the data folder holds no split of ${name}`, {
      where: options.dataDir,
      remedy: `it holds ${namesIn(options.dataDir).join(', ') || 'nothing that datagen made'}`,
    });
  // Where the raw data can't be opened the shards could not be made anew: said before anything is struck.
  await obtainRawData(dataset, options);
  writeStruck(struckPath(options.dataDir, name), struck);
  const rawDir = rawDirOf(options.tmpDir, dataset.name);
  if (identities.length > 0) {
    makeFolder(rawDir);
    writeStruck(datasetStruckPath(rawDir), { urls: [], identities });
  }
  const erased = await eraseRaw(rawDir, urls);
  const { manualDir } = options;
  const place = { rawDir, ...(manualDir === undefined ? {} : { manualDir }) };
  const own = identities.length === 0 ? undefined : await openOwnFiles(dataset, place, identities);
  const isStruck = (file: string): boolean => own?.struck.has(own.identityOf(file) ?? '') ?? false;
  const erasedPrepared = erasePrepared(rawDir, (origin) => {
    const file = datasetFileName(origin);
    return file !== undefined && isStruck(file);
  });
  own?.files.close();
  const before = shardHashes(manifests);
  for (const { settings } of manifests) {
    await generateData(withOptions(problem(name), settings.options), {
      ...options,
      splits: [settings.split],
      seed: settings.seed,
      shards: settings.shards,
      ...(settings.limit === null ? {} : { limit: settings.limit }),
      onlyFinished: true,
    });
  }
  const after = shardHashes(SPLITS.flatMap((split) => readManifest(options.dataDir, name, split) ?? []));
  const remade = [...after].filter(([file, sha256]) => before.get(file) !== sha256).map(([file]) => file);
  return { problem: name, struck: [...urls, ...identities], remade, erased, erasedPrepared };
}

/** Removes files that only struck URLs gave, and every crop made from them, whatever it was prepared for. */
async function eraseRaw(rawDir: string, urls: readonly string[]): Promise<string[]> {
  if (!existsSync(rawDir)) return [];
  const { journal, store } = openFetched(rawDir);
  try {
    const contents = contentsOf(join(rawDir, 'journal'), new Set(urls));
    for (const fate of journal.fates())
      if (fate.status === 'ok' && !urls.includes(fate.url)) contents.delete(fate.sha256);
    for (const content of contents) store.remove(content);
    erasePrepared(rawDir, (origin) => contents.has(origin));
    // Struck last: a run that is killed before erases again.
    for (const url of urls) journal.strike(url);
    return [...contents];
  } finally {
    await journal.close();
  }
}

/** Erases what was prepared of some raw files, in every way of preparing; gives the number of pictures. */
function erasePrepared(rawDir: string, isErased: (origin: string) => boolean): number {
  const preparations = join(rawDir, 'prepared');
  let erased = 0;
  for (const folder of existsSync(preparations) ? readdirSync(preparations) : []) {
    const prepared = new PreparedStore(join(preparations, folder));
    erased += prepared.erase(isErased);
    prepared.close();
  }
  return erased;
}

/** Every content that the journal's files ever named for these URLs, also where a later line says that they are struck. */
function contentsOf(journalFolder: string, urls: ReadonlySet<string>): Set<string> {
  const contents = new Set<string>();
  for (const name of readdirSync(journalFolder)) {
    if (!name.endsWith('.jsonl')) continue;
    for (const line of readFileSync(join(journalFolder, name), 'utf8').split('\n')) {
      if (!line.includes('"sha256"')) continue;
      try {
        const { url, sha256 } = JSON.parse(line) as { url: string; sha256: string };
        if (urls.has(url)) contents.add(sha256);
      } catch {
        // A line that a kill cut names a file that nobody trusts.
      }
    }
  }
  return contents;
}

function shardHashes(manifests: readonly Manifest[]): Map<string, string> {
  return new Map(
    manifests.flatMap(({ shards }) => shards.map((shard) => [shard.file, shard.sha256] as const)),
  );
}
