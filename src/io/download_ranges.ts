/** One file over several connections, by ranges: for servers that give each connection little. Resumed as `downloadFile` does. */

import { existsSync } from 'node:fs';
import { parseFetchUrl } from './address_guard.js';
import { isSameVersion, parseContentRange, rangeHeaders, validatorOf } from './byte_ranges.js';
import { ConnectionPace } from './connection_pace.js';
import { DownloadFailure } from './download_failure.js';
import { type DownloadedFile, type DownloadFileOptions, downloadFile } from './download_file.js';
import { UserError } from './errors.js';
import { type FetchFailure, TRANSIENT_KINDS } from './fetch_outcome.js';
import { redirectRefusal, refusalOf } from './fetch_url.js';
import { sha256OfFile } from './file_hash.js';
import { type Clock, SYSTEM_CLOCK } from './host_limits.js';
import { DEFAULT_TIMEOUTS, HttpClient, type ResponseHead } from './http_client.js';
import { PRODUCT_TOKEN } from './opt_out.js';
import { hasPieces, PiecesFile } from './pieces_file.js';
import { type Stretch, Stretches } from './stretches.js';

export interface DownloadRangesOptions extends DownloadFileOptions {
  /** Connections at once, 1 to 16; 8 unless said otherwise. Fewer where the host asks for patience. */
  readonly connections?: number;
  /** What a kill can lose of each connection's work; 262,144 unless said otherwise. */
  readonly pieceBytes?: number;
}

/** Browsers open 6 to 8 connections a host; this is for people who know the host allows more. */
const MAX_CONNECTIONS = 16;
const PIECE_BYTES = 256 * 1024;
/** A file that changes while it is fetched is begun anew so often; then one connection has to do. */
const MAX_VERSIONS = 3;

/**
 * Downloads a file as `downloadFile` does, but over several connections. `<path>.part` and `<path>.part.pieces` stand
 * beside it meanwhile. One connection is used where the server gives no ranges, no total length or nothing to tell
 * versions of the file apart, and where an earlier run has begun so.
 * @throws UserError where the file can't be had or is not the one expected. The signal's reason where it is aborted.
 */
export async function downloadRanges(options: DownloadRangesOptions): Promise<DownloadedFile> {
  const { path, url, connections = 8, pieceBytes = PIECE_BYTES } = options;
  if (!Number.isInteger(connections) || connections < 1 || connections > MAX_CONNECTIONS)
    throw new RangeError(`${connections} connections, from 1 to ${MAX_CONNECTIONS} are possible`);
  options.signal?.throwIfAborted();
  // A run that began over one connection is gone on with so: what it has is worth more than the speed.
  const isBegun = existsSync(`${path}.part.json`);
  if (!hasPieces(path) && (connections === 1 || isBegun)) return downloadFile(options);
  const pieces = PiecesFile.open(path, url, pieceBytes);
  let whole: DownloadedFile | undefined;
  try {
    whole = await new RangesDownload(options, pieces, { connections, pieceBytes }).run();
  } finally {
    pieces.close();
  }
  return whole ?? downloadFile(options);
}

/** How one request ended. */
type RequestEnd =
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly failure: FetchFailure; readonly retryAfterMs?: number };

/** What ends all requests of one version of the file. */
type Verdict =
  /** Only one connection will do. */
  | { readonly type: 'no-ranges' }
  | { readonly type: 'changed' }
  | { readonly type: 'error'; readonly error: unknown };

class RangesDownload {
  private readonly options: DownloadRangesOptions;
  private readonly pieces: PiecesFile;
  private readonly pieceBytes: number;
  private readonly clock: Clock;
  private readonly maxConnections: number;
  private readonly pace: ConnectionPace;
  private client: HttpClient;
  private stretches: Stretches;
  private verdict: Verdict | undefined;
  private finalUrl: string | undefined;
  private readonly wakes = new Set<() => void>();

