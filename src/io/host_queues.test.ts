import { describe, expect, it } from 'vitest';
import { type Clock, type FetchLimits, registrableDomain } from './host_limits.js';
import { HostQueues, type Turn } from './host_queues.js';

/** Time that only moves when it is told to. */
class HeldClock implements Clock {
  private timeMs = 1_000_000;
  private timers: { atMs: number; callback: () => void }[] = [];

  nowMs(): number {
    return this.timeMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.timeMs + delayMs, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  advance(ms: number): void {
    const endMs = this.timeMs + ms;
    for (;;) {
      this.timers.sort((a, b) => a.atMs - b.atMs);
      const next = this.timers[0];
      if (next === undefined || next.atMs > endMs) break;
      this.timers.shift();
      this.timeMs = Math.max(this.timeMs, next.atMs);
      next.callback();
    }
    this.timeMs = endMs;
  }
}

const FREE: Partial<FetchLimits> = {
  requestsPerSecondPerHost: Number.POSITIVE_INFINITY,
  requestsPerSecondPerDomain: Number.POSITIVE_INFINITY,
};

function queuesWith(limits: Partial<FetchLimits>): { queues: HostQueues<string>; clock: HeldClock } {
  const clock = new HeldClock();
  return {
    queues: new HostQueues<string>({ clock, random: () => 0, limits: { ...FREE, ...limits } }),
    clock,
  };
}

function add(queues: HostQueues<string>, ...urls: string[]): void {
  for (const url of urls) queues.add(new URL(url), url);
}

function takeAll(queues: HostQueues<string>): Turn<string>[] {
  const turns: Turn<string>[] = [];
  for (let turn = queues.take(); turn !== undefined; turn = queues.take()) turns.push(turn);
  return turns;
}

function urlsOf(host: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `http://${host}/${i}`);
}

const THROTTLED = {
  type: 'throttled',
  failure: { kind: 'throttled', detail: 'HTTP 429', httpStatus: 429 },
} as const;

