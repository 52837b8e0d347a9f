/** One run of `fetchUrls`: reads URLs ahead, gives each turn a request, and turns what comes of it into a fate. */

import { parseFetchUrl } from './address_guard.js';
import { BodyBudget } from './body_budget.js';
import { Deque } from './deque.js';
import {
  ALTERNATIVE_KINDS,
  isWorthRetrying,
  type Job,
  newJob,
  startAgain,
  useAlternative,
  verdictOf,
} from './fetch_job.js';
import { type FetchFailure, TRANSIENT_KINDS, type UrlFate } from './fetch_outcome.js';
import { type FailedRequest, type ReceivedBody, redirectRefusal, requestUrl } from './fetch_url.js';
import type { FetchStats, FetchUrlsOptions, UrlAlternative } from './fetch_urls.js';
import { type Clock, SYSTEM_CLOCK } from './host_limits.js';
import { HostQueues, type HostVerdict, type Turn } from './host_queues.js';
import { DEFAULT_TIMEOUTS, HttpClient } from './http_client.js';
import { PRODUCT_TOKEN } from './opt_out.js';
import { type LoadedRobots, RobotsCache } from './robots.js';
import { StoreWriters } from './store_writers.js';

const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
const DEFAULT_MAX_REDIRECTS = 5;
const DEFAULT_MAX_ATTEMPTS = 4;

/** Fates that the caller has not taken yet, at which no new requests are begun. */
const MAX_UNTAKEN = 256;

/** Bodies that are not stored yet, at which no new requests are begun. */
const MAX_UNSTORED_BYTES = 32 * 1024 * 1024;

/** A retry waits at most this long before the jitter. */
const MAX_RETRY_DELAY_MS = 60_000;

/** All that goes on between `start` and `close`. */
export class FetchRun {
  private readonly options: FetchUrlsOptions;
  private readonly client: HttpClient;
  private readonly queues: HostQueues<Job>;
  private readonly robots: RobotsCache;
  private readonly writers: StoreWriters;
  private readonly budget = new BodyBudget();
  private readonly clock: Clock;
  private readonly random: () => number;
  private readonly maxQueued: number;
  private readonly seen = new Set<string>();
  private readonly fates = new Deque<UrlFate>();
  private readonly delays = new Set<() => void>();
  private readonly counts = { done: 0, known: 0, bytes: 0 };
  /** Bodies on their way into the store. */
  private storing = 0;
  private isReading = true;
  private isStopped = false;
  private isPumping = false;
  private failure: { readonly error: unknown } | undefined;
  private reading: Promise<void> = Promise.resolve();
  private wakeReader: (() => void) | undefined;
  private wakeCaller: (() => void) | undefined;

