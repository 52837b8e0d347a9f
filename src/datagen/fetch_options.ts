/** How the rows' URLs are fetched: the dataset's ways, the person's settings, our name. One place for all who fetch. */

import type { Dataset } from '../datasets/dataset.js';
import type { FetchFailureKind } from '../io/fetch_outcome.js';
import type { FetchUrlsOptions } from '../io/fetch_urls.js';
import { DEFAULT_LIMITS, type FetchLimits } from '../io/host_limits.js';
import { DEFAULT_TIMEOUTS, type TransferTimeouts } from '../io/http_client.js';
import { userAgent } from './package_version.js';
import type { RawDataOptions } from './raw_data.js';

/** What a person may tune about fetching; see `FetchLimits`, `TransferTimeouts` and `FetchUrlsOptions`. */
export interface FetchTuning {
  readonly limits?: Partial<FetchLimits>;
  readonly timeouts?: Partial<TransferTimeouts>;
  readonly maxAttempts?: number;
  readonly maxBytes?: number;
  readonly maxRedirects?: number;
}

const COUNTS = ['maxAttempts', 'maxBytes', 'maxRedirects'] as const;

/** The names that `tuningOf` takes. */
export const TUNING_NAMES: readonly string[] = [
  ...COUNTS,
  ...Object.keys(DEFAULT_LIMITS),
  ...Object.keys(DEFAULT_TIMEOUTS),
];

/** Settings by name, as the command line has them; every name must be one of TUNING_NAMES. */
export function tuningOf(settings: Readonly<Record<string, number>>): FetchTuning {
  const only = (names: readonly string[]): Record<string, number> =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => names.includes(name)));
  return {
    ...only(COUNTS),
    limits: only(Object.keys(DEFAULT_LIMITS)),
    timeouts: only(Object.keys(DEFAULT_TIMEOUTS)),
  };
}

export function fetchOptions(
  dataset: Dataset,
  options: RawDataOptions,
  run: {
    /** What the dataset's own web adds. */
    readonly connectTo: Readonly<Record<string, string>>;
    readonly retryKinds: (kind: FetchFailureKind) => boolean;
  },
): Omit<FetchUrlsOptions, 'store' | 'journal'> {
  return {
    ...dataset.urls,
    ...options.fetch,
    accept: 'image',
    retryKinds: run.retryKinds,
    userAgent: userAgent(),
    allowPrivateHosts: options.allowPrivateHosts ?? false,
    connectTo: { ...run.connectTo, ...options.connectTo },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
}
