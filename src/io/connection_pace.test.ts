import { describe, expect, it } from 'vitest';
import { ConnectionPace } from './connection_pace.js';
import type { FetchFailureKind } from './fetch_outcome.js';

function pace(): ConnectionPace {
  return new ConnectionPace({ maxConnections: 8, maxAttempts: 3, backoffMs: 1000, random: () => 0.5 });
}

const failed = (
  kind: FetchFailureKind,
  more: { isForward?: boolean; isAlone?: boolean; retryAfterMs?: number } = {},
) => ({
  failure: { kind, detail: '' },
  retryAfterMs: 0,
  isForward: false,
  isAlone: false,
  nowMs: 10_000,
  ...more,
});

describe('ConnectionPace', () => {
  it('asks over fewer connections where the host has enough, and over more when all is calm', () => {
    const one = pace();
    for (let i = 0; i < 20; i++) one.onFailure(failed('throttled'));
    expect(one.connections).toBe(1);
    expect([1, 2, 3, 4].map(() => one.onPiece())).toEqual([false, false, false, true]);
    expect(one.connections).toBe(2);
    for (let i = 0; i < 1000; i++) one.onPiece();
    expect(one.connections).toBe(8);
  });

  it('keeps its connections where a transfer that brought something was cut, or the only one failed', () => {
    const one = pace();
    one.onFailure(failed('truncated', { isForward: true }));
    one.onFailure(failed('connection', { isAlone: true }));
    expect(one.connections).toBe(8);
    one.onFailure(failed('connection'));
    expect(one.connections).toBe(7);
  });

  it('waits longer with every failure and at least as long as the host asks', () => {
    const one = pace();
    one.onFailure(failed('connection'));
    expect(one.notBeforeMs).toBe(10_500);
    one.onFailure(failed('connection'));
    expect(one.notBeforeMs).toBe(11_000);
    one.onFailure(failed('throttled', { retryAfterMs: 60_000 }));
    expect(one.notBeforeMs).toBeGreaterThanOrEqual(70_000);
  });

  it('gives up after failures in a row, between which no piece came', () => {
    const one = pace();
    one.onFailure(failed('connection'));
    one.onFailure(failed('connection'));
    one.onPiece();
    one.onFailure(failed('connection'));
    one.onFailure(failed('connection'));
    expect(one.hasGivenUp).toBe(false);
    one.onFailure(failed('connection'));
    expect(one.hasGivenUp).toBe(true);
  });
});
