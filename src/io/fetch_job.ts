/** A URL on its way to its fate: where it is asked for now, and what is left to try. */

import type { FetchFailure, FetchFailureKind } from './fetch_outcome.js';
import { TRANSIENT_KINDS } from './fetch_outcome.js';
import type { FailedRequest } from './fetch_url.js';
import type { UrlAlternative } from './fetch_urls.js';
import type { HostVerdict } from './host_queues.js';

/** A URL on its way to its fate. */
export interface Job {
  readonly url: string;
  /** Where it is asked for now, after redirects. */
  current: URL;
  /** Addresses asked for since the first of this attempt. */
  readonly hops: string[];
  /** For this address. */
  attempts: number;
  /** For all addresses. */
  totalAttempts: number;
  /** Left to try; undefined before the URL itself has failed. */
  alternatives: readonly UrlAlternative[] | undefined;
  rule: string | undefined;
  /** Of the URL itself, while alternatives are tried. */
  ownFailure: FetchFailure | undefined;
  /** Of an alternative, where it says more than the URL's own. */
  otherFailure: FetchFailure | undefined;
}

/** A job for a URL that was not asked for yet. */
export function newJob(url: string, current: URL): Job {
  return {
    url,
    current,
    hops: [],
    attempts: 0,
    totalAttempts: 0,
    alternatives: undefined,
    rule: undefined,
    ownFailure: undefined,
    otherFailure: undefined,
  };
}

/** Goes back to where this attempt began, before its redirects. */
export function startAgain(job: Job): void {
  const first = job.hops[0];
  if (first !== undefined) job.current = new URL(first);
  job.hops.length = 0;
}

/** Turns to another address of the same file. */
export function useAlternative(job: Job, rule: string, url: URL): void {
  job.current = url;
  job.rule = rule;
  job.attempts = 0;
  job.hops.length = 0;
}

/** Failures for which the alternatives are tried: this address is no good, another may be. */
export const ALTERNATIVE_KINDS: ReadonlySet<FetchFailureKind> = new Set(['dead', 'http-error', 'dns']);

/** A name that does not exist won't by the next minute; one whose server does not answer may. */
export function isWorthRetrying({ kind, detail }: FetchFailure): boolean {
  return kind === 'dns' ? !detail.startsWith('no such host') : TRANSIENT_KINDS.has(kind);
}

/** What a failed request says about its host. */
export function verdictOf({ failure, hasAnswered, retryAfterMs }: FailedRequest): HostVerdict {
  if (failure.kind === 'throttled' || failure.httpStatus === 503)
    return { type: 'throttled', failure, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (hasAnswered) return { type: 'fine' };
  if (failure.kind === 'forbidden-address') return { type: 'neutral' };
  return { type: 'unreachable', failure };
}
