import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EdfToMake, eyesRecording, makeEdf, noise } from '../../fixtures/eeg_recording.js';
import { readSignal } from '../eeg/read_signal.js';
import { signalTensor } from '../eeg/signal.js';
import { applySteps, type SignalStep } from '../eeg/steps.js';
import { cutWindow } from '../eeg/windows.js';
import { bufferSource } from '../io/byte_source.js';
import { openEdf } from '../io/edf.js';
import { seededRandom } from '../io/random.js';
import { type EegPreparationSpec, eegPreparation, windowFacts, windowSamples } from './eeg_preparation.js';
import type { PreparationOutcome, PreparedInput } from './problem.js';

const LABELS = ['EEG O1-REF', 'O2', 'Cz', 'M1'];
const PICK: SignalStep = { step: 'pick', channels: ['O2', 'O1'] };
const FILTER: SignalStep = { step: 'bandPass', low: 1, high: 40, order: 4 };

function recording(more: Partial<EdfToMake> = {}): Buffer {
  return makeEdf({ ...eyesRecording({ seed: 'p', seconds: 20, labels: LABELS }), ...more });
}

async function prepare(
  raw: Uint8Array,
  spec: Partial<EegPreparationSpec>,
  onsets: readonly number[],
  duration = 2,
): Promise<readonly PreparationOutcome[]> {
  const preparation = eegPreparation({ find: 'name', steps: [PICK], ...spec });
  return preparation.prepare(
    raw,
    onsets.map((onset) => ({ window: { onset, duration } })),
  );
}

/** As `example()` gets it. */
function input(outcome: PreparationOutcome | undefined): PreparedInput {
  if (outcome?.ok !== true) throw new Error(`${outcome?.reason}: ${outcome?.detail}`);
  const { bytes, facts } = outcome;
  return { input: { url: '' }, bytes, contentSha256: '', ...(facts === undefined ? {} : { facts }) };
}

function reasons(outcomes: readonly PreparationOutcome[]): string[] {
  return outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.reason));
}

