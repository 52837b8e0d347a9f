/** One URL, one attempt, into memory: status, opt-out, length, size and content are checked, failures told by their kind. */

import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { parseFetchUrl } from './address_guard.js';
import { type BodyAllowance, BodyBudget } from './body_budget.js';
import type { FetchFailure } from './fetch_outcome.js';
import type { HttpClient, ResponseHead, ResponseSink, TransferEnd } from './http_client.js';
import { type ImageFormat, sniffImageFormat } from './image_format.js';
import { optOutDirective } from './opt_out.js';
import { parseRetryAfter } from './retry_after.js';

export interface FetchUrlOptions {
  readonly client: HttpClient;
  /** `image`: anything that does not begin like one is `wrong-content`. */
  readonly accept: 'image' | 'any';
  readonly maxBytes: number;
  readonly maxRedirects: number;
  /** `ignore` reads `X-Robots-Tag` over: for what the person asked for by itself, or is no content. */
  readonly optOut?: 'obey' | 'ignore';
  /** Shared by the transfers of a run. */
  readonly budget?: BodyBudget;
  /** Asked before each request, e.g. what `robots.txt` says. */
  readonly mayAsk?: (url: URL) => Promise<FetchFailure | undefined> | FetchFailure | undefined;
}

export interface ReceivedBody {
  readonly type: 'received';
  /** The caller's own: no other view shares its memory. */
  readonly bytes: Buffer<ArrayBuffer>;
  readonly format: ImageFormat | 'unknown';
  readonly url: URL;
}

export interface FailedRequest {
  readonly type: 'failed';
  readonly failure: FetchFailure;
  /** What the host asks for with 429 and 503. */
  readonly retryAfterMs?: number;
  /** True where the host answered at all. */
  readonly hasAnswered: boolean;
}

/** What one request gave. */
export type RequestOutcome =
  | ReceivedBody
  | FailedRequest
  /** Where to ask instead. */
  | { readonly type: 'redirect'; readonly url: URL };

/** Follows redirects to the body. Every hop passes the guard, `mayAsk` and the opt-out again. Never rejects. */
export async function fetchUrl(
  url: string | URL,
  options: FetchUrlOptions,
): Promise<ReceivedBody | FailedRequest> {
  const first = parseFetchUrl(String(url));
  if (!(first instanceof URL)) return { type: 'failed', failure: first, hasAnswered: false };
  const seen: string[] = [];
  let current = first;
  for (;;) {
    const refusal = redirectRefusal(seen, current, options.maxRedirects) ?? (await options.mayAsk?.(current));
    if (refusal !== undefined) return { type: 'failed', failure: refusal, hasAnswered: seen.length > 0 };
    seen.push(current.href);
    const outcome = await requestUrl(current, options);
    // Whoever sent us on has answered, also where the way led nowhere.
    if (outcome.type === 'failed' && seen.length > 1) return { ...outcome, hasAnswered: true };
    if (outcome.type !== 'redirect') return outcome;
    current = outcome.url;
  }
}

/** Why the next hop is one too many, undefined where it is not. `seen` are the addresses asked for so far. */
export function redirectRefusal(
  seen: readonly string[],
  next: URL,
  maxRedirects: number,
): FetchFailure | undefined {
  if (seen.includes(next.href)) return { kind: 'redirects', detail: `a loop: ${next.href} came before` };
  if (seen.length > maxRedirects) return { kind: 'redirects', detail: `more than ${maxRedirects} redirects` };
  return undefined;
}

/** One request, redirects not followed. Never rejects. */
export async function requestUrl(url: URL, options: FetchUrlOptions): Promise<RequestOutcome> {
  const body = new Body(options);
  const end = await options.client.get(url, body);
  body.close();
  return outcomeOf(url, end, body, options);
}

/** A longer length is not believed before the bytes are there. */
const MAX_PREALLOCATED_BYTES = 1024 * 1024;

/** Collects a body within limits. */
class Body implements ResponseSink {
  private readonly chunks: Buffer[] = [];
  /** Where the length is known: one buffer from the start. */
  private whole: Buffer<ArrayBuffer> | undefined;
  private readonly options: FetchUrlOptions;
  private allowance: BodyAllowance | undefined;
  private held = 0;

  constructor(options: FetchUrlOptions) {
    this.options = options;
  }

  onHead(
    head: ResponseHead,
    flow: Parameters<ResponseSink['onHead']>[1],
  ): FetchFailure | 'drain' | undefined {
    const { status, contentLength } = head;
    if (status < 200 || status > 299 || optOutOf(head, this.options) !== undefined) return 'drain';
    if (contentLength !== undefined && contentLength > this.options.maxBytes)
      return this.tooLarge(contentLength);
    if (contentLength !== undefined && contentLength <= MAX_PREALLOCATED_BYTES)
      this.whole = Buffer.allocUnsafeSlow(contentLength);
    this.allowance = (this.options.budget ?? new BodyBudget()).allowance(flow);
    return undefined;
  }

