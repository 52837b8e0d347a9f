/** GET over undici, one connection a request at a time, with guard, time-outs and every failure told by its kind. */

import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher } from 'undici';
import { type AddressGuardOptions, guardedConnector } from './address_guard.js';
import type { FetchFailure } from './fetch_outcome.js';

/** How long a transfer may take. All in milliseconds but the speed. */
export interface TransferTimeouts {
  /** Name, TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** From the request to the end of the headers. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of the body. */
  readonly bodyTimeoutMs: number;
  /** Everything together. */
  readonly totalTimeoutMs: number;
  /** A body that stays below this speed for `slowAfterMs` is given up. */
  readonly minBytesPerSecond: number;
  readonly slowAfterMs: number;
}

export const DEFAULT_TIMEOUTS: TransferTimeouts = {
  connectTimeoutMs: 15_000,
  headersTimeoutMs: 30_000,
  bodyTimeoutMs: 30_000,
  totalTimeoutMs: 300_000,
  minBytesPerSecond: 512,
  slowAfterMs: 20_000,
};

export interface HttpClientOptions extends AddressGuardOptions {
  readonly timeouts: TransferTimeouts;
  readonly userAgent: string;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** `Content-Length`, undefined where there is none. */
  readonly contentLength: number | undefined;
}

/** Pauses and resumes the body. While it is paused its time-outs wait. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
}

/** Takes a response. A failure that it returns ends the transfer with that failure. */
export interface ResponseSink {
  /** `drain` reads a short body away so that the connection can be used again. */
  onHead(head: ResponseHead, flow: BodyFlow): FetchFailure | 'drain' | undefined;
  onData(chunk: Buffer): FetchFailure | undefined;
}

/** A whole response, or what went wrong; `head` is there where the headers arrived. */
export type TransferEnd =
  | { readonly ok: true; readonly head: ResponseHead }
  | { readonly ok: false; readonly failure: FetchFailure; readonly head?: ResponseHead };

interface Connection {
  readonly client: Client;
  readonly origin: string;
  socket: Socket | undefined;
}

interface Transfer {
  readonly connection: Connection;
  readonly startedMs: number;
  /** Of the speed's measurement; moved on by pauses. */
  bodyMs: number | undefined;
  pausedMs: number | undefined;
  bytes: number;
  stop(failure: FetchFailure): void;
}

/** Idle connections kept for all hosts together: enough for the busiest ones, few enough for 10⁵ hosts. */
const MAX_IDLE = 256;

/** What is read of a body that nobody wants, so that the connection can be used again. */
const MAX_DRAINED_BYTES = 64 * 1024;

/** Connections of one run. The caller limits how many requests go on at once. */
export class HttpClient {
  private readonly options: HttpClientOptions;
  private readonly connect: buildConnector.connector;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly idle = new Map<string, Connection[]>();
  private idleCount = 0;
  private readonly active = new Set<Transfer>();
  private sweeper: NodeJS.Timeout | undefined;
  private destroyed: FetchFailure | undefined;

  constructor(options: HttpClientOptions) {
    this.options = options;
    this.headers = { 'user-agent': options.userAgent, accept: '*/*', 'accept-encoding': 'identity' };
    this.connect = guardedConnector(options, options.timeouts.connectTimeoutMs);
  }

  /** Requests in flight. */
  get inFlight(): number {
    return this.active.size;
  }

