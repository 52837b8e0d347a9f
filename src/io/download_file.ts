/** One large file: resumed across restarts, never spliced from two versions, verified, and under its name only when whole. */

import type { LookupFunction } from 'node:net';
import { parseFetchUrl } from './address_guard.js';
import { DownloadFailure } from './download_failure.js';
import { UserError } from './errors.js';
import { type FetchFailure, type FetchFailureKind, TRANSIENT_KINDS } from './fetch_outcome.js';
import { redirectRefusal, refusalOf } from './fetch_url.js';
import { type Clock, SYSTEM_CLOCK } from './host_limits.js';
import { DEFAULT_TIMEOUTS, HttpClient, type ResponseHead, type TransferTimeouts } from './http_client.js';
import { PRODUCT_TOKEN } from './opt_out.js';
import { PartialFile, type Validator } from './partial_file.js';

export interface DownloadFileOptions {
  readonly url: string;
  /** Where the file goes; its folder exists. `<path>.part` and `<path>.part.json` stand beside it meanwhile. */
  readonly path: string;
  /** What is known of it; a file that differs is refused. `sha256` in lower-case hex. */
  readonly expected?: { readonly bytes?: number; readonly sha256?: string };
  readonly allowPrivateHosts?: boolean;
  /** As of `AddressGuardOptions`. */
  readonly connectTo?: Readonly<Record<string, string>>;
  readonly lookup?: LookupFunction;
  readonly signal?: AbortSignal;
  readonly userAgent?: string;
  /** The whole may take any time unless it is given here; too slow a transfer is cut and resumed. */
  readonly timeouts?: Partial<TransferTimeouts>;
  /** 2^40 by default. */
  readonly maxBytes?: number;
  /** 5 by default. */
  readonly maxRedirects?: number;
  /** Attempts in a row that bring nothing forward; 8 by default. */
  readonly maxAttempts?: number;
  /** The first pause between attempts, doubled with every further one up to a minute; 1000 by default. */
  readonly backoffMs?: number;
  /** A longer `Retry-After` is not waited for; 300,000 by default. */
  readonly maxRetryAfterMs?: number;
  readonly clock?: Clock;
  /** In [0, 1); scatters the pauses. */
  readonly random?: () => number;
  /** Bytes that are here, those of earlier runs included. */
  readonly onProgress?: (progress: { readonly bytes: number; readonly totalBytes?: number }) => void;
}

export interface DownloadedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** After redirects; undefined where an earlier run had fetched all of it. */
  readonly finalUrl: string | undefined;
}

const MAX_BACKOFF_MS = 60_000;

/**
 * Downloads a file. It is asked for by name, so `robots.txt` and `X-Robots-Tag`, which speak to crawlers, are not
 * consulted; `Retry-After` is obeyed. What the server sends is kept as it is, whatever `Content-Encoding` it claims.
 * @throws UserError where the file can't be had or is not the one expected. The signal's reason where it is aborted.
 */
export async function downloadFile(options: DownloadFileOptions): Promise<DownloadedFile> {
  const { signal, timeouts } = options;
  signal?.throwIfAborted();
  const client = new HttpClient({
    ...options,
    timeouts: { ...DEFAULT_TIMEOUTS, totalTimeoutMs: Number.POSITIVE_INFINITY, ...timeouts },
    userAgent: options.userAgent ?? PRODUCT_TOKEN,
  });
  const stop = (): void => client.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  const part = await PartialFile.open(options.path, options.url);
  try {
    return await new Download(options, client, part).run();
  } finally {
    signal?.removeEventListener('abort', stop);
    client.destroy();
    part.close();
  }
}

/** How one attempt ended. */
type AttemptEnd =
  | { readonly type: 'whole'; readonly finalUrl: string | undefined }
  /** Ask again: at once where what is here was thrown away, else after a pause. */
  | { readonly type: 'again'; readonly failure: FetchFailure; readonly retryAfterMs?: number };

class Download {
  private readonly options: DownloadFileOptions;
  private readonly client: HttpClient;
  private readonly part: PartialFile;
  private readonly clock: Clock;

  constructor(options: DownloadFileOptions, client: HttpClient, part: PartialFile) {
    this.options = options;
    this.client = client;
    this.part = part;
    this.clock = options.clock ?? SYSTEM_CLOCK;
  }

