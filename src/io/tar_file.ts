/** Writes a tar whose bytes depend on names and contents alone: no times, no owners. */

import { type Pack, pack } from 'tar-stream';
import { HashedFile } from './hashed_file.js';

/** The path is a temporary one; whoever made the file renames it when `finish()` has returned, and calls `abort()` otherwise. */
export class TarFile {
  private readonly file: HashedFile;
  private readonly tar: Pack = pack();
  private readonly ended: Promise<void>;

  /** Creates or empties the file. @throws UserError where it can't be written. */
  static create(path: string): TarFile {
    return new TarFile(path);
  }

  private constructor(path: string) {
    this.file = HashedFile.create(path);
    this.ended = this.drain();
    // Whoever waits for an entry or for the end is told; until then nobody may be waiting.
    this.ended.catch(() => {});
  }

  /**
   * Adds a regular file; wait for it before the next. Names of more than 100 bytes get a pax header.
   * @throws UserError where the tar can't be written.
   */
  async add(name: string, bytes: Uint8Array): Promise<void> {
    const added = new Promise<void>((resolve, reject) => {
      const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.tar.entry({ name, mtime: new Date(0), mode: 0o644 }, whole, (error) =>
        error ? reject(error) : resolve(),
      );
    });
    await Promise.race([added, this.ended]);
  }

  /** Ends the tar and waits until the disk holds it; gives size and lower-case hex SHA-256. */
  async finish(): Promise<{ readonly bytes: number; readonly sha256: string }> {
    this.tar.finalize();
    await this.ended;
    return this.file.finish();
  }

  /** Closes and removes the file: also after `finish()`, and more than once. */
  abort(): void {
    this.tar.destroy();
    this.file.abort();
  }

  private async drain(): Promise<void> {
    for await (const chunk of this.tar) this.file.write(chunk as Buffer);
  }
}