describe('HostQueues', () => {
  it('keeps to the limits of the host, of the registrable domain and of all together', () => {
    const { queues } = queuesWith({ maxPerHost: 2, maxPerDomain: 3, maxConcurrent: 5 });
    add(
      queues,
      ...urlsOf('a.site.example', 5),
      ...urlsOf('b.site.example', 5),
      ...urlsOf('other.example', 5),
    );
    const turns = takeAll(queues);
    const count = (host: string): number => turns.filter((turn) => turn.host === host).length;
    expect(count('a.site.example')).toBeLessThanOrEqual(2);
    expect(count('a.site.example') + count('b.site.example')).toBe(3);
    expect(turns).toHaveLength(5);
    queues.release(turns[0] as Turn<string>, { type: 'fine' });
    expect(takeAll(queues)).toHaveLength(1);
  });

  it('takes hosts in turn, and each host’s URLs in order', () => {
    const { queues } = queuesWith({});
    add(queues, ...urlsOf('a.example', 3), ...urlsOf('b.example', 3));
    expect(takeAll(queues).map(({ job }) => job)).toEqual([
      'http://a.example/0',
      'http://b.example/0',
      'http://a.example/1',
      'http://b.example/1',
      'http://a.example/2',
      'http://b.example/2',
    ]);
  });

  it('keeps to a rate', () => {
    const { queues, clock } = queuesWith({
      requestsPerSecondPerHost: 10,
      maxPerHost: 1000,
      maxPerDomain: 1000,
      maxConcurrent: 1000,
    });
    add(queues, ...urlsOf('a.example', 100));
    let taken = takeAll(queues).length;
    expect(taken).toBeLessThanOrEqual(2);
    for (let i = 0; i < 50; i++) {
      clock.advance(100);
      taken += takeAll(queues).length;
    }
    expect(taken).toBeGreaterThanOrEqual(49);
    expect(taken).toBeLessThanOrEqual(52);
  });

  it('halves a domain’s connections when it throttles, once for all that were in flight, and adds one a round after', () => {
    const { queues, clock } = queuesWith({ maxPerHost: 16, maxPerDomain: 16 });
    add(queues, ...urlsOf('a.site.example', 200));
    const first = takeAll(queues);
    expect(first).toHaveLength(16);
    for (const turn of first) queues.release(turn, THROTTLED);
    expect(takeAll(queues)).toHaveLength(0);
    expect(queues.waitingHosts()).toEqual([
      { host: 'site.example', untilMs: clock.nowMs() + 1000, urls: 184 },
    ]);
    clock.advance(1000);
    expect(queues.waitingHosts()).toEqual([]);
    let turns = takeAll(queues);
    expect(turns).toHaveLength(8);
    const sizes: number[] = [];
    for (let round = 0; round < 5; round++) {
      for (const turn of turns) queues.release(turn, { type: 'fine' });
      turns = takeAll(queues);
      sizes.push(turns.length);
    }
    expect(sizes[0]).toBeGreaterThanOrEqual(8);
    expect(sizes.at(-1)).toBeGreaterThan(10);
    expect(sizes.at(-1)).toBeLessThanOrEqual(13);
  });

  it('lets other domains go on while one waits for its Retry-After', () => {
    const { queues, clock } = queuesWith({});
    add(queues, ...urlsOf('slow.example', 10));
    const [turn, ...others] = takeAll(queues);
    queues.release(turn as Turn<string>, { ...THROTTLED, retryAfterMs: 60_000 });
    for (const other of others) queues.release(other, { type: 'neutral' });
    add(queues, ...urlsOf('quick.example', 10));
    expect(new Set(takeAll(queues).map(({ host }) => host))).toEqual(new Set(['quick.example']));
    clock.advance(59_999);
    expect(takeAll(queues).map(({ host }) => host)).not.toContain('slow.example');
    clock.advance(2);
    expect(takeAll(queues).map(({ host }) => host)).toContain('slow.example');
  });

  it('gives a domain up that throttles for ever, whatever it says', () => {
    for (const retryAfterMs of [undefined, 1000]) {
      const { queues, clock } = queuesWith({ maxRetryAfterMs: 60_000, maxPerDomain: 1 });
      add(queues, ...urlsOf('a.example', 1000));
      let requests = 0;
      for (let seconds = 0; seconds < 3600 && queues.queued > 0; seconds++) {
        for (const turn of takeAll(queues)) {
          if (turn.closed === undefined) requests += 1;
          queues.release(turn, retryAfterMs === undefined ? THROTTLED : { ...THROTTLED, retryAfterMs });
        }
        clock.advance(1000);
      }
      expect(queues.queued).toBe(0);
      expect(requests).toBeLessThan(15);
    }
  });

  it('waits for nobody while a host is gated, and obeys its Crawl-delay after', () => {
    const { queues, clock } = queuesWith({});
    add(queues, ...urlsOf('a.example', 5));
    const turn = queues.take() as Turn<string>;
    queues.gate(turn.host);
    expect(takeAll(queues)).toHaveLength(0);
    queues.ungate(turn.host, 2000);
    expect(takeAll(queues)).toHaveLength(0);
    const counts = [1, 2, 3].map(() => {
      clock.advance(2000);
      return takeAll(queues).length;
    });
    expect(counts).toEqual([1, 1, 1]);
  });

  it('asks local hosts as hard as the global limit allows, unless limits are given', () => {
    const local = [
      'http://127.0.0.1:8000',
      'http://localhost:8000',
      'http://[::1]:8000',
      'http://10.0.0.1',
      'http://led.example',
    ];
    for (const origin of local) {
      const connectTo = { 'led.example': '127.0.0.1:9' };
      const queues = new HostQueues<string>({ connectTo });
      for (let i = 0; i < 100; i++) queues.add(new URL(`${origin}/${i}`), String(i));
      expect([origin, takeAll(queues).length]).toEqual([origin, 64]);
      const limited = new HostQueues<string>({ connectTo, limits: { maxPerHost: 3 } });
      for (let i = 0; i < 100; i++) limited.add(new URL(`${origin}/${i}`), String(i));
      expect([origin, takeAll(limited).length]).toEqual([origin, 3]);
      queues.close();
      limited.close();
    }
  });

  it('takes no longer for each when 100,000 wait at a blocked host', () => {
    const { queues } = queuesWith({ maxPerHost: 1, maxPerDomain: 1, maxConcurrent: 10 });
    add(queues, ...urlsOf('blocked.example', 100_000));
    const blocked = queues.take();
    expect(blocked?.host).toBe('blocked.example');
    // At ten looks through the queue this would be 10^10 steps: the test's time-out is the measure.
    for (let i = 0; i < 100_000; i++) {
      add(queues, `http://host-${i % 1000}.example/${i}`);
      const turn = queues.take() as Turn<string>;
      expect(turn.host === 'blocked.example').toBe(false);
      queues.release(turn, { type: 'fine' });
    }
  });
});

describe('registrableDomain', () => {
  it('joins the hosts of a site, and keeps apart what shares a public suffix or an address', () => {
    const domains = [
      'http://farm1.photos.co.uk/',
      'http://farm2.photos.co.uk:8080/',
      'http://a.github.io/',
      'http://10.0.0.1:81/',
      'http://localhost:82/',
      'http://[::1]:83/',
    ];
    expect(domains.map((url) => registrableDomain(new URL(url)))).toEqual([
      'photos.co.uk',
      'photos.co.uk',
      'a.github.io',
      '10.0.0.1:81',
      'localhost:82',
      '[::1]:83',
    ]);
  });
});
