/** The pictures of a dataset by one name each, whether they lie in folders or in indexed archives. */

import { IndexedTar } from '../io/tar_index.js';
import { NameFilter } from './name_filter.js';
import { isPictureName, PictureFolder } from './picture_folder.js';

/** Where a dataset's pictures lie. Plain data: `obtain()` writes it down, every worker opens it. */
export interface PictureTree {
  /** A picture's name is its path below one of these. */
  readonly folders: readonly { readonly path: string }[];
  /** Archives that `indexTar` has indexed. A picture's name is its member's name without `prefix`, e.g. `train/`. */
  readonly archives: readonly PictureArchive[];
}

export interface PictureArchive {
  readonly path: string;
  readonly indexPath: string;
  readonly prefix: string;
}

/**
 * A tree of pictures, opened. Names are those of the corpus, without the folder of a split, e.g.
 * `n000001/0001_01.jpg`. Where two places have the same name the first wins, folders before archives.
 */
export class PictureFiles {
  readonly #folders: readonly PictureFolder[];
  readonly #archives: readonly OpenArchive[];
  /** Archives are opened once, also where two prefixes are used of one. */
  readonly #tars: readonly IndexedTar[];
  #stamps = 0;

  private constructor(tree: PictureTree) {
    const tars = new Map<string, IndexedTar>();
    this.#folders = tree.folders.map(({ path }) => new PictureFolder(path));
    this.#archives = tree.archives.map(({ path, indexPath, prefix }) => {
      const tar = tars.get(path) ?? IndexedTar.open(path, indexPath);
      tars.set(path, tar);
      return { tar, prefix };
    });
    this.#tars = [...tars.values()];
  }

  /** @throws an error where a folder is gone, or an archive is not the one that was indexed. */
  static open(tree: PictureTree): PictureFiles {
    return new PictureFiles(tree);
  }

  /** Every picture once, sorted by code units. Holds the names of all archives while it runs. */
  names(): Iterable<string> {
    const sources: Iterable<string>[] = this.#folders.map((folder) => folder.names());
    for (const { tar, prefix } of this.#archives) sources.push(archivedPictures(tar, prefix));
    const [only] = sources;
    if (only !== undefined && sources.length === 1 && this.#archives.length === 0) return only;
    const all = new Set<string>();
    for (const source of sources) for (const name of source) all.add(name);
    return [...all].sort();
  }

  /** Another text when the picture may be another; undefined where there is none. */
  stamp(name: string): string | undefined {
    for (const folder of this.#folders) {
      const stamp = folder.stamp(name);
      if (stamp !== undefined) return stamp;
    }
    if (!isPictureName(name)) return undefined;
    this.#stamps++;
    // Whoever plans asks for every picture there is: then a look into the index for each would take minutes.
    if (this.#stamps === STAMPS_BEFORE_FILTER)
      for (const archive of this.#archives)
        archive.filter = new NameFilter(archivedPictures(archive.tar, archive.prefix));
    return this.#archives.find((archive) => isIn(archive, name))?.tar.id;
  }

  /** The bytes; undefined where there is no such picture, or it is beyond any photograph's size. */
  async read(name: string): Promise<Uint8Array | undefined> {
    for (const folder of this.#folders) if (folder.stamp(name) !== undefined) return folder.read(name);
    if (!isPictureName(name)) return undefined;
    const found = this.#archives.find(({ tar, prefix }) => tar.has(prefix + name));
    return found?.tar.read(found.prefix + name);
  }

  close(): void {
    for (const tar of this.#tars) tar.close();
  }
}

interface OpenArchive {
  readonly tar: IndexedTar;
  readonly prefix: string;
  filter?: NameFilter;
}

/** Making the filters takes as long as about this many looks into an index. */
const STAMPS_BEFORE_FILTER = 20_000;

function isIn({ tar, prefix, filter }: OpenArchive, name: string): boolean {
  return filter === undefined ? tar.has(prefix + name) : filter.mayHave(name);
}

/** The pictures of an archive below a prefix, in the archive's order. */
export function* archivedPictures(tar: IndexedTar, prefix: string): Generator<string> {
  for (const member of tar.names())
    if (member.startsWith(prefix) && isPictureName(member)) yield member.slice(prefix.length);
}
