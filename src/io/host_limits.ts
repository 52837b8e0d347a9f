/** How hard hosts may be asked, and what counts as one site. */

import { isIP } from 'node:net';
import { getDomain } from 'tldts';
import { addressKind, connectTarget } from './address_guard.js';

/** How hard hosts are asked. Rates are requests a second; Infinity for no limit. */
export interface FetchLimits {
  /** Requests at the same moment, to all hosts together. */
  readonly maxConcurrent: number;
  readonly maxPerHost: number;
  /** To all hosts of a registrable domain (`example.co.uk`) together. Where it throttles, this falls by itself. */
  readonly maxPerDomain: number;
  readonly requestsPerSecondPerHost: number;
  readonly requestsPerSecondPerDomain: number;
  /** A longer `Retry-After`, or a back-off grown beyond this, is not waited for: the domain is left for a later run. */
  readonly maxRetryAfterMs: number;
  /** Back-off doubles from the first with every further failure, up to `maxRetryAfterMs`. */
  readonly backoffMs: number;
  /** Requests in a row that got no answer at all, after which, and after some pauses, a host is left for a later run. */
  readonly maxHostFailures: number;
  /** The longest `Crawl-delay` that is believed. */
  readonly maxCrawlDelayMs: number;
  /** URLs read ahead of what was asked, to find other hosts while one waits. Memory: about 0.5 KB each. */
  readonly maxQueued: number;
}

/** Polite for other people's sites: below what a browser with a few tabs does. */
export const DEFAULT_LIMITS: FetchLimits = {
  maxConcurrent: 64,
  maxPerHost: 8,
  maxPerDomain: 16,
  requestsPerSecondPerHost: 50,
  requestsPerSecondPerDomain: 100,
  maxRetryAfterMs: 300_000,
  backoffMs: 1_000,
  maxHostFailures: 20,
  maxCrawlDelayMs: 30_000,
  maxQueued: 100_000,
};

/** Loopback and private hosts are one's own: nothing but the global limit, unless limits are given. */
export const LOCAL_LIMITS: Partial<FetchLimits> = {
  maxPerHost: Number.POSITIVE_INFINITY,
  maxPerDomain: Number.POSITIVE_INFINITY,
  requestsPerSecondPerHost: Number.POSITIVE_INFINITY,
  requestsPerSecondPerDomain: Number.POSITIVE_INFINITY,
};

/** Time, held still in tests. `after` calls back once, unless what it returns is called first. */
export interface Clock {
  nowMs(): number;
  after(delayMs: number, callback: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A domain that is being waited for, and until when (milliseconds since 1970). */
export interface WaitingHost {
  readonly host: string;
  readonly untilMs: number;
  /** URLs that wait for it. */
  readonly urls: number;
}

/** What a site is: the registrable domain; addresses, local names and public suffixes count as themselves, port included. */
export function registrableDomain(url: URL): string {
  return getDomain(url.hostname, { allowPrivateDomains: true }) ?? url.host;
}

/** True for addresses and names that lead into one's own machine or network, by themselves or by `connectTo`. */
export function isLocalHost(url: URL, connectTo: Readonly<Record<string, string>> | undefined): boolean {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const target = connectTarget(connectTo, hostname, port)?.hostname ?? hostname;
  if (isIP(target) !== 0) return addressKind(target) !== 'public';
  return target === 'localhost' || target.endsWith('.localhost');
}