  async run(): Promise<DownloadedFile> {
    const { maxAttempts = 8, expected, path } = this.options;
    const { part } = this;
    // A part may have been spoilt on the disk: what is wrong after a resume is fetched once more from the start.
    let mayBeSpoilt = part.bytes > 0;
    let best = part.bytes;
    for (let fruitless = 0; ; ) {
      const end = await this.attempt();
      if (end.type === 'again') {
        fruitless = part.validator !== undefined && part.bytes > best ? 1 : fruitless + 1;
        // Compared with the most there ever was: a server that begins anew each time must not go on for ever.
        best = Math.max(best, part.bytes);
        if (!TRANSIENT_KINDS.has(end.failure.kind) || fruitless >= maxAttempts)
          throw this.refusal(end.failure);
        await this.pause(fruitless, end);
        continue;
      }
      const sha256 = part.sha256();
      const { bytes } = part;
      const wrong =
        expected?.bytes !== undefined && expected.bytes !== bytes
          ? `${bytes} bytes instead of ${expected.bytes}`
          : expected?.sha256 !== undefined && expected.sha256 !== sha256
            ? `SHA-256 ${sha256} instead of ${expected.sha256}`
            : undefined;
      if (wrong === undefined) {
        part.finish();
        return { path, bytes, sha256, finalUrl: end.finalUrl };
      }
      if (!mayBeSpoilt) {
        const aside = part.setAside();
        throw new UserError(`the file is not the one expected: ${wrong}`, {
          where: this.options.url,
          remedy: `see whether the publisher has changed it; what came was kept as ${aside}`,
        });
      }
      mayBeSpoilt = false;
      part.restart();
    }
  }

  private async attempt(): Promise<AttemptEnd> {
    const { part } = this;
    this.options.signal?.throwIfAborted();
    const isWhole = part.totalBytes !== undefined && part.bytes === part.totalBytes;
    if (isWhole) return { type: 'whole', finalUrl: undefined };
    if (part.bytes > (part.totalBytes ?? Number.POSITIVE_INFINITY) || part.validator === undefined)
      part.restart();
    const first = parseFetchUrl(this.options.url);
    if (!(first instanceof URL)) return { type: 'again', failure: first };
    const seen: string[] = [];
    let url = first;
    for (;;) {
      const refusal = redirectRefusal(seen, url, this.options.maxRedirects ?? 5);
      if (refusal !== undefined) return { type: 'again', failure: refusal };
      seen.push(url.href);
      const end = await this.request(url);
      if (!(end instanceof URL)) return end;
      url = end;
    }
  }

  private async request(url: URL): Promise<AttemptEnd | URL> {
    const { part } = this;
    const start = part.bytes;
    let trouble: { readonly error: unknown } | undefined;
    const end = await this.client.get(
      url,
      {
        onHead: (head) => {
          if (head.status !== 200 && head.status !== 206) return 'drain';
          try {
            return this.begin(head, start);
          } catch (error) {
            trouble = { error };
            return { kind: 'connection', detail: 'stopped' };
          }
        },
        onData: (chunk) => {
          try {
            return this.take(chunk);
          } catch (error) {
            trouble = { error };
            return { kind: 'connection', detail: 'stopped' };
          }
        },
      },
      start > 0 ? rangeHeaders(start, part.validator as Validator) : {},
    );
    if (trouble !== undefined) throw trouble.error;
    this.options.signal?.throwIfAborted();
    this.progress();
    const { head } = end;
    if (!end.ok) return { type: 'again', failure: end.failure };
    const { status, headers } = end.head;
    if (status === 200 || status === 206) return this.checkEnd(url);
    if ([301, 302, 303, 307, 308].includes(status) && headers.location !== undefined) {
      const target = parseFetchUrl(headers.location, url);
      return target instanceof URL ? target : { type: 'again', failure: target };
    }
    if (status === 416) return this.unsatisfiable(url, head as ResponseHead);
    const { failure, retryAfterMs } = refusalOf(end.head);
    return { type: 'again', failure, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }

  /** Takes the head of a whole file or of its rest; what is here is only kept where the rest fits it surely. */
  private begin(head: ResponseHead, start: number): FetchFailure | undefined {
    const { part } = this;
    const { expected, maxBytes = 2 ** 40 } = this.options;
    let total: number | undefined;
    if (head.status === 206) {
      const range = parseContentRange(head.headers['content-range']);
      const misfit =
        start === 0
          ? 'a part (206) that was not asked for'
          : range === undefined || range.start !== start
            ? `the range ${head.headers['content-range'] ?? '(none)'} where bytes ${start}- were asked for`
            : !isSameVersion(head, part.validator)
              ? 'a part of another version of the file'
              : range.total !== undefined && part.totalBytes !== undefined && range.total !== part.totalBytes
                ? `a file of ${range.total} bytes that had ${part.totalBytes}`
                : undefined;
      if (misfit !== undefined) {
        part.restart();
        return { kind: 'truncated', detail: `the server sent ${misfit}` };
      }
      if (part.totalBytes === undefined && range?.total !== undefined) part.learnTotal(range.total);
      total = part.totalBytes;
    } else {
      total = head.contentLength;
      if (total !== undefined && expected?.bytes !== undefined && total !== expected.bytes)
        return {
          kind: 'wrong-content',
          detail: `the server has ${total} bytes, ${expected.bytes} are expected`,
        };
      part.restart({ validator: validatorOf(head), totalBytes: total });
    }
    if (total !== undefined && total > maxBytes)
      return { kind: 'too-large', detail: `${total} bytes, the limit is ${maxBytes}` };
    if (total !== undefined) part.refuseFullDisk(total - part.bytes);
    this.progress();
    return undefined;
  }

  private take(chunk: Buffer): FetchFailure | undefined {
    const { part } = this;
    const limit = Math.min(
      this.options.maxBytes ?? 2 ** 40,
      part.totalBytes ?? Number.POSITIVE_INFINITY,
      this.options.expected?.bytes ?? Number.POSITIVE_INFINITY,
    );
    if (part.bytes + chunk.length > limit)
      return { kind: 'too-large', detail: `more than the ${limit} bytes that it may have` };
    const megabytes = part.bytes >> 20;
    part.append(chunk);
    if (part.bytes >> 20 !== megabytes) this.progress();
    return undefined;
  }

  /** The transfer ended well; the file may still be short where a part was shorter than announced. */
  private checkEnd(url: URL): AttemptEnd {
    const { totalBytes, bytes } = this.part;
    if (totalBytes !== undefined && bytes < totalBytes)
      return { type: 'again', failure: { kind: 'truncated', detail: `${bytes} of ${totalBytes} bytes` } };
    return { type: 'whole', finalUrl: url.href };
  }

  /** 416: the file has no such range. That is right where all of it is here already. */
  private unsatisfiable(url: URL, head: ResponseHead): AttemptEnd {
    const { part } = this;
    const total = /^bytes \*\/(\d+)$/.exec(head.headers['content-range'] ?? '')?.[1];
    if (part.bytes > 0 && total !== undefined && Number(total) === part.bytes)
      return { type: 'whole', finalUrl: url.href };
    part.restart();
    return {
      type: 'again',
      failure: { kind: 'truncated', detail: 'HTTP 416: the file is shorter than what is here' },
    };
  }

  private progress(): void {
    const { bytes, totalBytes } = this.part;
    this.options.onProgress?.({ bytes, ...(totalBytes === undefined ? {} : { totalBytes }) });
  }

  private async pause(fruitless: number, end: AttemptEnd & { type: 'again' }): Promise<void> {
    const { backoffMs = 1_000, maxRetryAfterMs = 300_000, random = Math.random, signal } = this.options;
    const { retryAfterMs = 0, failure } = end;
    if (retryAfterMs > maxRetryAfterMs)
      throw this.refusal({
        ...failure,
        detail: `${failure.detail}, to be asked again in ${retryAfterMs / 1000} s`,
      });
    const ceilingMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2 ** (fruitless - 1));
    const delayMs = retryAfterMs + random() * ceilingMs;
    await new Promise<void>((resolve) => {
      const cancel = this.clock.after(delayMs, done);
      function done(): void {
        signal?.removeEventListener('abort', stop);
        resolve();
      }
      function stop(): void {
        cancel();
        resolve();
      }
      signal?.addEventListener('abort', stop, { once: true });
    });
    signal?.throwIfAborted();
  }

