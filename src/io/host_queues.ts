/**
 * Whom to ask next: a queue for every host and registrable domain, each with its limits, so that a site that throttles
 * waits alone. Adding, taking and releasing cost the same however many URLs wait.
 */

import { Deque } from './deque.js';
import type { FetchFailure } from './fetch_outcome.js';
import {
  type Clock,
  DEFAULT_LIMITS,
  type FetchLimits,
  isLocalHost,
  LOCAL_LIMITS,
  registrableDomain,
  SYSTEM_CLOCK,
  type WaitingHost,
} from './host_limits.js';
import { burstMs, type Domain, type Host, newDomain, newHost } from './host_state.js';

/** A job that may be done now. Give it back with `release`. */
export interface Turn<Job> {
  readonly job: Job;
  readonly host: string;
  /** Set where the host was left for a later run: the job is not to be asked for. */
  readonly closed: FetchFailure | undefined;
  readonly epoch: number;
}

/** How a request went, as far as the host is concerned. */
export type HostVerdict =
  | { readonly type: 'fine' }
  /** Nothing to learn, e.g. the request was stopped by us. */
  | { readonly type: 'neutral' }
  | { readonly type: 'unreachable'; readonly failure: FetchFailure }
  | { readonly type: 'throttled'; readonly failure: FetchFailure; readonly retryAfterMs?: number };

export interface HostQueuesOptions {
  readonly limits?: Partial<FetchLimits>;
  readonly connectTo?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** In [0, 1); scatters the pauses. */
  readonly random?: () => number;
  /** Called when there may be something to take that was not there before. */
  readonly onReady?: () => void;
  /** Called when the hosts that are waited for have changed. */
  readonly onWaiting?: () => void;
}

/** Queues of jobs by host. */
export class HostQueues<Job> {
  private readonly options: HostQueuesOptions;
  private readonly clock: Clock;
  private readonly random: () => number;
  readonly limits: FetchLimits;
  private readonly hosts = new Map<string, Host<Job>>();
  private readonly domains = new Map<string, Domain<Job>>();
  private readonly ready = new Deque<Domain<Job>>();
  private readonly refused = new Deque<{ job: Job; host: Host<Job> }>();
  private readonly paused = new Set<Domain<Job>>();
  private queuedJobs = 0;
  private activeJobs = 0;

