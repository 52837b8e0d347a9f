/** Random access into tar and tar.gz archives of any size without unpacking them: an index beside the archive, made once. */

import { closeSync, existsSync, fstatSync, fsyncSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { entryPlace, unreadableFile } from './archive_entry.js';
import { archiveId, digestBefore } from './archive_id.js';
import type { ArchiveLimits } from './archive_limits.js';
import { storeError } from './content_store.js';
import { UserError } from './errors.js';
import type { OpenFile } from './gzip_stream.js';
import { isLeftover, processTag } from './process_tag.js';
import { isGzip, TAR_MAGIC_BYTES } from './tar.js';
import { GzipContents, plainContents, type TarContents } from './tar_contents.js';
import { type IndexedMember, TarIndexFile, writeTarIndex } from './tar_index_file.js';
import { TAR_INDEX_LIMITS, TarIndexer } from './tar_indexer.js';
import { TarJournal } from './tar_journal.js';

/** A file in an archive. */
export interface TarMember {
  /** A relative path that is safe below any folder (see `ArchiveEntry`). */
  readonly name: string;
  readonly bytes: number;
}
