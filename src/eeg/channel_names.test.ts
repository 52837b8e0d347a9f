import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalChannel, electrodesOf, pickChannels } from './channel_names.js';
import { channelPosition, electrodeNames } from './montage.js';
import { SignalError } from './signal_error.js';

test.each([
  ['EEG Fpz-Cz', 'Fpz-Cz'],
  ['Fc5.', 'FC5'],
  ['C3..', 'C3'],
  ['Af7.', 'AF7'],
  ['T9..', 'T9'],
  ['EEG T3-REF', 'T7'],
  ['EEG T4-LE', 'T8'],
  ['T5', 'P7'],
  ['t6', 'P8'],
  ['FP1-F7', 'Fp1-F7'],
  ['T3-T5', 'T7-P7'],
  ['T8-P8-0', 'T8-P8'],
  ['EEG C3-A2', 'C3-A2'],
  ['EEG F3 - A2', 'F3-A2'],
  ['FP1', 'Fp1'],
  ['fpz', 'Fpz'],
  [' CZ ', 'Cz'],
  ['EEG OZ-Ref', 'Oz'],
  ['Po10', 'PO10'],
  ['Iz', 'Iz'],
  ['m1', 'M1'],
])('%s is the channel %s', (label, name) => {
  expect(canonicalChannel(label)).toBe(name);
});

test.each([
  'EOG horizontal',
  'Status',
  'EMG submental',
  'EEG 001',
  'A32',
  '-',
  '.',
  'LOC-ROC',
  'C3-CS2',
  'Right AUX',
  'T1-T2-T3',
])('%s is in neither system and stays as it is', (label) => {
  expect(canonicalChannel(label)).toBe(label);
  expect(electrodesOf(canonicalChannel(label))).toEqual([]);
});

test('a name that is canonical already stays, however it is written', () => {
  const name = fc.oneof(
    fc.constantFrom(...electrodeNames()),
    fc
      .tuple(fc.constantFrom(...electrodeNames()), fc.constantFrom(...electrodeNames()))
      .map((pair) => pair.join('-')),
  );
  const spelling = fc.constantFrom(
    (text: string) => text,
    (text: string) => text.toUpperCase(),
    (text: string) => text.toLowerCase(),
    (text: string) => `EEG ${text}`,
    (text: string) => `${text}..`,
  );
  fc.assert(
    fc.property(name, spelling, (channel, spell) => {
      expect(canonicalChannel(spell(channel))).toBe(channel);
    }),
  );
});

test('making a name canonical twice changes nothing more', () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^(EEG )?[A-Za-z]{1,2}[z0-9]{1,2}(-[A-Za-z0-9]{1,3}){0,2}\.{0,3}$/),
  );
  fc.assert(
    fc.property(text, (label) => {
      const once = canonicalChannel(label);
      expect(canonicalChannel(once)).toBe(once);
    }),
    { numRuns: 2000 },
  );
});

test('channels are picked in the order wanted, by any of their names', () => {
  const labels = ['Fc5.', 'C3..', 'Cz..', 'C4..', 'T7..', 'EOG left'];
  expect(pickChannels(labels, ['C4', 'T3', 'FC5', 'eog LEFT', 'C3..'])).toEqual([3, 4, 0, 5, 1]);
});

test('a label that is meant exactly comes before one that only means the same', () => {
  expect(pickChannels(['T7', 'T3'], ['T3', 'T7'])).toEqual([1, 0]);
});

test('of two channels of the same name the first is picked', () => {
  expect(pickChannels(['T8-P8', 'Fz', 'T8-P8'], ['T8-P8'])).toEqual([0]);
});

test('all missing channels are named in one error, with those that are there', () => {
  const pick = () => pickChannels(['C3..', 'EOG'], ['C3', 'Cz', 'Pz'], { where: 'S001R03.edf' });
  expect(pick).toThrow(SignalError);
  expect(pick).toThrow('no channels Cz, Pz; there are C3, EOG (S001R03.edf): pick');
  expect(() => pickChannels([], ['Cz'])).toThrow('no channel Cz; none are there');
});

test('every electrode of the 10-20 system has a place under its new name', () => {
  const twenty = 'Fp1 Fp2 F7 F3 Fz F4 F8 T3 C3 Cz C4 T4 T5 P3 Pz P4 T6 O1 O2'.split(' ');
  for (const label of twenty) expect(channelPosition(canonicalChannel(label))).toBeDefined();
});
