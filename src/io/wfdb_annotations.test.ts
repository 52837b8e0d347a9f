import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedData } from '../../fixtures/shared_data.js';
import { makeWfdbAnnotations } from '../../fixtures/wfdb_annotations.js';
import { UserError } from './errors.js';
import { parseWfdbAnnotations } from './wfdb_annotations.js';

describe('parseWfdbAnnotations', () => {
  it('gives back what was written, over long and backward steps in time too', () => {
    const annotation = fc.record({
      sample: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      type: fc.integer({ min: 1, max: 58 }),
      text: fc.stringMatching(/^[ -~\xa0-\xff]{0,200}$/).filter((text) => !text.startsWith('## time')),
    });
    fc.assert(
      fc.property(
        fc.array(annotation, { maxLength: 30 }),
        fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
        (annotations, samplingRate) => {
          const bytes = makeWfdbAnnotations(annotations, samplingRate === undefined ? {} : { samplingRate });
          expect(parseWfdbAnnotations(bytes, 'x')).toEqual({ samplingRate, annotations });
        },
      ),
    );
  });

  it('gives annotations or a UserError for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          for (const { sample } of parseWfdbAnnotations(bytes, 'x').annotations)
            expect(sample).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });

  it('refuses a file that was cut anywhere', () => {
    const whole = makeWfdbAnnotations([{ sample: 5000, type: 32, text: 'abc' }], { samplingRate: 256 });
    for (let length = 0; length < whole.length; length++)
      expect(() => parseWfdbAnnotations(whole.subarray(0, length), 'x')).toThrow(UserError);
  });

  const folder = sharedData('eeg-eegmmidb');
  it.skipIf(folder === undefined)('reads real files (skipped where shared data is absent)', () => {
    const file = readFileSync(join(folder as string, 'S001R03.edf.event'));
    const { samplingRate, annotations } = parseWfdbAnnotations(file, 'x');
    expect(samplingRate).toBe(160);
    expect(annotations).toHaveLength(30);
    expect(annotations.slice(0, 3)).toEqual([
      { sample: 0, type: 22, text: 'T0 duration: 4.2' },
      { sample: 672, type: 22, text: 'T2 duration: 4.1' },
      { sample: 1328, type: 22, text: 'T0 duration: 4.2' },
    ]);
  });
});