describe('eegPreparation', () => {
  const lists: Record<string, SignalStep[]> = {
    'a pick alone': [PICK],
    filters: [PICK, { step: 'notch', hertz: 50, q: 30 }, FILTER],
    'a reference to a channel that is let go': [
      { step: 'pick', channels: ['O2', 'O1', 'M1'] },
      { step: 'rereference', to: ['M1'] },
      PICK,
      FILTER,
    ],
    resampling: [PICK, FILTER, { step: 'resample', hertz: 100 }, { step: 'clip', microvolts: 20 }],
  };
  for (const [name, steps] of Object.entries(lists))
    it(`gives, with ${name}, what the steps over the whole recording give, cut afterwards`, async () => {
      const raw = recording();
      const whole = applySteps(await readSignal(await openEdf(bufferSource(raw))), steps);
      const outcomes = await prepare(raw, { steps }, [0, 3.4, 18]);
      for (const [i, onset] of [0, 3.4, 18].entries()) {
        const window = input(outcomes[i]);
        const { samplingRate } = whole;
        const cut = {
          stretch: 0,
          fromSample: Math.round(onset * samplingRate),
          samples: 2 * samplingRate,
          onset,
        };
        expect(windowSamples(window)).toEqual(signalTensor(cutWindow(whole, cut)));
        expect(windowFacts(window)).toEqual({ channels: ['O2', 'O1'], samplingRate, onset });
      }
    });

  it('standardises each window by itself, however the recording is', async () => {
    const steps: SignalStep[] = [PICK, FILTER, { step: 'standardise', over: 'channel' }];
    const [outcome] = await prepare(recording(), { steps }, [5]);
    const samples = windowSamples(input(outcome)).subarray(0, 320);
    const mean = samples.reduce((sum, value) => sum + value, 0) / 320;
    expect(mean).toBeCloseTo(0, 5);
    expect(samples.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 320).toBeCloseTo(1, 5);
  });

  it('takes no window that begins before the recording, ends after it or spans a gap', async () => {
    const gaps = [{ before: 10, seconds: 5 }];
    const raw = recording({ format: 'EDF+D', gaps });
    const outcomes = await prepare(raw, {}, [-0.1, 0, 8, 8.1, 12, 14.9, 15, 23, 23.1, 1e9]);
    expect(reasons(outcomes)).toEqual([
      'outside-recording',
      'ok',
      'ok',
      'outside-recording',
      'outside-recording',
      'outside-recording',
      'ok',
      'ok',
      'outside-recording',
      'outside-recording',
    ]);
    expect(outcomes[3]).toMatchObject({ detail: '8.1 s to 10.1 s of 25 s in 2 parts with gaps between' });
  });

  it('filters each stretch between gaps by itself', async () => {
    const raw = recording({ format: 'EDF+D', gaps: [{ before: 10, seconds: 5 }] });
    const open = await openEdf(bufferSource(raw));
    const [, second] = await open.segments();
    const alone = applySteps(await readSignal(open, {}, second), [PICK, FILTER]);
    const [outcome] = await prepare(raw, { steps: [PICK, FILTER] }, [15]);
    const cut = { stretch: 0, fromSample: 0, samples: 320, onset: 15 };
    expect(windowSamples(input(outcome))).toEqual(signalTensor(cutWindow(alone, cut)));
  });

  it('finds bipolar channels under either name or as two electrodes', async () => {
    const signals = ['FP1-Ref', 'F7-Ref', 'P7-T7', 'EKG'].map((label) => ({
      label,
      samplingRate: 256,
      valueAt: noise(label, 50),
    }));
    const raw = makeEdf({ format: 'EDF', signals, seconds: 4 });
    const steps: SignalStep[] = [{ step: 'pick', channels: ['FP1-F7', 'T7-P7'] }];
    const [outcome] = await prepare(raw, { steps, find: 'bipolar' }, [1]);
    expect(windowFacts(input(outcome)).channels).toEqual(['Fp1-F7', 'T7-P7']);
    const [first, second, third] = (await readSignal(await openEdf(bufferSource(raw)))).data;
    const samples = windowSamples(input(outcome));
    for (const at of [0, 100, 511]) {
      expect(samples[at]).toBeCloseTo((first?.[256 + at] as number) - (second?.[256 + at] as number), 4);
      expect(samples[512 + at]).toBeCloseTo(-(third?.[256 + at] as number), 4);
    }
    const missing = await prepare(
      raw,
      { steps: [{ step: 'pick', channels: ['CZ-PZ'] }], find: 'bipolar' },
      [1],
    );
    expect(missing).toEqual([{ ok: false, reason: 'missing-channels', detail: 'no channels CZ-PZ' }]);
  });

  it('says of a recording that can’t be used why, without the folder it lies in', async () => {
    const other = eyesRecording({ seed: 'x', seconds: 4, samplingRate: 128, labels: ['O1', 'O2'] });
    const mixed = {
      ...other,
      signals: [...other.signals, { label: 'Cz', samplingRate: 64, valueAt: () => 0 }],
    };
    const unitless = { ...other, signals: other.signals.map((signal) => ({ ...signal, unit: '' })) };
    const filter: SignalStep[] = [PICK, { step: 'bandPass', low: 1, high: 70, order: 4 }];
    for (const [raw, spec, reason, detail] of [
      [makeEdf(other), { samplingRate: 160 }, 'wrong-sampling-rate', '128 Hz instead of 160 Hz'],
      [
        makeEdf(mixed),
        { steps: [{ step: 'pick', channels: ['O1', 'Cz'] }] },
        'wrong-sampling-rate',
        'O1 has 128 Hz',
      ],
      [makeEdf(other), { steps: filter }, 'wrong-sampling-rate', 'half of the sampling rate'],
      [makeEdf(other), { steps: [{ step: 'pick', channels: ['Fz'] }] }, 'missing-channels', 'no channel Fz'],
      [makeEdf(unitless), {}, 'missing-channels', 'no unit'],
      [makeEdf(other).subarray(0, 3000), {}, 'unreadable-recording', 'byte'],
      [Buffer.from('<html>'), {}, 'unreadable-recording', 'byte'],
    ] as const) {
      const path = '/home/somebody/eyes.edf';
      const preparation = eegPreparation({
        find: 'name',
        steps: [PICK],
        ...(spec as Partial<EegPreparationSpec>),
      });
      const wanted = [0, 1].map((onset) => ({ path, window: { onset, duration: 1 } }));
      for (const outcome of await preparation.prepare(raw, wanted)) {
        expect(outcome).toMatchObject({ ok: false, reason });
        if (!outcome.ok) expect(outcome.detail).toContain(detail);
        expect(JSON.stringify(outcome)).not.toContain('somebody');
      }
    }
    const named = await prepare(makeEdf(unitless), { blankUnit: 'uV' }, [0]);
    expect(reasons(named)).toEqual(['ok']);
  });

  it('has another id for whatever changes the bytes', () => {
    const specs: EegPreparationSpec[] = [
      { find: 'name', steps: [PICK] },
      { find: 'bipolar', steps: [PICK] },
      { find: 'name', steps: [PICK, FILTER] },
      { find: 'name', steps: [PICK], samplingRate: 160 },
      { find: 'name', steps: [PICK], blankUnit: 'uV' },
      { find: 'name', steps: [PICK], blankUnit: 'mV' },
    ];
    const ids = specs.map((spec) => eegPreparation(spec).id);
    expect(new Set(ids).size).toBe(specs.length);
    expect(specs.map((spec) => eegPreparation(structuredClone(spec)).id)).toEqual(ids);
  });

  it('gives outcomes for damaged recordings, never an error', async () => {
    const raw = recording({ format: 'EDF+D', gaps: [{ before: 10, seconds: 5 }] });
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.integer({ min: 1, max: 20 }), async (seed, changes) => {
        const random = seededRandom(seed);
        const mutated = Buffer.from(raw);
        for (let i = 0; i < changes; i++)
          mutated[random.below(i % 2 === 0 ? 1536 : raw.length)] = random.below(256);
        const outcomes = await prepare(mutated, { steps: [PICK, FILTER] }, [0, 8.5, 16]);
        expect(outcomes.length).toBe(3);
      }),
      { numRuns: 150 },
    );
  });
});