  onData(chunk: Buffer): FetchFailure | undefined {
    if (this.held + chunk.length > this.options.maxBytes) return this.tooLarge(this.held + chunk.length);
    if (this.whole === undefined) this.chunks.push(chunk);
    else chunk.copy(this.whole, this.held);
    this.held += chunk.length;
    this.allowance?.holds(this.held);
    return undefined;
  }

  close(): void {
    this.allowance?.close();
  }

  /** A buffer that nobody else holds a part of. */
  bytes(): Buffer<ArrayBuffer> {
    if (this.whole !== undefined) return this.whole;
    const bytes = Buffer.allocUnsafeSlow(this.held);
    let offset = 0;
    for (const chunk of this.chunks) offset += chunk.copy(bytes, offset);
    return bytes;
  }

  private tooLarge(bytes: number): FetchFailure {
    return { kind: 'too-large', detail: `${bytes} bytes or more, the limit is ${this.options.maxBytes}` };
  }
}

function outcomeOf(url: URL, end: TransferEnd, body: Body, options: FetchUrlOptions): RequestOutcome {
  const hasAnswered = end.head !== undefined;
  if (!end.ok) return { type: 'failed', failure: end.failure, hasAnswered };
  const { head } = end;
  const directive = optOutOf(head, options);
  if (directive !== undefined && head.status < 400)
    return failed({ kind: 'opt-out', detail: `X-Robots-Tag: ${directive}`, httpStatus: head.status });
  const location = head.headers.location;
  if (isRedirect(head.status) && location !== undefined) {
    const target = parseFetchUrl(location, url);
    if (target instanceof URL) return { type: 'redirect', url: target };
    return failed({
      ...target,
      detail: `redirected to ${location}: ${target.detail}`,
      httpStatus: head.status,
    });
  }
  if (head.status < 200 || head.status > 299) return refusalOf(head);
  if (head.status === 206)
    return failed({ kind: 'truncated', detail: 'a part (206) that was not asked for' });
  return receivedBody(url, head, body.bytes(), options);
}

function optOutOf({ headers }: ResponseHead, { optOut }: FetchUrlOptions): string | undefined {
  return optOut === 'ignore' ? undefined : optOutDirective(headers['x-robots-tag']);
}

/** 300 offers a choice, 304 answers a condition, 305 and 306 are withdrawn (RFC 9110, 15.4). */
function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** What a status says that is neither success nor redirect. */
export function refusalOf(head: ResponseHead): FailedRequest {
  const { status, headers } = head;
  const retryAfterMs = parseRetryAfter(headers['retry-after'], Date.now());
  const kind =
    status === 404 || status === 410
      ? 'dead'
      : status === 429 || (status === 503 && retryAfterMs !== undefined)
        ? 'throttled'
        : status === 408
          ? 'timeout'
          : status >= 500
            ? 'server-error'
            : 'http-error';
  const answer = failed({ kind, detail: `HTTP ${status}`, httpStatus: status });
  return retryAfterMs === undefined || (status !== 429 && status !== 503)
    ? answer
    : { ...answer, retryAfterMs };
}

function receivedBody(
  url: URL,
  head: ResponseHead,
  raw: Buffer<ArrayBuffer>,
  { accept, maxBytes }: FetchUrlOptions,
): RequestOutcome {
  const wrong = (detail: string): FailedRequest =>
    failed({ kind: 'wrong-content', detail, httpStatus: head.status });
  let bytes: Buffer<ArrayBuffer>;
  try {
    bytes = decoded(raw, head.headers['content-encoding'], maxBytes);
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      return failed({ kind: 'too-large', detail: `more than ${maxBytes} bytes when unpacked` });
    return wrong(`Content-Encoding ${head.headers['content-encoding']}: ${(error as Error).message}`);
  }
  if (bytes.length === 0) return wrong('an empty body');
  const format = sniffImageFormat(bytes);
  if (accept === 'image' && format === undefined)
    return wrong(
      `not an image: begins with ${beginning(bytes)}, called ${head.headers['content-type'] ?? 'nothing'}`,
    );
  return { type: 'received', bytes, format: format ?? 'unknown', url };
}

/** We ask for no encoding; a server that packs all the same is understood. */
function decoded(
  raw: Buffer<ArrayBuffer>,
  encoding: string | undefined,
  maxOutputLength: number,
): Buffer<ArrayBuffer> {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return raw;
    case 'gzip':
    case 'x-gzip':
      return owned(gunzipSync(raw, { maxOutputLength }));
    case 'deflate':
      return owned(inflateSync(raw, { maxOutputLength }));
    case 'br':
      return owned(brotliDecompressSync(raw, { maxOutputLength }));
    default:
      throw new Error('not supported');
  }
}

function owned(bytes: Uint8Array): Buffer<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

function beginning(bytes: Uint8Array): string {
  return JSON.stringify(Buffer.from(bytes.subarray(0, 16)).toString('latin1'));
}

function failed(failure: FetchFailure): FailedRequest {
  return { type: 'failed', failure, hasAnswered: true };
}