  /** Asks for a URL and hands the response to the sink. Never rejects. Redirects are not followed. */
  get(url: URL, sink: ResponseSink, headers: Readonly<Record<string, string>> = {}): Promise<TransferEnd> {
    if (this.destroyed !== undefined) return Promise.resolve({ ok: false, failure: this.destroyed });
    return new Promise((resolve) => {
      const connection = this.acquire(url.origin);
      let head: ResponseHead | undefined;
      let mode: 'take' | 'drain' = 'take';
      const finish = (end: TransferEnd): void => {
        if (!this.active.delete(transfer)) return;
        if (this.active.size === 0) this.stopSweeping();
        resolve(end);
      };
      const transfer: Transfer = {
        connection,
        startedMs: performance.now(),
        bodyMs: undefined,
        pausedMs: undefined,
        bytes: 0,
        stop(failure) {
          destroy(connection);
          // Of an answer that is not wanted the head says all: how its body ends does not matter.
          if (head !== undefined && mode === 'drain') finish({ ok: true, head });
          else finish(head === undefined ? { ok: false, failure } : { ok: false, failure, head });
        },
      };
      this.active.add(transfer);
      this.startSweeping();
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart() {},
        onResponseStart: (controller, status, received) => {
          if (status < 200 || !this.active.has(transfer)) return;
          const headers = singleValued(received);
          const lengthText = headers['content-length'];
          const contentLength = lengthText === undefined ? undefined : Number(lengthText);
          head = { status, headers, contentLength };
          transfer.bodyMs = performance.now();
          const flow: BodyFlow = {
            pause() {
              controller.pause();
              transfer.pausedMs ??= performance.now();
            },
            resume() {
              if (transfer.bodyMs !== undefined && transfer.pausedMs !== undefined)
                transfer.bodyMs += performance.now() - transfer.pausedMs;
              transfer.pausedMs = undefined;
              controller.resume();
            },
          };
          const verdict = sink.onHead(head, flow);
          if (verdict === 'drain') mode = 'drain';
          else if (verdict !== undefined) transfer.stop(verdict);
        },
        onResponseData: (_controller, chunk) => {
          if (!this.active.has(transfer)) return;
          transfer.bytes += chunk.length;
          if (mode === 'drain') {
            if (transfer.bytes <= MAX_DRAINED_BYTES) return;
            destroy(connection);
            finish({ ok: true, head: head as ResponseHead });
            return;
          }
          const failure = sink.onData(chunk);
          if (failure !== undefined) transfer.stop(failure);
        },
        onResponseEnd: () => {
          // What follows the body in the same packet is parsed after this call returns: look again then.
          queueMicrotask(() => {
            const surplus = surplusOf(connection.socket);
            if (surplus !== undefined && mode === 'take') return transfer.stop(surplus);
            if (this.active.has(transfer)) this.release(connection);
            finish({ ok: true, head: head as ResponseHead });
          });
        },
        onResponseError: (_controller, error) => transfer.stop(failureOf(error, head, this.options.timeouts)),
      };
      try {
        const path = `${url.pathname}${url.search}`;
        connection.client.dispatch(
          { method: 'GET', path, headers: { ...this.headers, ...headers } },
          handler,
        );
      } catch (error) {
        transfer.stop({ kind: 'bad-url', detail: messageOf(error) });
      }
    });
  }

  /** Ends every transfer with `failure`, closes every connection, refuses what comes later. */
  destroy(failure: FetchFailure = { kind: 'connection', detail: 'stopped' }): void {
    this.destroyed = failure;
    for (const transfer of [...this.active]) transfer.stop(failure);
    for (const connections of this.idle.values()) for (const connection of connections) destroy(connection);
    this.idle.clear();
    this.idleCount = 0;
  }

  private acquire(origin: string): Connection {
    const idle = this.idle.get(origin);
    const known = idle?.pop();
    if (known !== undefined) {
      this.idleCount -= 1;
      if (idle?.length === 0) this.idle.delete(origin);
      return known;
    }
    const { headersTimeoutMs, bodyTimeoutMs } = this.options.timeouts;
    const connection: Connection = {
      origin,
      socket: undefined,
      client: new Client(origin, {
        pipelining: 1,
        headersTimeout: headersTimeoutMs,
        bodyTimeout: bodyTimeoutMs,
        connect: (target, callback) =>
          this.connect(target, (...result) => {
            connection.socket = result[1] ?? undefined;
            callback(...result);
          }),
      }),
    };
    return connection;
  }

  /** Keeps a connection for the next request to the same origin; the least recently used one goes when there are many. */
  private release(connection: Connection): void {
    const kept = this.idle.get(connection.origin) ?? [];
    this.idle.delete(connection.origin);
    kept.push(connection);
    this.idle.set(connection.origin, kept);
    this.idleCount += 1;
    if (this.idleCount <= MAX_IDLE) return;
    const [origin, oldest] = this.idle.entries().next().value as [string, Connection[]];
    destroy(oldest.shift() as Connection);
    if (oldest.length === 0) this.idle.delete(origin);
    this.idleCount -= 1;
  }

  /** One timer for all transfers: two for each of them would cost more than they are worth. */
  private startSweeping(): void {
    if (this.sweeper !== undefined) return;
    const { totalTimeoutMs, slowAfterMs } = this.options.timeouts;
    const everyMs = Math.min(1000, Math.max(10, Math.min(totalTimeoutMs, slowAfterMs) / 4));
    this.sweeper = setInterval(() => this.sweep(), everyMs);
  }

  private stopSweeping(): void {
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }

  private sweep(): void {
    const { totalTimeoutMs, slowAfterMs, minBytesPerSecond, connectTimeoutMs, headersTimeoutMs } =
      this.options.timeouts;
    const nowMs = performance.now();
    for (const transfer of [...this.active]) {
      const { startedMs, bodyMs, pausedMs, bytes } = transfer;
      if (nowMs - startedMs > totalTimeoutMs)
        transfer.stop({ kind: 'timeout', detail: `not finished within ${totalTimeoutMs} ms` });
      // Interim answers (1xx) without end keep the parser's own time-out from going off.
      else if (bodyMs === undefined && nowMs - startedMs > (connectTimeoutMs + headersTimeoutMs) * 1.5)
        transfer.stop({ kind: 'timeout', detail: `no headers within ${headersTimeoutMs} ms` });
      else if (bodyMs !== undefined && pausedMs === undefined && nowMs - bodyMs > slowAfterMs) {
        const bytesPerSecond = (bytes / (nowMs - bodyMs)) * 1000;
        if (bytesPerSecond < minBytesPerSecond)
          transfer.stop({
            kind: 'timeout',
            detail: `too slow: ${bytesPerSecond.toFixed(0)} bytes/s, the least is ${minBytesPerSecond}`,
          });
      }
    }
  }
}