  constructor(options: FetchUrlsOptions) {
    this.options = options;
    this.writers = new StoreWriters(options.store);
    this.clock = options.clock ?? SYSTEM_CLOCK;
    this.random = options.random ?? Math.random;
    this.client = new HttpClient({
      ...options,
      timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
      userAgent: options.userAgent ?? PRODUCT_TOKEN,
    });
    this.robots = new RobotsCache(this.client, (text) => options.onEvent?.({ type: 'note', text }));
    this.queues = new HostQueues<Job>({
      clock: this.clock,
      random: this.random,
      onReady: () => this.pumpSoon(),
      onWaiting: () => this.tellWaiting(),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.connectTo === undefined ? {} : { connectTo: options.connectTo }),
    });
    this.maxQueued = this.queues.limits.maxQueued;
  }

  start(urls: Iterable<string> | AsyncIterable<string>): void {
    const { signal } = this.options;
    if (signal?.aborted === true) this.stop();
    else signal?.addEventListener('abort', this.stop, { once: true });
    this.reading = this.read(urls).catch((error: unknown) => this.fail(error));
  }

  /** A fate that is known, undefined where there is none at the moment. */
  next(): UrlFate | undefined {
    const fate = this.fates.shift();
    if (fate !== undefined && this.fates.length === MAX_UNTAKEN - 1) {
      this.wakeReader?.();
      this.pumpSoon();
    }
    return fate;
  }

  /** Waits until there may be another fate; false at the end. */
  async more(): Promise<boolean> {
    if (this.failure !== undefined) throw this.failure.error;
    if (this.isFinished()) return false;
    await new Promise<void>((resolve) => {
      this.wakeCaller = resolve;
    });
    this.wakeCaller = undefined;
    return true;
  }

  /** Stops what goes on and frees what it held. */
  async close(): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.stop);
    this.stop();
    await this.writers.close();
    // Reading may hang in somebody's iterator that waits for more: it ends by itself when that gives the next URL.
    await Promise.race([this.reading, Promise.resolve()]);
  }

  private readonly stop = (): void => {
    if (this.isStopped) return;
    this.isStopped = true;
    this.client.destroy();
    this.queues.close();
    for (const cancel of this.delays) cancel();
    this.wakeReader?.();
    this.wakeCaller?.();
  };

  private fail(error: unknown): void {
    this.failure ??= { error };
    this.stop();
  }

  private isFinished(): boolean {
    if (this.fates.length > 0) return false;
    return this.isStopped || (!this.isReading && this.pending() === 0);
  }

  private pending(): number {
    return this.queues.queued + this.queues.active + this.delays.size + this.storing;
  }

  /** Reads URLs for as long as there is room for them. */
  private async read(urls: Iterable<string> | AsyncIterable<string>): Promise<void> {
    for await (const url of urls) {
      if (this.isStopped) return;
      this.admit(url);
      while (!this.isStopped && (this.pending() >= this.maxQueued || this.fates.length >= MAX_UNTAKEN)) {
        await new Promise<void>((resolve) => {
          this.wakeReader = resolve;
        });
        this.wakeReader = undefined;
      }
      if (this.isStopped) return;
    }
    this.isReading = false;
    this.wakeCaller?.();
  }

  private admit(url: string): void {
    if (this.seen.has(url)) return;
    this.seen.add(url);
    const known = this.options.journal.get(url);
    if (known !== undefined && !this.isAskedAgain(known)) {
      this.counts.known += 1;
      this.yieldFate(known);
      return;
    }
    const parsed = parseFetchUrl(url);
    const job = newJob(url, parsed as URL);
    if (parsed instanceof URL) this.queues.add(parsed, job);
    else this.giveUp(job, parsed);
  }

  private isAskedAgain(fate: UrlFate): boolean {
    if (fate.status === 'ok') return !this.options.store.has(fate.sha256, fate.bytes);
    if (fate.kind === 'struck') return false;
    const { retryKinds = TRANSIENT_KINDS } = this.options;
    return typeof retryKinds === 'function' ? retryKinds(fate.kind) : retryKinds.has(fate.kind);
  }

  /** Gives turns, in a microtask of its own: queues call back in the middle of what they do. */
  private pumpSoon(): void {
    if (this.isPumping || this.isStopped) return;
    this.isPumping = true;
    queueMicrotask(() => {
      this.isPumping = false;
      while (this.hasRoom()) {
        const turn = this.queues.take();
        if (turn === undefined) break;
        this.ask(turn).catch((error: unknown) => this.fail(error));
      }
    });
  }

  /** In a microtask of its own: by then the URL that was turned away waits in its queue again. */
  private tellWaiting(): void {
    queueMicrotask(() => this.options.onEvent?.({ type: 'waiting', hosts: this.queues.waitingHosts() }));
  }

  /** False where the caller or the disk can't keep up. */
  private hasRoom(): boolean {
    return (
      !this.isStopped && this.fates.length < MAX_UNTAKEN && this.writers.pendingBytes < MAX_UNSTORED_BYTES
    );
  }

  private async ask(turn: Turn<Job>): Promise<void> {
    const { job } = turn;
    if (turn.closed !== undefined) {
      this.finish(turn, { type: 'neutral' });
      this.settleFailure(job, turn.closed);
      return;
    }
    const known = this.robots.get(job.current.origin);
    const { rules, unreachable } =
      known === undefined ? await this.loadRobots(turn) : { rules: known, unreachable: undefined };
    if (this.isStopped) return;
    const refusal =
      redirectRefusal(job.hops, job.current, this.options.maxRedirects ?? DEFAULT_MAX_REDIRECTS) ??
      rules.refusal(job.current);
    if (refusal !== undefined) {
      this.finish(turn, { type: 'neutral' });
      this.settleFailure(job, refusal);
      return;
    }
    if (job.hops.length === 0) {
      job.attempts += 1;
      job.totalAttempts += 1;
    }
    if (unreachable !== undefined) {
      // Asking for the URL itself would only wait as long again.
      this.finish(turn, verdictOf(unreachable));
      this.retryOrSettle(job, unreachable);
      return;
    }
    job.hops.push(job.current.href);
    const outcome = await requestUrl(job.current, {
      client: this.client,
      accept: this.options.accept ?? 'image',
      maxBytes: this.options.maxBytes ?? DEFAULT_MAX_BYTES,
      maxRedirects: DEFAULT_MAX_REDIRECTS,
      budget: this.budget,
    });
    if (this.isStopped) return;
    switch (outcome.type) {
      case 'received':
        this.finish(turn, { type: 'fine' });
        this.keep(job, outcome);
        return;
      case 'redirect':
        this.finish(turn, { type: 'fine' });
        job.current = outcome.url;
        // Another host has a turn of its own to give.
        this.queues.add(job.current, job, 'first');
        return;
      case 'failed':
        this.finish(turn, verdictOf(outcome));
        this.retryOrSettle(job, outcome);
    }
  }

  /** The host's other URLs wait until its robots.txt is there. */
  private async loadRobots(turn: Turn<Job>): Promise<LoadedRobots> {
    this.queues.gate(turn.host);
    const loaded = await this.robots.load(turn.job.current.origin);
    this.queues.ungate(turn.host, loaded.rules.crawlDelayMs);
    return loaded;
  }

  private finish(turn: Turn<Job>, verdict: HostVerdict): void {
    this.queues.release(turn, verdict);
    this.pumpSoon();
    if (this.isReading) this.wakeReader?.();
  }

  /** Stores a body; the host's next turn does not wait for that. */
  private keep(job: Job, { bytes, format, url }: ReceivedBody): void {
    const { length } = bytes;
    this.counts.bytes += length;
    this.options.onEvent?.({ type: 'received', url: job.url, bytes: length });
    this.storing += 1;
    this.writers.put(
      bytes,
      (sha256) => {
        this.storing -= 1;
        this.wakeReader?.();
        if (this.isStopped) return;
        if (this.options.isPlaceholder?.(url.href, sha256) === true) {
          const detail = `a picture that says “gone”: ${url.href}`;
          this.settleFailure(job, { kind: 'dead', detail, httpStatus: 200 });
        } else {
          this.settle({
            url: job.url,
            status: 'ok',
            sha256,
            bytes: length,
            format,
            finalUrl: url.href,
            ...(job.rule === undefined ? {} : { alternative: job.rule }),
            attempts: job.totalAttempts,
            at: new Date(this.clock.nowMs()).toISOString(),
          });
        }
        this.pumpSoon();
      },
      (error) => this.fail(error),
    );
  }

  private retryOrSettle(job: Job, { failure }: FailedRequest): void {
    const { maxAttempts = DEFAULT_MAX_ATTEMPTS, onEvent } = this.options;
    if (!isWorthRetrying(failure) || job.attempts >= maxAttempts) {
      this.settleFailure(job, failure);
      return;
    }
    // Full jitter. A host that throttles is waited for by its queue.
    const { backoffMs } = this.queues.limits;
    const ceilingMs = Math.min(MAX_RETRY_DELAY_MS, backoffMs * 2 ** (job.attempts - 1));
    const delayMs = failure.kind === 'throttled' ? 0 : Math.round(this.random() * ceilingMs);
    onEvent?.({ type: 'retry', url: job.url, ...failure, attempt: job.attempts, delayMs });
    startAgain(job);
    if (delayMs === 0) {
      this.queues.add(job.current, job, 'first');
      return;
    }
    const cancel = this.clock.after(delayMs, () => {
      this.queues.add(job.current, job, 'first');
      this.delays.delete(cancel);
    });
    this.delays.add(cancel);
  }

  /** Tries the next alternative where there is one that may help, else gives the URL up. */
  private settleFailure(job: Job, failure: FetchFailure): void {
    if (job.alternatives === undefined) {
      job.ownFailure = failure;
      job.alternatives = ALTERNATIVE_KINDS.has(failure.kind)
        ? (this.options.alternatives?.(job.url) ?? [])
        : [];
    } else if (failure.kind === 'opt-out') {
      this.giveUp(job, { ...failure, detail: `${failure.detail} (as ${job.rule})` });
      return;
    } else if (TRANSIENT_KINDS.has(failure.kind)) {
      job.otherFailure ??= { ...failure, detail: `${failure.detail} (as ${job.rule})` };
    }
    while (job.alternatives.length > 0) {
      const [next, ...rest] = job.alternatives as [UrlAlternative, ...UrlAlternative[]];
      job.alternatives = rest;
      const url = parseFetchUrl(next.url);
      if (!(url instanceof URL) || next.url === job.url) continue;
      useAlternative(job, next.rule, url);
      this.queues.add(url, job, 'first');
      return;
    }
    // A URL that may be there for later is not journaled as dead.
    this.giveUp(job, job.otherFailure ?? (job.ownFailure as FetchFailure));
  }

  private giveUp(job: Job, failure: FetchFailure): void {
    const { kind, detail, httpStatus } = failure;
    this.settle({
      url: job.url,
      status: 'failed',
      kind,
      detail,
      ...(httpStatus === undefined ? {} : { httpStatus }),
      attempts: job.totalAttempts,
      at: new Date(this.clock.nowMs()).toISOString(),
    });
  }

  private settle(fate: UrlFate): void {
    try {
      this.options.journal.set(fate);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.yieldFate(fate);
  }

  private yieldFate(fate: UrlFate): void {
    this.counts.done += 1;
    this.fates.push(fate);
    this.options.onEvent?.({ type: 'settled', fate, stats: this.stats() });
    this.wakeCaller?.();
  }

  private stats(): FetchStats {
    return { ...this.counts, inFlight: this.client.inFlight, queued: this.queues.queued };
  }
}