  constructor(options: HostQueuesOptions = {}) {
    this.options = options;
    this.clock = options.clock ?? SYSTEM_CLOCK;
    this.random = options.random ?? Math.random;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  /** Jobs that wait. */
  get queued(): number {
    return this.queuedJobs;
  }

  /** Jobs taken and not yet released. */
  get active(): number {
    return this.activeJobs;
  }

  /** Puts a job in its host's queue; `first` before the others, for what was begun. */
  add(url: URL, job: Job, place: 'first' | 'last' = 'last'): void {
    const host = this.hosts.get(url.host) ?? this.hostOf(url);
    this.queuedJobs += 1;
    host.domain.queued += 1;
    if (host.closed !== undefined || host.domain.closed !== undefined) {
      this.refused.push({ job, host });
      this.options.onReady?.();
      return;
    }
    if (place === 'first') host.queue.unshift(job);
    else host.queue.push(job);
    this.wake(host);
  }

  /** The next job, hosts in turn; undefined where every host with jobs is at a limit. */
  take(): Turn<Job> | undefined {
    const refused = this.refused.shift();
    if (refused !== undefined) {
      const { job, host } = refused;
      return this.turn(job, host);
    }
    if (this.activeJobs >= this.limits.maxConcurrent) return undefined;
    for (;;) {
      const domain = this.ready.shift();
      if (domain === undefined) return undefined;
      domain.isReady = false;
      const host = this.isDomainFree(domain) ? domain.ready.shift() : undefined;
      if (host === undefined) {
        this.wakeDomain(domain);
        continue;
      }
      host.isReady = false;
      const job = this.isHostFree(host) ? host.queue.shift() : undefined;
      if (job !== undefined) {
        const nowMs = this.clock.nowMs();
        host.nextMs = Math.max(host.nextMs, nowMs) + host.intervalMs;
        domain.nextMs = Math.max(domain.nextMs, nowMs) + 1000 / domain.limits.requestsPerSecondPerDomain;
      }
      const turn = job === undefined ? undefined : this.turn(job, host);
      this.wake(host);
      this.wakeDomain(domain);
      if (turn !== undefined) return turn;
    }
  }

  /** Ends a turn and learns from it. */
  release(turn: Turn<Job>, verdict: HostVerdict): void {
    const host = this.hosts.get(turn.host) as Host<Job>;
    const { domain } = host;
    this.activeJobs -= 1;
    host.active -= 1;
    domain.active -= 1;
    if (turn.closed === undefined) this.learn(host, turn, verdict);
    this.wake(host);
    this.wakeDomain(domain);
    this.forgetIdle(host);
  }

  /** Stops giving out a host's jobs, e.g. until its robots.txt is there. */
  gate(host: string): void {
    const known = this.hosts.get(host);
    if (known !== undefined) known.isGated = true;
  }

  /** Gives out a host's jobs again, from now on no faster than its `Crawl-delay`. */
  ungate(host: string, crawlDelayMs = 0): void {
    const known = this.hosts.get(host);
    if (known === undefined) return;
    known.isGated = false;
    const delayMs = Math.min(crawlDelayMs, this.limits.maxCrawlDelayMs);
    if (delayMs > known.intervalMs) {
      known.intervalMs = delayMs;
      known.nextMs = this.clock.nowMs() + delayMs;
    }
    this.wake(known);
  }

  /** Domains that asked for a pause, with URLs that wait for them; the longest waits first. */
  waitingHosts(): WaitingHost[] {
    return [...this.paused]
      .filter(({ queued }) => queued > 0)
      .map(({ name, pausedUntilMs, queued }) => ({ host: name, untilMs: pausedUntilMs, urls: queued }))
      .sort((a, b) => b.untilMs - a.untilMs);
  }

  /** Ends all timers. */
  close(): void {
    for (const { timer } of [...this.hosts.values(), ...this.domains.values()]) timer?.();
  }

  private turn(job: Job, host: Host<Job>): Turn<Job> {
    const { domain } = host;
    this.queuedJobs -= 1;
    domain.queued -= 1;
    this.activeJobs += 1;
    host.active += 1;
    domain.active += 1;
    return { job, host: host.name, closed: host.closed ?? domain.closed, epoch: domain.epoch };
  }

  private hostOf(url: URL): Host<Job> {
    const isLocal = isLocalHost(url, this.options.connectTo);
    const domain = this.domainOf(url, isLocal);
    const host = newHost(url.host, domain);
    host.closed = domain.closed;
    domain.hosts.add(host);
    this.hosts.set(host.name, host);
    return host;
  }

  private domainOf(url: URL, isLocal: boolean): Domain<Job> {
    const name = registrableDomain(url);
    const known = this.domains.get(name);
    if (known !== undefined) return known;
    const limits = { ...this.limits, ...(isLocal ? LOCAL_LIMITS : {}), ...this.options.limits };
    const domain = newDomain<Job>(name, limits);
    this.domains.set(name, domain);
    return domain;
  }

  private isHostFree(host: Host<Job>): boolean {
    return (
      !host.isGated &&
      host.active < activeLimit(host) &&
      host.pausedUntilMs <= this.clock.nowMs() &&
      host.nextMs <= this.clock.nowMs() + burstMs(host.intervalMs)
    );
  }

  private isDomainFree(domain: Domain<Job>): boolean {
    const nowMs = this.clock.nowMs();
    const intervalMs = 1000 / domain.limits.requestsPerSecondPerDomain;
    return (
      domain.active < Math.max(1, Math.floor(domain.limit)) &&
      domain.pausedUntilMs <= nowMs &&
      domain.nextMs <= nowMs + burstMs(intervalMs)
    );
  }

  /** Puts a host in its domain's ring where it has a job that may be done, or sets a timer for when it may. */
  private wake(host: Host<Job>): void {
    if (host.isReady || host.queue.length === 0 || host.isGated || host.active >= activeLimit(host)) return;
    if (this.isHostFree(host)) {
      host.isReady = true;
      host.domain.ready.push(host);
      this.wakeDomain(host.domain);
      return;
    }
    const freeMs = Math.max(host.nextMs - burstMs(host.intervalMs), host.pausedUntilMs);
    const delayMs = freeMs - this.clock.nowMs();
    host.timer ??= this.clock.after(Math.max(1, Math.ceil(delayMs)), () => {
      host.timer = undefined;
      this.wake(host);
    });
  }

  private wakeDomain(domain: Domain<Job>): void {
    if (domain.isReady || domain.ready.length === 0) return;
    if (domain.active >= Math.max(1, Math.floor(domain.limit))) return;
    if (this.isDomainFree(domain)) {
      domain.isReady = true;
      this.ready.push(domain);
      this.options.onReady?.();
      return;
    }
    const intervalMs = 1000 / domain.limits.requestsPerSecondPerDomain;
    const untilMs = Math.max(domain.pausedUntilMs, domain.nextMs - burstMs(intervalMs));
    domain.timer ??= this.clock.after(Math.max(1, Math.ceil(untilMs - this.clock.nowMs())), () => {
      domain.timer = undefined;
      this.endPause(domain);
      this.wakeDomain(domain);
    });
  }

  private endPause(domain: Domain<Job>): void {
    if (domain.pausedUntilMs > this.clock.nowMs() || !this.paused.delete(domain)) return;
    this.options.onWaiting?.();
  }

  private learn(host: Host<Job>, turn: Turn<Job>, verdict: HostVerdict): void {
    const { domain } = host;
    switch (verdict.type) {
      case 'neutral':
        return;
      case 'fine':
        host.failuresInARow = 0;
        host.outagePauses = 0;
        domain.throttlesInARow = 0;
        // One more connection for every round of successes: additive increase.
        domain.limit = Math.min(domain.limits.maxPerDomain, domain.limit + 1 / domain.limit);
        return;
      case 'unreachable':
        host.failuresInARow += 1;
        this.pauseUnreachable(host);
        if (
          host.failuresInARow >= domain.limits.maxHostFailures &&
          host.outagePauses >= PAUSES_BEFORE_CLOSING
        )
          this.closeHost(host, {
            ...verdict.failure,
            detail: `not asked: ${host.name} failed ${host.failuresInARow} times in a row (${verdict.failure.detail})`,
          });
        return;
      case 'throttled':
        host.failuresInARow = 0;
        host.outagePauses = 0;
        this.slowDown(domain, turn, verdict);
    }
  }

  /**
   * A host that gave no answer several times in a row is left alone for a while, twice as long each time, and then asked
   * for one URL only: a connection that is gone for some minutes costs a few URLs, not all of the host's.
   */
  private pauseUnreachable(host: Host<Job>): void {
    const nowMs = this.clock.nowMs();
    if (host.failuresInARow < FAILURES_BEFORE_PAUSE || host.pausedUntilMs > nowMs) return;
    const pauseMs = Math.min(MAX_OUTAGE_PAUSE_MS, host.domain.limits.backoffMs * 2 ** host.outagePauses);
    host.outagePauses += 1;
    host.pausedUntilMs = nowMs + pauseMs;
  }

  private slowDown(domain: Domain<Job>, turn: Turn<Job>, verdict: HostVerdict & { type: 'throttled' }): void {
    const { limits } = domain;
    const { retryAfterMs } = verdict;
    if (turn.epoch === domain.epoch) {
      // Infinity, for local hosts, halves to what was really in flight.
      domain.limit = Math.max(1, Math.min(domain.limit, domain.active + 1) / 2);
      domain.throttlesInARow += 1;
      domain.epoch += 1;
    }
    // A host that says when may be believed a few times; then it is slowed down as if it hadn't.
    const steps = domain.throttlesInARow - (retryAfterMs === undefined ? 1 : 4);
    const backoffMs = steps < 0 ? 0 : limits.backoffMs * 2 ** steps;
    // “Retry after 0 seconds” is no leave to ask at once again.
    const waitMs = Math.max(retryAfterMs ?? 0, backoffMs, Math.min(limits.backoffMs, limits.maxRetryAfterMs));
    if (waitMs > limits.maxRetryAfterMs) {
      const asked = retryAfterMs === undefined ? '' : `, Retry-After ${Math.ceil(retryAfterMs / 1000)} s`;
      this.closeDomain(domain, {
        ...verdict.failure,
        detail: `not asked: ${domain.name} throttles (${verdict.failure.detail}${asked})`,
      });
      return;
    }
    const jitterMs = (this.random() * Math.max(backoffMs, Math.min(waitMs, limits.backoffMs))) / 2;
    const untilMs = this.clock.nowMs() + waitMs + jitterMs;
    if (untilMs <= domain.pausedUntilMs) return;
    domain.pausedUntilMs = untilMs;
    domain.timer?.();
    domain.timer = undefined;
    this.paused.add(domain);
    this.options.onWaiting?.();
    domain.timer = this.clock.after(Math.max(1, Math.ceil(untilMs - this.clock.nowMs())), () => {
      domain.timer = undefined;
      this.endPause(domain);
      this.wakeDomain(domain);
    });
  }

  private closeHost(host: Host<Job>, failure: FetchFailure): void {
    if (host.closed !== undefined) return;
    host.closed = failure;
    for (let job = host.queue.shift(); job !== undefined; job = host.queue.shift())
      this.refused.push({ job, host });
    this.options.onReady?.();
  }

  private closeDomain(domain: Domain<Job>, failure: FetchFailure): void {
    if (domain.closed !== undefined) return;
    domain.closed = failure;
    for (const host of domain.hosts) this.closeHost(host, failure);
    if (this.paused.delete(domain)) this.options.onWaiting?.();
  }

  /** Hosts with nothing to remember are forgotten: there may be more of them than memory should hold. */
  private forgetIdle(host: Host<Job>): void {
    const { domain } = host;
    const nowMs = this.clock.nowMs();
    if (host.active > 0 || host.queue.length > 0 || host.isGated || host.isReady || host.nextMs > nowMs)
      return;
    if (host.closed !== undefined || host.failuresInARow > 0 || host.timer !== undefined) return;
    if (host.intervalMs > 1000 / domain.limits.requestsPerSecondPerHost) return; // It has a Crawl-delay.
    this.hosts.delete(host.name);
    domain.hosts.delete(host);
    if (domain.hosts.size > 0 || domain.isReady || domain.timer !== undefined || domain.closed !== undefined)
      return;
    if (domain.pausedUntilMs > nowMs || domain.nextMs > nowMs || domain.limit < domain.limits.maxPerDomain)
      return;
    this.domains.delete(domain.name);
  }
}

/** So many requests in a row without an answer are bad luck; then the host is paused. */
const FAILURES_BEFORE_PAUSE = 3;

/** Many requests in flight fail at the same moment: a host is given up only after so many pauses, half a minute in all. */
const PAUSES_BEFORE_CLOSING = 6;

/** The longest pause before a host that does not answer is tried again. */
const MAX_OUTAGE_PAUSE_MS = 30_000;

/** Requests at once: one, as a probe, to a host that does not answer. */
function activeLimit<Job>(host: Host<Job>): number {
  return host.failuresInARow >= FAILURES_BEFORE_PAUSE ? 1 : host.maxActive;
}
