/** `robots.txt` (RFC 9309): fetched once an origin, through the same guard, obeyed for every URL. */

import robotsParserModule from 'robots-parser';
import type { FetchFailure } from './fetch_outcome.js';
import { type FailedRequest, fetchUrl } from './fetch_url.js';
import type { HttpClient } from './http_client.js';
import { PRODUCT_TOKEN } from './opt_out.js';

// Its types declare an ES module where it is a CommonJS one, whose default export is the function itself.
const robotsParser = robotsParserModule as unknown as typeof robotsParserModule.default;

/** RFC 9309, 2.5: at least 500 KiB must be understood. */
const MAX_ROBOTS_BYTES = 4 * 1024 * 1024;

/** What an origin costs beside its text. */
const ENTRY_BYTES = 512;

/** All rules held at once; beyond it the oldest are forgotten, and fetched again where they are needed again. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

/** RFC 9309, 2.3.1.2: at least five redirects are followed. */
const MAX_REDIRECTS = 5;

/** What one origin's robots.txt says to us. */
export interface RobotsRules {
  /** The failure for a URL that we must not ask for, undefined for the others. */
  refusal(url: URL): FetchFailure | undefined;
  /** 0 where there is none. */
  readonly crawlDelayMs: number;
}

/** `unreachable` where the host gave no answer at all, so that its URLs needn't be tried to know that. */
export interface LoadedRobots {
  readonly rules: RobotsRules;
  readonly unreachable: FailedRequest | undefined;
}

const NO_RULES: RobotsRules = { refusal: () => undefined, crawlDelayMs: 0 };

/** The rules of a robots.txt, or none where nothing in it concerns us. */
export function parseRobots(robotsUrl: string, text: string): RobotsRules {
  const robots = robotsParser(robotsUrl, text);
  const crawlDelaySeconds = robots.getCrawlDelay(PRODUCT_TOKEN) ?? 0;
  return {
    crawlDelayMs: crawlDelaySeconds > 0 ? crawlDelaySeconds * 1000 : 0,
    refusal(url) {
      if (robots.isAllowed(url.href, PRODUCT_TOKEN) !== false) return undefined;
      const line = robots.getMatchingLineNumber(url.href, PRODUCT_TOKEN);
      return { kind: 'opt-out', detail: `${robotsUrl} disallows it${line > 0 ? ` (line ${line})` : ''}` };
    },
  };
}

/**
 * The rules of every origin asked so far. Where robots.txt can't be had, everything is allowed: with a 4xx because there
 * is none (RFC 9309, 2.3.1.3), with a 5xx or no answer because the files' own answers will tell; the latter is noted.
 */
export class RobotsCache {
  private readonly client: HttpClient;
  private readonly onNote: (text: string) => void;
  private readonly known = new Map<string, { rules: RobotsRules; bytes: number }>();
  private readonly loading = new Map<string, Promise<LoadedRobots>>();
  private heldBytes = 0;

  constructor(client: HttpClient, onNote: (text: string) => void = () => {}) {
    this.client = client;
    this.onNote = onNote;
  }

  /** The rules of an origin, undefined where `load` must be called first. */
  get(origin: string): RobotsRules | undefined {
    return this.known.get(origin)?.rules;
  }

  /** The rules of an origin, fetched where they are not known. Never rejects. */
  load(origin: string): Promise<LoadedRobots> {
    const known = this.known.get(origin);
    if (known !== undefined) return Promise.resolve({ rules: known.rules, unreachable: undefined });
    const loading = this.loading.get(origin) ?? this.fetch(origin);
    this.loading.set(origin, loading);
    return loading;
  }

  private async fetch(origin: string): Promise<LoadedRobots> {
    const url = `${origin}/robots.txt`;
    const outcome = await fetchUrl(url, {
      client: this.client,
      accept: 'any',
      maxBytes: MAX_ROBOTS_BYTES,
      maxRedirects: MAX_REDIRECTS,
      // Sites keep robots.txt itself out of search results so.
      optOut: 'ignore',
    });
    this.loading.delete(origin);
    if (outcome.type === 'failed') {
      const { kind, detail, httpStatus } = outcome.failure;
      // Where there is no host there is nothing to note: its URLs say so themselves.
      const isAbsent = httpStatus !== undefined && httpStatus < 500 && httpStatus !== 429;
      if (!isAbsent && kind !== 'dns' && kind !== 'forbidden-address')
        this.onNote(`${url} can’t be had (${detail}): taken as allowing everything`);
      const unreachable = outcome.hasAnswered ? undefined : outcome;
      return { rules: this.keep(origin, NO_RULES, 0), unreachable };
    }
    const { bytes } = outcome;
    const rules = parseRobots(url, bytes.toString('utf8'));
    return { rules: this.keep(origin, rules, bytes.length), unreachable: undefined };
  }

  private keep(origin: string, rules: RobotsRules, bytes: number): RobotsRules {
    this.known.set(origin, { rules, bytes: bytes + ENTRY_BYTES });
    this.heldBytes += bytes + ENTRY_BYTES;
    for (const [oldest, entry] of this.known) {
      if (this.heldBytes <= MAX_HELD_BYTES || oldest === origin) break;
      this.known.delete(oldest);
      this.heldBytes -= entry.bytes;
    }
    return rules;
  }
}
