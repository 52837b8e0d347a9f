/** The stages of a pipeline: what each does to the items of the one before, and what of that its place has to say. */

import { UserError } from '../io/errors.js';
import type { Awaitable, Flow, Place, Stage, Step } from './pipeline.js';

/** Its place: how many times are done, and where the stage before is. */
export function repeatStage<T>(before: Stage<T>, times: number): Stage<T> {
  return {
    name: `${before.name}.repeat(${times})`,
    open({ epoch, from, ...rest }) {
      let [done, at] = pairOf(from);
      // Every time through is another epoch of the stage before, also where a repetition is repeated itself.
      const first = times === Number.POSITIVE_INFINITY ? 0 : epoch * times;
      const openNext = (place: Place): Flow<T> | undefined =>
        done < times ? before.open({ ...rest, epoch: first + done, from: place }) : undefined;
      let flow = openNext(at);
      const next = (): Awaitable<Step<T> | undefined> =>
        whenThere(flow?.next(), (step) => {
          if (step === undefined) return flow === undefined ? undefined : nextEpoch(flow);
          at = step.after;
          return { value: step.value, after: [done, at] };
        });
      const nextEpoch = async (ended: Flow<T>): Promise<Step<T> | undefined> => {
        await ended.close();
        // An epoch without an item would be followed by others like it, for ever.
        const isEmpty = at === null;
        done += 1;
        at = null;
        flow = isEmpty ? undefined : openNext(null);
        return next();
      };
      return {
        next,
        close: async () => flow?.close(),
      };
    },
  };
}

/** Its place: how many were taken, and where the stage before is. */
export function takeStage<T>(before: Stage<T>, count: number): Stage<T> {
  return {
    name: `${before.name}.take(${count})`,
    open({ from, ...rest }) {
      let [taken, at] = pairOf(from);
      const flow = before.open({ ...rest, from: at });
      return {
        next: () =>
          whenThere(taken < count ? flow.next() : undefined, (step) => {
            if (step === undefined) return undefined;
            taken += 1;
            at = step.after;
            return { value: step.value, after: [taken, at] };
          }),
        close: () => flow.close(),
      };
    },
  };
}

/** Its place is that of the stage before. */
export function filterStage<T>(before: Stage<T>, keep: (item: T) => boolean): Stage<T> {
  return {
    name: `${before.name}.filter`,
    open({ epoch, from }) {
      const flow = before.open({ epoch, from });
      return {
        async next() {
          for (;;) {
            const got = flow.next();
            const step = got instanceof Promise ? await got : got;
            if (step === undefined || keep(step.value)) return step;
          }
        },
        close: () => flow.close(),
      };
    },
  };
}

/** Its place is that of the stage before. */
export function mapStage<T, U>(before: Stage<T>, change: (item: T) => U): Stage<U> {
  return {
    name: before.name,
    open(options) {
      const flow = before.open(options);
      return {
        next: () =>
          whenThere(flow.next(), (step) => step && { value: change(step.value), after: step.after }),
        close: () => flow.close(),
      };
    },
  };
}

/** Its place is that of the stage before, after the last item of the batch. */
export function batchStage<T, Batch>(
  before: Stage<T>,
  options: {
    readonly count: number;
    readonly remainder: 'keep' | 'drop';
    readonly collate: (items: readonly T[]) => Batch;
  },
): Stage<Batch> {
  const { count, remainder, collate } = options;
  return {
    name: `${before.name}.batch(${count},${remainder})`,
    open(where) {
      const flow = before.open({ ...where, together: count });
      return {
        async next() {
          const items: T[] = [];
          let after: Place = null;
          while (items.length < count) {
            const got = flow.next();
            const step = got instanceof Promise ? await got : got;
            if (step === undefined) break;
            items.push(step.value);
            after = step.after;
          }
          if (items.length === 0 || (items.length < count && remainder === 'drop')) return undefined;
          return { value: collate(items), after };
        },
        close: () => flow.close(),
      };
    },
  };
}

/** Its place is that of the item handed out: what waits in it is read again. */
export function prefetchStage<T>(before: Stage<T>, count: number): Stage<T> {
  return {
    name: before.name,
    open(options) {
      const flow = before.open(options);
      const next = async (): Promise<Step<T> | undefined> => flow.next();
      const ready: Promise<Step<T> | undefined>[] = [];
      let last: Promise<Step<T> | undefined> | undefined;
      const fill = (): void => {
        while (ready.length < count) {
          last = last === undefined ? next() : last.then((step) => step && flow.next());
          // Its failure is told to whoever asks for that item.
          last.catch(() => {});
          ready.push(last);
        }
      };
      return {
        async next() {
          fill();
          const step = await ready.shift();
          if (step !== undefined) fill();
          return step;
        },
        async close() {
          await flow.close();
          await last?.catch(() => {});
        },
      };
    },
  };
}

/** What `next` makes of a value, at once where it is there already. Not named `then`: a module with that name is no module but a promise. */
export function whenThere<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** A place of two parts. @throws UserError where it has others. */
export function pairOf(place: Place): [count: number, before: Place] {
  if (place === null) return [0, null];
  const [count, before] = typeof place === 'number' ? [] : place;
  if (typeof count !== 'number' || before === undefined) throw strangePlace(place);
  return [count, before];
}

export function strangePlace(place: Place): UserError {
  return new UserError('this is no state of such a pipeline', {
    where: JSON.stringify(place).slice(0, 100),
    remedy: 'give what state() gave',
  });
}
