/** Lists and reads the pictures below a folder that somebody else filled: nothing outside it is ever read. */

import { type Dirent, lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { readRegularFile } from '../io/read_regular_file.js';

/** A picture of 100 megapixels at the best JPEG quality takes about 50 MB: a larger file is no photograph. */
export const MAX_PICTURE_BYTES = 64 * 2 ** 20;

/** Corpora of faces have two levels (person, picture); the rest is room for how people unpack them. */
const MAX_DEPTH = 6;

/** True for the names of files that may be pictures. */
export function isPictureName(name: string): boolean {
  return /\.(jpe?g|png)$/i.test(name);
}

/** A folder of pictures, named by their paths below it with `/` between the parts. */
export class PictureFolder {
  /** Without links. */
  readonly path: string;
  /** Whether a folder below leads out of this one: asked once, there are thousands of pictures in each. */
  readonly #inside = new Map<string, boolean>();

  /** @throws an `ENOENT` error where there is no such folder. */
  constructor(path: string) {
    this.path = realpathSync(path);
  }

  /** Every picture, sorted by code units; links that lead out of the folder are passed over, as are hidden files. */
  names(): Iterable<string> {
    return this.#below('', MAX_DEPTH);
  }

  /** Size and time of change; undefined where there is no such picture. */
  stamp(name: string): string | undefined {
    const found = this.#find(name);
    return found === undefined ? undefined : `${found.stats.size}-${Math.round(found.stats.mtimeMs)}`;
  }

  /** The bytes; undefined where there is no such picture, or the file is larger than `MAX_PICTURE_BYTES`. */
  read(name: string): Uint8Array | undefined {
    const found = this.#find(name);
    if (found === undefined || found.stats.size > MAX_PICTURE_BYTES) return undefined;
    return readRegularFile(found.path, MAX_PICTURE_BYTES);
  }

  *#below(folder: string, depth: number): Generator<string> {
    const entries = entriesOf(join(this.path, folder));
    for (const entry of entries) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const kind = this.#kind(entry, name);
      if (kind === 'folder' && depth > 1) yield* this.#below(name, depth - 1);
      if (kind === 'file' && isPictureName(name)) yield name;
    }
  }

  #kind(entry: Dirent, name: string): 'file' | 'folder' | undefined {
    if (entry.isFile()) return 'file';
    if (entry.isDirectory()) return 'folder';
    if (!entry.isSymbolicLink()) return undefined;
    const target = realPath(join(this.path, name));
    if (target === undefined || !isBelow(this.path, target)) return undefined;
    const stats = statSync(target, { throwIfNoEntry: false });
    // A link to a folder could lead back up, and its pictures have names of their own already.
    return stats?.isFile() === true ? 'file' : undefined;
  }

  #find(name: string): { path: string; stats: Stats } | undefined {
    if (!isPlainName(name) || !isPictureName(name)) return undefined;
    const path = join(this.path, name);
    if (!this.#isInside(dirname(path))) return undefined;
    let stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() === true) {
      const target = realPath(path);
      if (target === undefined || !isBelow(this.path, target)) return undefined;
      stats = statSync(target, { throwIfNoEntry: false });
    }
    return stats?.isFile() === true ? { path, stats } : undefined;
  }

  #isInside(folder: string): boolean {
    let inside = this.#inside.get(folder);
    if (inside === undefined) {
      const real = realPath(folder);
      inside = real !== undefined && (real === this.path || isBelow(this.path, real));
      this.#inside.set(folder, inside);
    }
    return inside;
  }
}

/** The entries in the order of the full names they lead to: a folder `a` comes as `a/`, so after a file `a.jpg`. */
function entriesOf(folder: string): Dirent[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.name.startsWith('.'));
  const sortable = entries.map((entry) => ({
    key: entry.isDirectory() ? `${entry.name}/` : entry.name,
    entry,
  }));
  return sortable.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ entry }) => entry);
}

/** True for a relative path with `/` that has no `.`, `..` or empty part and nothing that systems read otherwise. */
function isPlainName(name: string): boolean {
  return (
    name !== '' &&
    !name.includes('\0') &&
    !name.includes('\\') &&
    name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // Broken, or a ring of links.
  }
}
