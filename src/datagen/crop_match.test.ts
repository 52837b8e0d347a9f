import { expect, test } from 'vitest';
import { cropMismatch } from './crop_match.js';

const BY_BOX = { align: 'none', margin: 0.15, size: 128 };
const ALIGNED = { align: 'arcface112', margin: 0.15, size: 112 };

test('crops of another template than a model was trained on are told, with the way out', () => {
  const sentence = cropMismatch(
    { problem: 'vggface2', options: ALIGNED },
    { problem: 'lfw', options: BY_BOX },
  );
  expect(sentence).toBe(
    'crops of lfw are cut by box with margin 0.15 at 128 pixels, those of vggface2 arcface112 at 112 pixels: a model trained on vggface2 needs them cut alike (--option align=arcface112 --option size=112)',
  );
  expect(cropMismatch({ problem: 'fec', options: BY_BOX }, { problem: 'lfw', options: ALIGNED })).toContain(
    'align=none',
  );
});

test('the same cut is no matter for a warning, whatever the margin of aligned crops and other options', () => {
  const other = { ...ALIGNED, margin: 0.5, quality: 80 };
  expect(cropMismatch({ problem: 'a', options: ALIGNED }, { problem: 'b', options: other })).toBeUndefined();
  expect(cropMismatch({ problem: 'a', options: ALIGNED }, { problem: 'eeg', options: {} })).toBeUndefined();
  expect(
    cropMismatch({ problem: 'a', options: { ...ALIGNED, size: 224 } }, { problem: 'b', options: ALIGNED }),
  ).toContain('arcface112 at 224 pixels');
});