  constructor(
    options: DownloadRangesOptions,
    pieces: PiecesFile,
    { connections, pieceBytes }: { readonly connections: number; readonly pieceBytes: number },
  ) {
    this.options = options;
    this.pieces = pieces;
    const { maxAttempts = 8, backoffMs = 1_000, random = Math.random } = options;
    this.pace = new ConnectionPace({ maxConnections: connections, maxAttempts, backoffMs, random });
    this.maxConnections = connections;
    this.pieceBytes = pieceBytes;
    this.clock = options.clock ?? SYSTEM_CLOCK;
    this.client = this.newClient();
    this.stretches = new Stretches(pieces.missing(), pieceBytes);
  }

  /** The file, or undefined where it must be fetched over one connection. */
  async run(): Promise<DownloadedFile | undefined> {
    const { pieces } = this;
    const { signal } = this.options;
    const stop = (): void => this.end({ type: 'error', error: signal?.reason });
    signal?.addEventListener('abort', stop, { once: true });
    try {
      let mayBeSpoilt = pieces.bytes > 0;
      for (let versions = 0; versions < MAX_VERSIONS; ) {
        const verdict = await this.fetchVersion();
        if (verdict?.type === 'error') throw verdict.error;
        if (verdict?.type === 'no-ranges') break;
        if (verdict === undefined) {
          const file = await this.finish(mayBeSpoilt);
          if (file !== undefined) return file;
          mayBeSpoilt = false;
        } else versions++;
        pieces.forget();
      }
      pieces.forget();
      return undefined;
    } finally {
      signal?.removeEventListener('abort', stop);
      this.client.destroy();
    }
  }

  /** Fetches what is missing of the version that is known, or of the one that the server has now. */
  private async fetchVersion(): Promise<Verdict | undefined> {
    const { pieces } = this;
    this.verdict = undefined;
    this.client = this.newClient();
    this.stretches = new Stretches(
      pieces.version === undefined ? [{ start: 0, end: Number.POSITIVE_INFINITY }] : pieces.missing(),
      this.pieceBytes,
    );
    this.progress();
    await Promise.all(Array.from({ length: this.maxConnections }, (_, i) => this.work(i)));
    return this.verdict;
  }

  /** One connection: takes stretches until none is left. */
  private async work(connection: number): Promise<void> {
    try {
      for (;;) {
        // The first answer tells how long the file is: until then there is nothing for others to do.
        while (this.pieces.version === undefined && connection > 0 && this.verdict === undefined)
          await this.wait(Number.POSITIVE_INFINITY);
        await this.patience();
        if (this.verdict !== undefined || this.stretches.isEmpty) return;
        const stretch = connection < this.pace.connections ? this.stretches.take() : undefined;
        if (stretch === undefined) {
          // The others have what is left; should one of them fail, its stretch comes back.
          await this.wait(Number.POSITIVE_INFINITY);
          continue;
        }
        const before = stretch.position;
        const end = await this.fetch(stretch);
        const isForward = stretch.position > before;
        this.stretches.giveBack(stretch);
        this.wakeAll();
        if (end.type === 'done' || this.verdict !== undefined) continue;
        this.afterFailure(end, isForward);
      }
    } catch (error) {
      this.end({ type: 'error', error });
    }
  }

  private afterFailure(end: RequestEnd & { type: 'failed' }, isForward: boolean): void {
    const { failure, retryAfterMs = 0 } = end;
    const isAlone = !this.stretches.isWorkedOn;
    this.pace.onFailure({ failure, retryAfterMs, isForward, isAlone, nowMs: this.clock.nowMs() });
    if (!TRANSIENT_KINDS.has(failure.kind) || this.pace.hasGivenUp) this.refuse(failure);
    else if (retryAfterMs > (this.options.maxRetryAfterMs ?? 300_000)) {
      const detail = `${failure.detail}, to be asked again in ${retryAfterMs / 1000} s`;
      this.refuse({ ...failure, detail });
    }
  }

