import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EegmmidbRecording, EegmmidbSource } from '../datasets/eegmmidb/eegmmidb.js';
import { taskOfRun } from '../datasets/eegmmidb/tasks.js';
import { seededRandom } from '../io/random.js';
import { EegMotorImageryTriplets } from './eeg_motor_imagery_triplets.js';
import { EegSeizureTriplets } from './eeg_seizure_triplets.js';
import type { EegTripletRow } from './eeg_triplet.js';
import { type Split, withOptions } from './problem.js';

function corpus(people: number, trials: number, seed: string): EegmmidbSource {
  const recordings = Array.from({ length: people }, (_, i): EegmmidbRecording => {
    const subject = `S${String(i + 1).padStart(3, '0')}`;
    const task = taskOfRun(4) as NonNullable<ReturnType<typeof taskOfRun>>;
    return { id: `${subject}R04`, subject, fileName: `${subject}/${subject}R04.edf`, run: 4, task };
  });
  return {
    recordings,
    events({ id }) {
      const random = seededRandom(`${seed} ${id}`);
      return Array.from({ length: trials }, (_, i) => {
        const isLeft = random.below(2) === 0;
        return {
          onset: i * 8,
          duration: 4,
          code: isLeft ? ('T1' as const) : ('T2' as const),
          meaning: isLeft ? ('left_fist' as const) : ('right_fist' as const),
        };
      });
    },
  };
}

async function planOf(
  source: EegmmidbSource,
  split: Split,
  options: Record<string, string | number>,
): Promise<{ rows: EegTripletRow[]; notes: string[] }> {
  const problem = withOptions(new EegMotorImageryTriplets(), options);
  const rows: EegTripletRow[] = [];
  const notes: string[] = [];
  for await (const row of problem.plan(split, source, { seed: 0, note: (text) => notes.push(text) }))
    rows.push(row);
  return { rows, notes };
}

describe('triplets by label', () => {
  it('have two of a class and one of another, none twice, of the people that are asked for', async () => {
    const cases = fc.record({
      people: fc.constantFrom('any', 'same', 'different'),
      subjects: fc.integer({ min: 1, max: 6 }),
      trials: fc.integer({ min: 0, max: 8 }),
      wanted: fc.integer({ min: 0, max: 60 }),
      seed: fc.string(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ people, subjects, trials, wanted, seed }) => {
        const source = corpus(subjects, trials, seed);
        const { rows } = await planOf(source, 'train', { people, examples: wanted });
        expect(rows.length).toBeLessThanOrEqual(wanted);
        expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
        for (const { windows, odd } of rows) {
          const away = windows[odd - 1];
          const [one, two] = windows.filter((window) => window !== away);
          expect(one?.label).toBe(two?.label);
          expect(away?.label).not.toBe(one?.label);
          expect(`${one?.file} ${one?.onset}`).not.toBe(`${two?.file} ${two?.onset}`);
          if (people === 'same') expect(new Set(windows.map(({ subject }) => subject)).size).toBe(1);
          if (people === 'different') expect(one?.subject).not.toBe(two?.subject);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('give all there are where more are wanted, and say so', async () => {
    const source = corpus(1, 6, 'x');
    const lefts = source
      .events(source.recordings[0] as EegmmidbRecording)
      .filter(({ code }) => code === 'T1').length;
    const rights = 6 - lefts;
    const { rows, notes } = await planOf(source, 'train', { examples: 1000 });
    const pairs = (count: number): number => (count * (count - 1)) / 2;
    expect(rows.length).toBe(pairs(lefts) * rights + pairs(rights) * lefts);
    expect(notes).toContain(`train has ${rows.length} triplets, not 1000: no more exist`);
  });

  it('keep the people of the splits apart', async () => {
    const source = corpus(10, 6, 'y');
    const sides = new Map<string, Split>();
    for (const split of ['train', 'dev', 'test'] as const) {
      const { rows } = await planOf(source, split, {});
      for (const { windows } of rows)
        for (const { subject } of windows) {
          expect(sides.get(subject) ?? split).toBe(split);
          sides.set(subject, split);
        }
    }
    expect(new Set(sides.values())).toEqual(new Set(['train', 'dev', 'test']));
  });

  it('have the options and the preparation of the Problem whose windows they are', () => {
    const triplets = withOptions(new EegSeizureTriplets(), { resample: 128, background_per_seizure: 2 });
    expect(triplets.features['eeg/a'].shape).toEqual([18, 512]);
    expect(triplets.preparation.id).not.toBe(new EegSeizureTriplets().preparation.id);
    expect(() => withOptions(new EegSeizureTriplets(), { people: 'nobody' })).toThrow(
      'any, same or different',
    );
  });
});