/**
 * Headers that came twice arrive as arrays: the first holds, but for `X-Robots-Tag`, of which every one counts. What
 * reads them may then rely on text.
 */
function singleValued(received: IncomingHttpHeaders): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(received))
    headers[name] = Array.isArray(value) && name !== 'x-robots-tag' ? value[0] : value;
  return headers;
}

function destroy(connection: Connection): void {
  connection.client.destroy().catch(() => {});
}

/** More bytes than `Content-Length` said show as an answer that nobody asked for. */
function surplusOf(socket: Socket | undefined): FetchFailure | undefined {
  const error = socket?.errored as (Error & { code?: string }) | null | undefined;
  if (error == null) return undefined;
  const isSurplus = error.code?.startsWith('HPE_') === true || error.message === 'bad response';
  return isSurplus
    ? { kind: 'truncated', detail: 'more bytes than the length that was announced' }
    : undefined;
}

/** The kind of a failure, by the codes of Node, OpenSSL's through Node, and undici. */
function failureOf(
  error: Error & { code?: string },
  head: ResponseHead | undefined,
  timeouts: TransferTimeouts,
): FetchFailure {
  const code = error.code ?? '';
  const detail = messageOf(error);
  switch (code) {
    case 'ERR_FORBIDDEN_ADDRESS':
      return { kind: 'forbidden-address', detail };
    case 'ENOTFOUND':
    case 'ENODATA':
      return { kind: 'dns', detail: `no such host: ${detail}` };
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return { kind: 'dns', detail: `the name server did not answer: ${detail}` };
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return { kind: 'timeout', detail: `not connected within ${timeouts.connectTimeoutMs} ms` };
    case 'UND_ERR_HEADERS_TIMEOUT':
      return { kind: 'timeout', detail: `no headers within ${timeouts.headersTimeoutMs} ms` };
    case 'UND_ERR_BODY_TIMEOUT':
      return { kind: 'timeout', detail: `nothing more of the body within ${timeouts.bodyTimeoutMs} ms` };
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return { kind: 'truncated', detail: 'fewer bytes than the length that was announced' };
  }
  // An end in good order is a lie about the length; a reset is trouble on the way.
  if (head !== undefined && (code === 'UND_ERR_SOCKET' || code === 'HPE_INVALID_EOF_STATE'))
    return { kind: 'truncated', detail: 'the connection was closed before the end of the body' };
  return { kind: 'connection', detail };
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}