  /** Fetches a stretch, or as much of it as other connections leave to this one. Follows redirects. */
  private async fetch(stretch: Stretch): Promise<RequestEnd> {
    const first = parseFetchUrl(this.options.url);
    if (!(first instanceof URL)) return { type: 'failed', failure: first };
    const seen: string[] = [];
    for (let url = first; ; ) {
      const refusal = redirectRefusal(seen, url, this.options.maxRedirects ?? 5);
      if (refusal !== undefined) return { type: 'failed', failure: refusal };
      seen.push(url.href);
      const end = await this.request(url, stretch);
      if (!(end instanceof URL)) return end;
      url = end;
    }
  }

  private async request(url: URL, stretch: Stretch): Promise<RequestEnd | URL> {
    const { validator } = this.pieces.version ?? {};
    const guarded = (action: () => FetchFailure | undefined): FetchFailure | undefined => {
      try {
        return action();
      } catch (error) {
        this.end({ type: 'error', error });
        return STOPPED;
      }
    };
    const end = await this.client.get(
      url,
      {
        onHead: (head) => {
          if (head.status !== 200 && head.status !== 206) return 'drain';
          this.finalUrl = url.href;
          return guarded(() => this.begin(head, stretch));
        },
        onData: (chunk) => guarded(() => this.take(chunk, stretch)),
      },
      rangeHeaders(
        {
          start: stretch.position,
          ...(stretch.end === Number.POSITIVE_INFINITY ? {} : { end: stretch.end }),
        },
        validator,
      ),
    );
    this.options.signal?.throwIfAborted();
    // What came is right also where the transfer was cut after it, as it is when another took over the rest.
    if (stretch.position === stretch.end || this.verdict !== undefined) return { type: 'done' };
    if (!end.ok) return { type: 'failed', failure: end.failure };
    const { status, headers } = end.head;
    if (status === 206)
      return { type: 'failed', failure: { kind: 'truncated', detail: 'a part shorter than announced' } };
    if ([301, 302, 303, 307, 308].includes(status) && headers.location !== undefined) {
      const target = parseFetchUrl(headers.location, url);
      return target instanceof URL ? target : { type: 'failed', failure: target };
    }
    if (status === 416) {
      // An empty file has no ranges at all, and one that became shorter not this one.
      this.end({ type: this.pieces.version === undefined ? 'no-ranges' : 'changed' });
      return { type: 'done' };
    }
    return refusalOf(end.head);
  }

  /** Looks whether an answer is the part that was asked for, of the version that is known. */
  private begin(head: ResponseHead, stretch: Stretch): FetchFailure | undefined {
    const { version } = this.pieces;
    const range = parseContentRange(head.headers['content-range']);
    if (version === undefined) return this.beginVersion(head, stretch);
    const isKnown =
      head.status === 206 &&
      isSameVersion(head, version.validator) &&
      (range?.total ?? version.totalBytes) === version.totalBytes;
    if (!isKnown) {
      this.end({ type: 'changed' });
      return STOPPED;
    }
    if (range?.start === stretch.position) return undefined;
    const got = head.headers['content-range'] ?? '(none)';
    return {
      kind: 'truncated',
      detail: `the server sent the range ${got} where bytes ${stretch.position}- were asked for`,
    };
  }

  /** The first answer of all tells the file's length and version. */
  private beginVersion(head: ResponseHead, stretch: Stretch): FetchFailure | undefined {
    const { url, expected, maxBytes = 2 ** 40 } = this.options;
    const range = parseContentRange(head.headers['content-range']);
    const validator = validatorOf(head);
    const totalBytes = head.status === 206 ? range?.total : head.contentLength;
    if (totalBytes !== undefined && expected?.bytes !== undefined && totalBytes !== expected.bytes)
      return {
        kind: 'wrong-content',
        detail: `the server has ${totalBytes} bytes, ${expected.bytes} are expected`,
      };
    if (totalBytes !== undefined && totalBytes > maxBytes)
      return { kind: 'too-large', detail: `${totalBytes} bytes, the limit is ${maxBytes}` };
    if (head.status !== 206 || range?.start !== 0 || totalBytes === undefined || validator === undefined) {
      this.end({ type: 'no-ranges' });
      return STOPPED;
    }
    this.pieces.begin({ url, validator, totalBytes });
    this.stretches.limit(totalBytes);
    stretch.end = totalBytes;
    this.progress();
    this.wakeAll();
    return undefined;
  }

