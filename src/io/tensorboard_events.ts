/** TensorBoard's event files: what training writes while it goes on, as TFRecords of `tensorflow.Event`. */

import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from './errors.js';
import { bytesField, doubleField, integerField, message, textField } from './protobuf_message.js';
import type { SummaryValue } from './tensorboard_summaries.js';
import { frameRecord } from './tfrecord.js';
import { writeFully } from './write_fully.js';

export interface EventWriterOptions {
  /**
   * The step at which a run goes on after a restart: TensorBoard forgets what earlier files of the folder say of this step
   * and later ones. Not given for a run that begins.
   */
  readonly resumedAt?: number;
  /** What was added is written at the latest when something is added so long after. 10 s where not said. */
  readonly flushAfterMs?: number;
  /** Milliseconds since 1970, for the times in the file; Date.now where not said. */
  readonly now?: () => number;
}

/**
 * Writes one event file, which belongs to one run part: after a restart a new one is made, and TensorBoard reads the
 * folder's files one behind the other by name. Calls are synchronous. What was added is in memory until it is flushed:
 * before a checkpoint is written, `flush()`, or a restart from it would leave a gap.
 */
export class EventWriter {
  readonly path: string;
  readonly #file: number;
  readonly #flushAfterMs: number;
  readonly #now: () => number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #flushedMs: number;
  #isClosed = false;

  /** Makes the folder where it is missing. @throws UserError where the file can't be written. */
  constructor(folder: string, options: EventWriterOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#flushAfterMs = options.flushAfterMs ?? 10_000;
    this.#flushedMs = this.#now();
    try {
      mkdirSync(folder, { recursive: true });
      this.path = join(folder, eventFileName(readdirSync(folder), this.#flushedMs));
      this.#file = openSync(this.path, 'wx');
    } catch (cause) {
      throw unwritable(folder, cause);
    }
    // Version 2 is the one in which a restart is said and not guessed (tensorflow/core/util/event.proto).
    this.#add(0, textField(3, 'brain.Event:2'));
    if (options.resumedAt !== undefined)
      this.#add(options.resumedAt, bytesField(7, integerField(1, SESSION_START)));
    this.flush();
  }

  /** Adds what is to be shown at a step (0 or more). @throws UserError where the file can't be written. */
  add(step: number, ...values: readonly SummaryValue[]): void {
    this.#add(step, bytesField(5, message(...values.map((value) => bytesField(1, value)))));
    const isDue = this.#now() - this.#flushedMs >= this.#flushAfterMs;
    if (isDue || this.#waitingBytes > MOST_WAITING_BYTES) this.flush();
  }

  /** Gives what is in memory to the system, so that TensorBoard sees it; a killed process loses nothing of it. */
  flush(): void {
    this.#flushedMs = this.#now();
    if (this.#waiting.length === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      writeFully(this.#file, bytes);
    } catch (cause) {
      throw unwritable(this.path, cause);
    }
  }

  /** Writes what is left and waits until the disk holds it. May be called more than once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.flush();
      fsyncSync(this.#file);
    } finally {
      closeSync(this.#file);
    }
  }

  #add(step: number, what: Uint8Array): void {
    if (this.#isClosed) throw new Error(`${this.path} is closed already`);
    // What is 0 is left out, as proto3 has it.
    const at = step === 0 ? undefined : integerField(2, step);
    const event = message(doubleField(1, this.#now() / 1000), at, what);
    const frame = frameRecord(event);
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
  }
}

/** `SessionLog.SessionStatus`. */
const SESSION_START = 1;

/** Images make it grow quickly; more is not gained by waiting. */
const MOST_WAITING_BYTES = 1 << 20;

/**
 * `events.out.tfevents.<seconds>.<host>.<pid>`, TensorFlow's form (tensorflow/core/util/events_writer.cc). TensorBoard reads
 * files in the order of their names, so the seconds are later than those of every file that is there, whatever the clock says.
 */
function eventFileName(there: readonly string[], nowMs: number): string {
  const times = there.map((name) => Number(/^events\.out\.tfevents\.(\d{1,10})\./.exec(name)?.[1] ?? -1));
  const seconds = Math.max(Math.floor(nowMs / 1000), Math.max(-1, ...times) + 1);
  return `events.out.tfevents.${String(seconds).padStart(10, '0')}.${hostname()}.${process.pid}`;
}

function unwritable(where: string, cause: unknown): UserError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return new UserError(`the event file can't be written (${code})`, {
    where,
    remedy: code === 'ENOSPC' ? 'free some disk space' : 'check the folder and its permissions',
    cause,
  });
}