  private refusal(failure: FetchFailure): DownloadFailure {
    const kept = this.part.validator !== undefined && this.part.bytes > 0;
    return new DownloadFailure(failure, {
      where: this.options.url,
      remedy: `${REMEDIES[failure.kind] ?? 'run the command again later'}${kept ? '; what has arrived is kept and resumed' : ''}`,
    });
  }
}

const REMEDIES: Readonly<Partial<Record<FetchFailureKind, string>>> = {
  dead: 'see whether the publisher has moved it',
  dns: 'check the network and the host name',
  'http-error': 'see whether the publisher wants a log-in, and bring the file by hand then',
  'wrong-content': 'see whether the publisher has changed the file',
  'forbidden-address': 'give --allow-private-hosts where the address is your own',
  redirects: 'see whether the publisher has moved it',
  'too-large': 'see whether the publisher has changed the file',
  'bad-url': 'give an absolute http or https URL',
};

function rangeHeaders(start: number, validator: Validator): Record<string, string> {
  const ifRange = 'etag' in validator ? validator.etag : validator.lastModified;
  return { range: `bytes=${start}-`, 'if-range': ifRange };
}

/** A strong ETag, else the date: a weak ETag may stay the same while bytes change (RFC 9110, 8.8.1). */
function validatorOf({ headers }: ResponseHead): Validator | undefined {
  const { etag } = headers;
  if (etag !== undefined && /^"[^"]*"$/.test(etag)) return { etag };
  const lastModified = headers['last-modified'];
  return lastModified === undefined ? undefined : { lastModified };
}

/** A part may leave the validator out, but not contradict it. */
function isSameVersion({ headers }: ResponseHead, validator: Validator | undefined): boolean {
  if (validator === undefined) return false;
  if ('etag' in validator) return headers.etag === undefined || headers.etag === validator.etag;
  return headers['last-modified'] === undefined || headers['last-modified'] === validator.lastModified;
}

/** `bytes 200-999/1000` or with `*` for an unknown total (RFC 9110, 14.4). */
function parseContentRange(
  value: string | undefined,
): { readonly start: number; readonly total: number | undefined } | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(value ?? '');
  if (match === null) return undefined;
  const total = match[3] === '*' ? undefined : Number(match[3]);
  const [start, end] = [Number(match[1]), Number(match[2])];
  return start <= end && (total === undefined || end < total) ? { start, total } : undefined;
}
