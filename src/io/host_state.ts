/** What is remembered of a host and of its registrable domain while a run lasts. */

import { Deque } from './deque.js';
import type { FetchFailure } from './fetch_outcome.js';
import type { FetchLimits } from './host_limits.js';

export interface Host<Job> {
  readonly name: string;
  readonly domain: Domain<Job>;
  readonly queue: Deque<Job>;
  readonly maxActive: number;
  intervalMs: number;
  active: number;
  /** While its robots.txt is being fetched. */
  isGated: boolean;
  isReady: boolean;
  nextMs: number;
  failuresInARow: number;
  /** Pauses since it last answered, and the end of the present one. */
  outagePauses: number;
  pausedUntilMs: number;
  closed: FetchFailure | undefined;
  timer: (() => void) | undefined;
}

export interface Domain<Job> {
  readonly name: string;
  readonly ready: Deque<Host<Job>>;
  readonly hosts: Set<Host<Job>>;
  readonly limits: FetchLimits;
  limit: number;
  active: number;
  queued: number;
  isReady: boolean;
  nextMs: number;
  pausedUntilMs: number;
  /** Grows with every slowing down: requests that began before the last one don't count as another. */
  epoch: number;
  throttlesInARow: number;
  closed: FetchFailure | undefined;
  timer: (() => void) | undefined;
}

/** A domain of which nothing is known. */
export function newDomain<Job>(name: string, limits: FetchLimits): Domain<Job> {
  return {
    name,
    ready: new Deque(),
    hosts: new Set(),
    limits,
    limit: limits.maxPerDomain,
    active: 0,
    queued: 0,
    isReady: false,
    nextMs: 0,
    pausedUntilMs: 0,
    epoch: 0,
    throttlesInARow: 0,
    closed: undefined,
    timer: undefined,
  };
}

/** A host of which nothing is known. */
export function newHost<Job>(name: string, domain: Domain<Job>): Host<Job> {
  return {
    name,
    domain,
    queue: new Deque(),
    maxActive: domain.limits.maxPerHost,
    intervalMs: 1000 / domain.limits.requestsPerSecondPerHost,
    active: 0,
    isGated: false,
    isReady: false,
    nextMs: 0,
    failuresInARow: 0,
    outagePauses: 0,
    pausedUntilMs: 0,
    closed: undefined,
    timer: undefined,
  };
}

/** A tenth of a second's requests may go at once, so that timers needn't be finer than the clock. */
export function burstMs(intervalMs: number): number {
  return intervalMs >= 100 ? 0 : 100 - intervalMs;
}
