/** What a Dataset is: where raw data comes from, under which licence, and how its metadata becomes typed rows. */

import type { Landmarks, PixelBox } from '../faces/face.js';
import type { UrlAlternative } from '../io/fetch_urls.js';

/** A file that the publisher serves. `bytes` and `sha256` are given where they are known, and then obeyed. */
export interface Resource {
  readonly name: string;
  readonly url: string;
  readonly bytes?: number;
  readonly sha256?: string;
  /** Connections at once, for a server that is slow on each; 1 unless said otherwise. */
  readonly connections?: number;
}

export interface Licence {
  readonly name: string;
  readonly url: string;
  /** In our words: what the person agrees to, in a few sentences. */
  readonly terms: string;
  /** True where the publisher wants an agreement before the data is fetched. */
  readonly agreementNeeded: boolean;
}

/** How a dataset's URLs behave, for the downloader. */
export interface UrlBehaviour {
  /** Other addresses of the same picture, tried in order when `url` is gone. */
  alternatives?(url: string): readonly UrlAlternative[];
  /** True where a site answers 200 with a picture that says “gone”. */
  isPlaceholder?(finalUrl: string, sha256: string): boolean;
}

/** What a dataset may use to obtain its files. Folders exist already. */
export interface ObtainContext {
  /** `<tmp_dir>/<dataset>`: raw data, journals. */
  readonly rawDir: string;
  /** A folder in which the person has put the files by hand. */
  readonly manualDir?: string;
  /** The people whose recordings are wanted: names, numbers or ranges, as the dataset has them; all where absent. */
  readonly subjects?: readonly string[];
  /** Another address at which the publisher's files are found, e.g. a mirror of one's own. */
  readonly mirror?: string;
  /** Shows the licence, once; throws where an agreement is needed and was not given. Call it before the first byte. */
  agree(): Promise<void>;
  /** Fetches a resource, resuming and verifying it; gives the path of the whole file. */
  fetch(resource: Resource): Promise<string>;
  /** A sentence for the person, shown and kept in the manifest: the same in every run that ends the same. */
  note(text: string): void;
  /** A sentence about this run alone, e.g. what it is about to cost: shown, not kept. */
  say(text: string): void;
  /** How much of a long reading is done, in bytes. */
  progress(name: string, bytes: number, totalBytes: number): void;
  readonly signal?: AbortSignal;
}

/** A file of the dataset's own, with what the publisher says of the face in it (pixels of the upright picture). */
export interface DatasetFile {
  readonly bytes: Uint8Array;
  /** Where it lies, of formats that are several files. */
  readonly path?: string;
  readonly box?: PixelBox;
  readonly landmarks?: Landmarks;
}

/** A dataset's own files, by name: in folders, in archives, wherever they lie. */
export interface DatasetFiles {
  /** Another text when the file may be another; undefined where there is none. Cheap: it opens no file. */
  stamp(name: string): string | undefined;
  read(name: string): Promise<DatasetFile | undefined>;
  /** Whose a file is, where that is known from other files than by its name: it comes before `Dataset.identityOf`. */
  identityOf?(name: string): string | undefined;
  close(): void;
}

/** Where a dataset's files may lie. */
export interface DatasetPlace {
  readonly rawDir: string;
  readonly manualDir?: string;
}

export interface Dataset<Source = unknown> {
  /** snake_case; also the name of its folder below `tmp_dir`. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly homepage: string;
  readonly citation: string;
  readonly licence: Licence;
  readonly resources: readonly Resource[];
  readonly urls?: UrlBehaviour;
  /** Obtains the metadata and opens it. Nothing that a row points to is fetched here. */
  obtain(context: ObtainContext): Promise<Source>;
  /** Every URL that the rows point to, for `t2t-ts download`; repeats are allowed. */
  rowUrls?(source: Source): AsyncIterable<string> | Iterable<string>;
  /**
   * For a dataset that brings its own web: starts it on loopback and says which `host:port` of the rows' URLs are
   * answered at which address. Called before rows' URLs are fetched, closed after.
   */
  serve?(
    context: ObtainContext,
  ): Promise<{ readonly connectTo: Record<string, string>; close(): Promise<void> }>;
  /** Names of all files of the dataset's own that the rows may ask for, for `t2t-ts download`. */
  fileNames?(source: Source): readonly string[];
  /** For files of its own that are fetched when the plan is known: fetches those of `names` that are not here. */
  obtainFiles?(names: readonly string[], context: ObtainContext): Promise<void>;
  /** For inputs made by `datasetFile`: opens the files after `obtain()` has been there, in every worker. */
  openFiles?(place: DatasetPlace): Promise<DatasetFiles>;
  /** Whose picture or recording a file is: what `t2t-ts forget --identity` and `--subject` mean. */
  identityOf?(fileName: string): string | undefined;
}

/** Whose a file of the dataset's own is; undefined where nobody knows. */
export function identityOfFile(
  dataset: Pick<Dataset, 'identityOf'>,
  files: DatasetFiles | undefined,
  fileName: string,
): string | undefined {
  return files?.identityOf?.(fileName) ?? dataset.identityOf?.(fileName);
}
