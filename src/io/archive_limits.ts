/** How much an archive may unpack to, counted on the bytes that really come out: what stops a decompression bomb. */

import { UserError } from './errors.js';

/** Limits on one archive; `Infinity` lifts one. An archive that passes a limit is refused with a `UserError`. */
export interface ArchiveLimits {
  /** Entries of every kind, those that are passed over included. */
  readonly maxEntries: number;
  /** Bytes unpacked from the whole archive; in a tar also headers and entries that are passed over. */
  readonly maxTotalBytes: number;
  /** Bytes of one entry that is opened. */
  readonly maxEntryBytes: number;
  /** Bytes out for each compressed byte in, over the whole archive; looked at once 32 MiB have come out. */
  readonly maxRatio: number;
}

/**
 * Ample for the metadata and the small corpora that people keep zipped: 200,000 entries, 8 GiB in all, 4 GiB an entry.
 * Deflate reaches 1,032 : 1 at most (zlib's technical notes) and does so on bombs; text and CSV stay under 30 : 1.
 */
export const DEFAULT_ARCHIVE_LIMITS: ArchiveLimits = {
  maxEntries: 200_000,
  maxTotalBytes: 8 * 2 ** 30,
  maxEntryBytes: 4 * 2 ** 30,
  maxRatio: 200,
};

/** Counts what an archive has given so far and throws a `UserError` at the byte that passes a limit. */
export class UnpackMeter {
  readonly limits: ArchiveLimits;
  readonly #archive: string;
  #entries = 0;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(archive: string, limits: Partial<ArchiveLimits> = {}) {
    this.#archive = archive;
    this.limits = { ...DEFAULT_ARCHIVE_LIMITS, ...limits };
  }

  /** One more entry was met. */
  countEntry(): void {
    this.#entries++;
    if (this.#entries > this.limits.maxEntries)
      throw this.#refusal(`the archive holds more than ${this.limits.maxEntries} entries`, 'maxEntries');
  }

  /** `bytes` of the file went into the decompressor. */
  countIn(bytes: number): void {
    this.#bytesIn += bytes;
  }

  /** `bytes` came out of a decompressor, or of a part that is stored as it is. */
  countOut(bytes: number): void {
    this.#bytesOut += bytes;
    if (this.#bytesOut > this.limits.maxTotalBytes)
      throw this.#refusal(
        `the archive unpacks to more than ${this.limits.maxTotalBytes} bytes`,
        'maxTotalBytes',
      );
    if (this.#bytesOut > RATIO_FREE_BYTES && this.#bytesOut > this.#bytesIn * this.limits.maxRatio)
      throw this.#refusal(
        `the archive unpacks to more than ${this.limits.maxRatio} times its size, as decompression bombs do`,
        'maxRatio',
      );
  }

  /** Throws where an entry has, or says that it has, more bytes than one entry may. `where` is its place. */
  checkEntryBytes(bytes: number, where: string): void {
    if (bytes > this.limits.maxEntryBytes)
      throw new UserError(`an entry of the archive has more than ${this.limits.maxEntryBytes} bytes`, {
        where,
        remedy: 'raise maxEntryBytes if you trust the archive',
      });
  }

  #refusal(what: string, limit: keyof ArchiveLimits): UserError {
    return new UserError(what, { where: this.#archive, remedy: `raise ${limit} if you trust the archive` });
  }
}

/** A megabyte of zeros is no attack: nothing is said about the ratio before it could hurt. */
const RATIO_FREE_BYTES = 32 * 2 ** 20;
