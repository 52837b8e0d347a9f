/** What became of a URL: the closed list of ways to fail, and the fate that the journal keeps. */

import type { ImageFormat } from './image_format.js';

/** Every way in which a URL can fail. */
export const FETCH_FAILURE_KINDS = [
  /** 404, 410, or what the dataset declares to be a picture that says “gone”. */
  'dead',
  /** The host name does not resolve. */
  'dns',
  /** 429, or 503 with `Retry-After`, until the attempts ran out or the wait grew too long. */
  'throttled',
  /** Any other 5xx. */
  'server-error',
  /** Any other status that is no success: 401, 403, 451, a 3xx without `Location` … */
  'http-error',
  /** Connect, headers, body, the whole transfer, or too slow: `detail` says which. 408 too. */
  'timeout',
  /** Refused, reset, TLS, or an answer that is not HTTP. */
  'connection',
  /** Fewer bytes than were announced, a chunked body without its end, or more bytes than were announced. */
  'truncated',
  /** Empty, or not what was wanted: HTML for an image. */
  'wrong-content',
  /** The host asks not to be used so: `X-Robots-Tag`, or `robots.txt`. */
  'opt-out',
  /** A private, loopback, link-local or otherwise reserved address, by name, number or redirect. */
  'forbidden-address',
  /** A loop, or more redirects than the limit. */
  'redirects',
  /** More bytes than the limit. */
  'too-large',
  /** Not an absolute http or https URL without a user name. */
  'bad-url',
  /** Struck by the person: never asked again. */
  'struck',
] as const;

export type FetchFailureKind = (typeof FETCH_FAILURE_KINDS)[number];

/**
 * Failures that pass by themselves: a later run asks again without being told to. `truncated` is one of them: a
 * transfer that was cut is nearly always a server or a path that had a bad moment, and one that always lies about its
 * length costs a few requests a run.
 */
export const TRANSIENT_KINDS: ReadonlySet<FetchFailureKind> = new Set<FetchFailureKind>([
  'dns',
  'throttled',
  'server-error',
  'timeout',
  'connection',
  'truncated',
]);

/** One failure, with what a person would want to know, e.g. `HTTP 404`. */
export interface FetchFailure {
  readonly kind: FetchFailureKind;
  readonly detail: string;
  readonly httpStatus?: number;
}

interface FateBase {
  /** As the dataset gave it. */
  readonly url: string;
  /** Requests made for it and for its alternatives, redirects not counted; 0 where it was never asked for. */
  readonly attempts: number;
  /** When the fate was known, ISO 8601 in UTC. */
  readonly at: string;
}

/** The file is in the store. */
export interface FetchedUrl extends FateBase {
  readonly status: 'ok';
  readonly sha256: string;
  readonly bytes: number;
  /** By its first bytes, whatever the server calls it; `unknown` only where anything was accepted. */
  readonly format: ImageFormat | 'unknown';
  /** After redirects. */
  readonly finalUrl: string;
  /** The rule that gave the address under which it was found, where that is not `url` itself. */
  readonly alternative?: string;
}

/** The file can't be had. */
export interface FailedUrl extends FateBase, FetchFailure {
  readonly status: 'failed';
}

/** What became of a URL. One JSON line in the journal. */
export type UrlFate = FetchedUrl | FailedUrl;
