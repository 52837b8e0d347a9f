/** Very many URLs: each asked politely, retried, found under another address or given up, and journaled with its fate. */

import type { LookupFunction } from 'node:net';
import type { ContentStore } from './content_store.js';
import type { FetchFailureKind, UrlFate } from './fetch_outcome.js';
import { FetchRun } from './fetch_run.js';
import type { Clock, FetchLimits, WaitingHost } from './host_limits.js';
import type { TransferTimeouts } from './http_client.js';
import type { UrlJournal } from './url_journal.js';

export type { WaitingHost } from './host_limits.js';

/** Another address of the same file, and the name of the rule that gave it. */
export interface UrlAlternative {
  readonly rule: string;
  readonly url: string;
}

/** How a run of `fetchUrls` stands. */
export interface FetchStats {
  /** URLs with a fate, those from the journal included. */
  readonly done: number;
  /** Fates that the journal knew already. */
  readonly known: number;
  /** Bodies received in this run. */
  readonly bytes: number;
  readonly inFlight: number;
  readonly queued: number;
}

export type FetchEvent =
  /** A body has arrived whole. */
  | { readonly type: 'received'; readonly url: string; readonly bytes: number }
  /** An attempt failed and will be made again. */
  | {
      readonly type: 'retry';
      readonly url: string;
      readonly kind: FetchFailureKind;
      readonly detail: string;
      readonly attempt: number;
      readonly delayMs: number;
    }
  /** The domains that are waited for have changed. */
  | { readonly type: 'waiting'; readonly hosts: readonly WaitingHost[] }
  /** A URL's fate is known. */
  | { readonly type: 'settled'; readonly fate: UrlFate; readonly stats: FetchStats }
  /** Something for the person, e.g. that a robots.txt can't be had. */
  | { readonly type: 'note'; readonly text: string };

export interface FetchUrlsOptions {
  readonly store: ContentStore;
  readonly journal: UrlJournal;
  /** Instead of the defaults; see `FetchLimits`. */
  readonly limits?: Partial<FetchLimits>;
  readonly timeouts?: Partial<TransferTimeouts>;
  /**
   * Other addresses of a URL's file, tried in order where the URL is `dead`, `http-error` or `dns`. Where all fail the fate
   * is the URL's own failure, unless an alternative's may pass by itself (or asks not to be used): then that one.
   */
  readonly alternatives?: (url: string) => readonly UrlAlternative[];
  /** True where a site answers 200 with a picture that says “gone”: counts as dead. */
  readonly isPlaceholder?: (finalUrl: string, sha256: string) => boolean;
  /** `image` by default. */
  readonly accept?: 'image' | 'any';
  /** Of one file; 32 MiB by default. */
  readonly maxBytes?: number;
  /** 5 by default. */
  readonly maxRedirects?: number;
  /** Requests for one address; 4 by default. */
  readonly maxAttempts?: number;
  readonly allowPrivateHosts?: boolean;
  /** As of `AddressGuardOptions`. */
  readonly connectTo?: Readonly<Record<string, string>>;
  readonly lookup?: LookupFunction;
  readonly signal?: AbortSignal;
  /** Which failures in the journal are asked again; `TRANSIENT_KINDS` by default. `struck` never is. */
  readonly retryKinds?: ReadonlySet<FetchFailureKind> | ((kind: FetchFailureKind) => boolean);
  /** How we present ourselves; `t2t-ts` by default. */
  readonly userAgent?: string;
  readonly clock?: Clock;
  /** In [0, 1); scatters retries and pauses. */
  readonly random?: () => number;
  readonly onEvent?: (event: FetchEvent) => void;
}

/**
 * Fetches every URL into the store and yields its fate, in the order in which fates become known; repeated URLs are asked
 * for and yielded once. A URL that the journal knows is not asked for again, unless its file is gone or its failure is one of
 * `retryKinds`. URLs are read ahead (`maxQueued`) so that other hosts are found while one waits, and no further than
 * that; and while the caller doesn't take the fates, no new requests are begun.
 *
 * When `signal` is aborted, the fates known so far end the iteration, without an error; what was in flight has no fate and is asked for
 * again by a later run.
 *
 * @throws UserError where the store or the journal can't be written. What `urls` throws is thrown on.
 * @example for await (const fate of fetchUrls(urls, { store, journal })) tally(fate);
 */
export async function* fetchUrls(
  urls: Iterable<string> | AsyncIterable<string>,
  options: FetchUrlsOptions,
): AsyncGenerator<UrlFate, void, undefined> {
  const run = new FetchRun(options);
  try {
    run.start(urls);
    for (;;) {
      const fate = run.next();
      if (fate !== undefined) yield fate;
      else if (!(await run.more())) return;
    }
  } finally {
    await run.close();
  }
}
