/** The first stage of every pipeline over one split: records in the epoch's order, read some jobs ahead. */

import { UserError } from '../io/errors.js';
import type { Mode } from '../problems/decoded.js';
import type { Flow, Place, Stage, Step } from './pipeline.js';
import { epochOrder, firstPosition, type Share, type Shuffle } from './record_order.js';
import { strangePlace } from './stages.js';

export interface SourceOptions<T> {
  /** Tells the split and its content from any other. */
  readonly identity: string;
  readonly records: number;
  readonly shuffle: Shuffle;
  readonly seed: number;
  readonly mode: Mode;
  readonly share: Share;
  /** Jobs that are under way at a time. */
  readonly jobs: number;
  /** The items of some records, in their order. */
  readonly read: (records: readonly number[], epoch: number) => Promise<readonly T[]>;
}

/** Records of one job, where nobody says how many are wanted together. */
const JOB_RECORDS = 16;

/** A job of more would hold too much memory: 64 triplets of faces are 9 MB. */
const MAX_JOB_RECORDS = 64;

/**
 * Its place is a position of the epoch, and beside it `world` where there are several readers: those of its own before it
 * are handed out. Another number of readers would deal out the rest of an epoch in another way, some records twice and
 * others not at all, so it is refused but where the epoch begins or is over for all readers.
 * Its name holds all that decides what example is at a position, drawn augmentations too.
 */
export function sourceStage<T>(options: SourceOptions<T>): Stage<T> {
  const { identity, records, shuffle, seed, mode, share, jobs, read } = options;
  return {
    name: `${identity}/${shuffle}/${seed}/${mode}`,
    open({ epoch, from, together = JOB_RECORDS }): Flow<T> {
      const order = epochOrder(records, { shuffle, seed, epoch });
      const jobRecords = Math.min(together, MAX_JOB_RECORDS);
      let done = positionIn(from, share, records);
      let position = firstPosition(done, share);
      const waiting: Promise<Job<T>>[] = [];
      let { items, failure }: Job<T> = { items: [], failure: undefined };
      let given = 0;
      let isOpen = true;
      const startJobs = (): void => {
        while (isOpen && waiting.length < jobs && position < records) {
          const wanted: number[] = [];
          for (; wanted.length < jobRecords && position < records; position += share.world)
            wanted.push(order(position));
          waiting.push(runJob(wanted, (some) => read(some, epoch)));
        }
      };
      const step = (): Step<T> => {
        done += share.world;
        return { value: items[given++] as T, after: share.world === 1 ? done : [done, share.world] };
      };
      const nextJob = async (): Promise<Step<T> | undefined> => {
        if (failure !== undefined) throw failure.cause;
        startJobs();
        const job = waiting.shift();
        if (job === undefined) return undefined;
        ({ items, failure } = await job);
        given = 0;
        startJobs();
        return items.length > 0 ? step() : nextJob();
      };
      return {
        next: () => (given < items.length ? step() : nextJob()),
        async close() {
          isOpen = false;
          items = [];
          given = 0;
          await Promise.all(waiting.splice(0));
        },
      };
    },
  };
}

/** What came of a job: its items, up to the first that could not be read. */
interface Job<T> {
  readonly items: readonly T[];
  readonly failure: { readonly cause: unknown } | undefined;
}

/** Where a record can't be read, those before it are read one by one: they are handed out, and the damaged one is told then. */
async function runJob<T>(
  records: readonly number[],
  read: (records: readonly number[]) => Promise<readonly T[]>,
): Promise<Job<T>> {
  try {
    return { items: await read(records), failure: undefined };
  } catch (cause) {
    const items: T[] = [];
    for (const record of records.length > 1 ? records : []) {
      const one = await runJob([record], read);
      items.push(...one.items);
      if (one.failure !== undefined) return { items, failure: one.failure };
    }
    return { items, failure: records.length > 1 ? undefined : { cause } };
  }
}

function positionIn(place: Place, { world }: Share, records: number): number {
  if (place === null) return 0;
  const [position, readers, ...rest] = typeof place === 'number' ? [place, 1] : place;
  if (typeof position !== 'number' || typeof readers !== 'number' || rest.length > 0)
    throw strangePlace(place);
  // Exactly all of the records: the readers' shares are of one size, and all have ended theirs.
  if (readers === world || position === records) return position;
  throw new UserError(
    `the state is in the middle of an epoch of ${readers} reader(s), and there are ${world} now`,
    {
      where: `position ${position} of ${records}`,
      remedy: `resume with world: ${readers}, each reader from its own state, or begin the epoch anew`,
    },
  );
}
