/** Lazy, immutable pipelines over examples, which remember in a few bytes where they are and go on from there. */

import { createHash } from 'node:crypto';
import { UserError } from '../io/errors.js';
import { batchStage, filterStage, mapStage, prefetchStage, repeatStage, takeStage } from './stages.js';

/** Where a stage is: a number or list that its own `open` understands. Null is its beginning. */
export type Place = null | number | readonly Place[];

/** An item, and where its stage is once it is handed out. */
export interface Step<T> {
  readonly value: T;
  readonly after: Place;
}

/** A value that is there already, or will be: waiting for each of a million items would take longer than reading them. */
export type Awaitable<T> = T | Promise<T>;

/** A run through a stage. `next()` is called again only when the last call has ended. */
export interface Flow<T> {
  /** Undefined at the end. */
  next(): Awaitable<Step<T> | undefined>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** 0 for the first time through; the order of examples and what chance does to them follow from it. */
  readonly epoch: number;
  readonly from: Place;
  /** Items that whoever opens the stage puts together: reading as many at once saves it a copy. */
  readonly together?: number;
}

/** One step of a pipeline. `name` tells what it does to the order of items, e.g. `take(5)`. */
export interface Stage<T> {
  readonly name: string;
  open(options: OpenOptions): Flow<T>;
}

/** A pipeline being read: an async iterator that can say at any time where it is. */
export interface Reading<T> extends AsyncIterableIterator<T> {
  /**
   * Where it is, as JSON: what `resume()` takes. Less than a hundred bytes, and some ten more for each further source of a
   * mixture. All that was handed out is behind it; what was prefetched only is not.
   */
  state(): string;
  return(): Promise<IteratorResult<T>>;
}

/**
 * Items of type `T`, put together by `batch` as `Batch`. Each method gives a new pipeline; nothing is read before it is
 * iterated.
 */
export class Pipeline<T, Batch = readonly T[]> implements AsyncIterable<T> {
  private readonly own: Stage<T>;
  private readonly collate: (items: readonly T[]) => Batch;
  private readonly from: Place;

  constructor(stage: Stage<T>, collate: (items: readonly T[]) => Batch, from: Place = null) {
    this.own = stage;
    this.collate = collate;
    this.from = from;
  }

  /** Goes through all items so many times, for ever where nothing is said. Each time is an epoch with an order of its own. */
  repeat(times = Number.POSITIVE_INFINITY): Pipeline<T, Batch> {
    return this.with(repeatStage(this.stage, countOf('repeat', times, ENDLESS)));
  }

  /** The first `count` items (of each epoch, where `repeat` comes after). */
  take(count: number): Pipeline<T, Batch> {
    return this.with(takeStage(this.stage, countOf('take', count, ENDLESS)));
  }

  /** Items for which `keep` is true. It must not depend on anything but the item, or a resumed run differs. */
  filter(keep: (item: T) => boolean): Pipeline<T, Batch> {
    return this.with(filterStage(this.stage, keep));
  }

  /** What `change` makes of each item. */
  map<U extends T>(change: (item: T) => U): Pipeline<U, Batch> {
    return this.with(mapStage(this.stage, change));
  }

  /** `count` items at a time. The last of all may be smaller, or is left out with `remainder: 'drop'`. */
  batch(count: number, { remainder = 'keep' }: { remainder?: 'keep' | 'drop' } = {}): Pipeline<Batch> {
    const stage = batchStage(this.stage, {
      count: countOf('batch', count, FINITE),
      remainder,
      collate: this.collate,
    });
    return new Pipeline(stage, (items) => items);
  }

  /** Has `count` items ready before they are asked for. */
  prefetch(count: number): Pipeline<T, Batch> {
    return this.with(prefetchStage(this.stage, countOf('prefetch', count, FINITE)));
  }

  /**
   * The same pipeline, beginning right after what had been handed out when `state` was taken: also with another number of
   * workers or of prefetched items.
   * @throws UserError where the state is of another split, seed, order or pipeline.
   */
  resume(state: string): Pipeline<T, Batch> {
    return new Pipeline(this.own, this.collate, placeIn(state, this.own.name));
  }

  /** Starts reading. */
  [Symbol.asyncIterator](): Reading<T> {
    return read(this.own, this.from);
  }

  /** What a further stage reads from. @throws UserError for a resumed pipeline, whose place would not be the next one's. */
  get stage(): Stage<T> {
    if (this.from === null) return this.own;
    throw new UserError('a pipeline is resumed before it is complete', {
      remedy: 'call resume() last, on the pipeline that gave the state',
    });
  }

  /** Not for use outside of this folder: the pipeline of another stage, with batches like this one's. */
  with<U extends T>(stage: Stage<U>): Pipeline<U, Batch> {
    return new Pipeline(stage, this.collate);
  }
}

function read<T>(stage: Stage<T>, from: Place): Reading<T> {
  const identity = digestOf(stage.name);
  let flow: Flow<T> | undefined = stage.open({ epoch: 0, from });
  let at = from;
  // Calls may overlap; a flow's must not.
  let last: Promise<unknown> = Promise.resolve();
  const advance = async (): Promise<IteratorResult<T>> => {
    const step = await flow?.next();
    if (step === undefined) return end();
    at = step.after;
    return { value: step.value, done: false };
  };
  const end = async (): Promise<IteratorResult<T>> => {
    const closing = flow;
    flow = undefined;
    await closing?.close();
    return { value: undefined, done: true };
  };
  const inTurn = (action: () => Promise<IteratorResult<T>>): Promise<IteratorResult<T>> => {
    const result = last.then(action);
    last = result.catch(end);
    return result;
  };
  return {
    next: () => inTurn(advance),
    return: () => inTurn(end),
    state: () => JSON.stringify({ of: identity, at }),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** 64 bits: enough that no two pipelines of one person's are alike. */
function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16);
}

function placeIn(state: string, name: string): Place {
  const { of, at } = parsed(state);
  if (of !== undefined && of !== digestOf(name))
    throw new UserError('the state is of another split, seed, order or pipeline', {
      where: shortened(state),
      remedy: 'resume with the pipeline that gave it, or begin anew',
    });
  if (of === undefined || !isPlace(at))
    throw new UserError('this is no state of a reader', {
      where: shortened(state),
      remedy: 'give what state() gave',
    });
  return at;
}

function shortened(state: string): string {
  return state.length > 100 ? `${state.slice(0, 100)}…` : state;
}

function parsed(state: string): { of?: unknown; at?: unknown } {
  try {
    const value: unknown = JSON.parse(state);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Far deeper than any pipeline's, and no danger for the stack. */
const MAX_PLACE_DEPTH = 200;

function isPlace(value: unknown, depth = 0): value is Place {
  if (Array.isArray(value)) return depth < MAX_PLACE_DEPTH && value.every((part) => isPlace(part, depth + 1));
  return value === null || (Number.isSafeInteger(value) && (value as number) >= 0);
}

const ENDLESS = { least: 0, most: Number.POSITIVE_INFINITY };
const FINITE = { least: 1, most: Number.MAX_SAFE_INTEGER };

function countOf(name: string, count: number, { least, most }: typeof ENDLESS): number {
  if (count >= least && count <= most && (Number.isSafeInteger(count) || count === Number.POSITIVE_INFINITY))
    return count;
  throw new UserError(`${name}(${count})`, { remedy: `give a whole number of at least ${least}` });
}
