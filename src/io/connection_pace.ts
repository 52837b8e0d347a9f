/** How many connections a host is asked over, and when again after a failure: fewer where it has enough, more when all is calm. */

import type { FetchFailure } from './fetch_outcome.js';

export interface PaceOptions {
  readonly maxConnections: number;
  /** Failures in a row that bring nothing forward, after which `hasGivenUp`. */
  readonly maxAttempts: number;
  /** The first pause, doubled with every further failure up to a minute. */
  readonly backoffMs: number;
  /** In [0, 1); scatters the pauses. */
  readonly random: () => number;
}

const MAX_BACKOFF_MS = 60_000;

/** After so many pieces a connection without a failure one more is tried. */
const CALM_PIECES = 4;

export class ConnectionPace {
  /** Used now; at least 1. */
  connections: number;
  /** Of the clock: no request begins before. */
  notBeforeMs = 0;
  private readonly options: PaceOptions;
  private fruitless = 0;
  private calmPieces = 0;

  constructor(options: PaceOptions) {
    this.options = options;
    this.connections = options.maxConnections;
  }

  get hasGivenUp(): boolean {
    return this.fruitless >= this.options.maxAttempts;
  }

  /** A piece has arrived. True where another connection may begin. */
  onPiece(): boolean {
    this.fruitless = 0;
    this.calmPieces++;
    if (this.connections === this.options.maxConnections) return false;
    if (this.calmPieces < CALM_PIECES * this.connections) return false;
    this.calmPieces = 0;
    this.connections++;
    return true;
  }

  /** A request failed. `isForward`: it brought bytes; `isAlone`: no other connection is at work. */
  onFailure(event: {
    readonly failure: FetchFailure;
    readonly retryAfterMs: number;
    readonly isForward: boolean;
    readonly isAlone: boolean;
    readonly nowMs: number;
  }): void {
    const { failure, isForward, isAlone, nowMs, retryAfterMs } = event;
    if (!isForward) this.fruitless++;
    this.calmPieces = 0;
    // A host may say that it has enough, or serve some connections and refuse others.
    const isTooMuch = failure.kind === 'throttled' || failure.kind === 'server-error';
    if (isTooMuch || (!isForward && !isAlone)) this.connections = Math.max(1, this.connections - 1);
    // The pause is for all connections: else each in turn would try the same bytes at once.
    const doublings = Math.max(0, this.fruitless - 1);
    const ceilingMs = Math.min(MAX_BACKOFF_MS, this.options.backoffMs * 2 ** doublings);
    const delayMs = retryAfterMs + this.options.random() * ceilingMs;
    this.notBeforeMs = Math.max(this.notBeforeMs, nowMs + delayMs);
  }
}
