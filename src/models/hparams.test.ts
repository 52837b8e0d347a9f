/** Hyper-parameters as a person writes them, and the sets that ship. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../io/errors.js';
import './all.js';
import '../problems/all.js';
import { problemNames } from '../problems/registry.js';
import { HPARAMS, hparamNames, hparams, parseHparams } from './hparams.js';
import { hparamsSet, hparamsSetFor, hparamsSetNames, registerHparamsSet } from './hparams_sets.js';
import { model, modelNames } from './registry.js';

type Change = readonly [name: string, value: string | number];

describe('reading changes', () => {
  test('changes what is named and nothing else', () => {
    const set = hparams();
    const changed = parseHparams(set, 'learning_rate=3e-4, margin=0.3,loss=soft_margin');
    expect(changed).toEqual({ ...set, learning_rate: 3e-4, margin: 0.3, loss: 'soft_margin' });
    expect(parseHparams(set, '')).toEqual(set);
  });

  test.for([
    ['learnin_rate=1', 'there is no hyper-parameter "learnin_rate": did you mean learning_rate'],
    ['learning_rate=fast', 'learning_rate is fast: it is a number from 1e-9 to 10'],
    ['learning_rate=', 'learning_rate is empty: it is a number'],
    ['learning_rate=-1', 'learning_rate is -1: it is a number from 1e-9 to 10'],
    ['batch_size=1.5', 'batch_size is 1.5: it is a whole number from 1'],
    ['loss=hinge', 'loss is hinge: it is fec_hinges, soft_margin'],
    ['margin', '"margin" is no hyper-parameter: write name=value,name=value'],
    ['__proto__=1', 'there is no hyper-parameter "__proto__"'],
  ] as const)('refuses %s, saying what is wanted', ([text, message]) => {
    const attempt = () => parseHparams(hparams(), text);
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(message);
  });

  test('gives back any set from its own text', () => {
    const value = fc.constantFrom(...hparamNames()).chain((name): fc.Arbitrary<Change> => {
      const spec = HPARAMS[name];
      if (spec.kind === 'word')
        return fc.constantFrom<string>(...spec.words).map((word): Change => [name, word]);
      const { least, most } = spec;
      const numbers =
        spec.kind === 'whole'
          ? fc.integer({ min: least, max: Math.min(most, 2 ** 31 - 1) })
          : fc.double({ min: least, max: most, noNaN: true });
      return numbers.map((number): Change => [name, number === 0 ? 0 : number]);
    });
    fc.assert(
      fc.property(fc.array(value), (changes) => {
        const text = changes.map(([name, value]) => `${name}=${value}`).join();
        expect(parseHparams(hparams(), text)).toEqual(hparams(Object.fromEntries(changes)));
      }),
    );
  });

  test('throws nothing but an error that a person can mend, whatever the text', () => {
    const piece = fc.oneof(
      fc.constantFrom(...hparamNames(), '=', ',', '1', '-', 'e9', '__proto__'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          parseHparams(hparams(), pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });
});

describe('the sets', () => {
  test('are of a base, a small and a tiny one for each model', () => {
    for (const name of modelNames())
      expect(hparamsSetNames(name)).toEqual(
        expect.arrayContaining([`${name}_base`, `${name}_small`, `${name}_tiny`]),
      );
  });

  test('have one for each Problem that can be trained, of a model that there is', () => {
    const evaluated = ['lfw', 'eeg_sleep_stages_telemetry'];
    for (const problem of problemNames().filter((name) => !evaluated.includes(name))) {
      const set = hparamsSetFor(problem);
      expect(set, problem).toBeDefined();
      expect(set!.name).toBe(`${set!.model}_${problem}`);
      expect(model(set!.model).name).toBe(set!.model);
    }
  });

  test('begin with what the papers say', () => {
    expect(hparamsSet('triplet_mobilenet_fec').hparams).toMatchObject({
      embedding_size: 16,
      loss: 'fec_hinges',
      margin: 0.2,
      margin_one_class: 0.1,
    });
    expect(hparamsSet('eegnet_base').hparams).toMatchObject({
      temporal_filters: 8,
      spatial_multiplier: 2,
      temporal_kernel: 64,
    });
  });

  test('suggest a near name, and take none twice', () => {
    expect(() => hparamsSet('triplet_mobilenet_fek')).toThrow('did you mean triplet_mobilenet_fec');
    expect(() => registerHparamsSet({ model: 'eegnet', word: 'base', changes: {} })).toThrow('two sets');
  });
});