  private take(chunk: Buffer, stretch: Stretch): FetchFailure | undefined {
    const wanted = chunk.subarray(0, Math.max(0, stretch.end - stretch.position));
    stretch.fill(wanted, (start, bytes) => {
      this.pieces.write(start, bytes);
      if (this.pace.onPiece()) this.wakeAll();
      this.progress();
    });
    // Not an error: the rest is somebody else's.
    return wanted.length < chunk.length ? STOPPED : undefined;
  }

  /** Verifies and names the file; undefined where pieces of an earlier run may have been spoilt on the disk. */
  private async finish(mayBeSpoilt: boolean): Promise<DownloadedFile | undefined> {
    const { pieces } = this;
    const { path, expected, url } = this.options;
    const { bytes } = pieces;
    const sha256 = await sha256OfFile(pieces.path);
    this.options.signal?.throwIfAborted();
    const wrong =
      expected?.bytes !== undefined && expected.bytes !== bytes
        ? `${bytes} bytes instead of ${expected.bytes}`
        : expected?.sha256 !== undefined && expected.sha256 !== sha256
          ? `SHA-256 ${sha256} instead of ${expected.sha256}`
          : undefined;
    if (wrong === undefined) {
      pieces.finish();
      return { path, bytes, sha256, finalUrl: this.finalUrl };
    }
    if (mayBeSpoilt) return undefined;
    const aside = pieces.setAside();
    throw new UserError(`the file is not the one expected: ${wrong}`, {
      where: url,
      remedy: `see whether the publisher has changed it; what came was kept as ${aside}`,
    });
  }

  /** The first verdict holds. */
  private end(verdict: Verdict): void {
    this.verdict ??= verdict;
    this.client.destroy();
    this.wakeAll();
  }

  private refuse(failure: FetchFailure): void {
    const { kind } = failure;
    const isKept = this.pieces.bytes > 0;
    const remedy =
      kind === 'forbidden-address'
        ? 'give --allow-private-hosts where the address is your own'
        : TRANSIENT_KINDS.has(kind)
          ? 'run the command again later'
          : 'see whether the publisher has moved or changed it';
    const error = new DownloadFailure(failure, {
      where: this.options.url,
      remedy: `${remedy}${isKept ? '; what has arrived is kept and resumed' : ''}`,
    });
    this.end({ type: 'error', error });
  }

  private newClient(): HttpClient {
    const { options } = this;
    return new HttpClient({
      ...options,
      timeouts: { ...DEFAULT_TIMEOUTS, totalTimeoutMs: Number.POSITIVE_INFINITY, ...options.timeouts },
      userAgent: options.userAgent ?? PRODUCT_TOKEN,
    });
  }

  private progress(): void {
    const { bytes, version } = this.pieces;
    this.options.onProgress?.({
      bytes,
      ...(version === undefined ? {} : { totalBytes: version.totalBytes }),
    });
  }

  /** Waits as long as the host wants. */
  private async patience(): Promise<void> {
    for (;;) {
      const leftMs = this.pace.notBeforeMs - this.clock.nowMs();
      if (leftMs <= 0 || this.verdict !== undefined) return;
      await this.wait(leftMs);
    }
  }

  /** Waits so long, or until something happens. */
  private wait(delayMs: number): Promise<void> {
    if (this.verdict !== undefined || delayMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel?.();
        this.wakes.delete(wake);
        resolve();
      };
      const cancel = delayMs === Number.POSITIVE_INFINITY ? undefined : this.clock.after(delayMs, wake);
      this.wakes.add(wake);
    });
  }

  private wakeAll(): void {
    for (const wake of [...this.wakes]) wake();
  }
}

const STOPPED: FetchFailure = { kind: 'connection', detail: 'stopped' };
