/** What features mean, by the names that our Problems share: for tables, schemas and other frameworks' metadata. */

import type { FeatureMeanings } from '../io/feature_table.js';
import type { Problem } from './problem.js';
import { problemNames } from './registry.js';

/**
 * A sentence for each feature whose name is one of those that Problems share; a Problem of one's own may have others, which
 * are left out. Of a Problem that is not registered nothing is said: what others call `image` may be anything.
 */
export function featureMeanings({ name, features }: Pick<Problem, 'name' | 'features'>): FeatureMeanings {
  if (!problemNames().includes(name)) return new Map();
  return new Map(
    Object.entries(features).flatMap(([feature, { shape }]): [string, string][] => {
      const [, meaning] = MEANINGS.find(([pattern]) => pattern.test(feature)) ?? [];
      const sentence = typeof meaning === 'function' ? meaning(Object.keys(features), shape.length) : meaning;
      return sentence === undefined ? [] : [[feature, sentence]];
    }),
  );
}

type Meaning = string | ((names: readonly string[], rank: number) => string);

const PIXELS = 'in pixels of the upright photograph';

const MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [/^key$/, 'Which row of the source it was made from; unique in its split'],
  // Of faces: faceFeatures() and the Problems beside it.
  [/^image(\/[abc])?$/, 'The face, cut out of its photograph'],
  [/^image(\/[abc])?\/sha256$/, 'SHA-256 of the photograph’s file'],
  [
    /^image(\/[abc])?\/phash$/,
    'Perceptual hash of the photograph: the same, or nearly, for pictures that look alike',
  ],
  [/^image(\/[abc])?\/face\/box$/, `The face that was found: left, top, width and height ${PIXELS}`],
  [
    /^image(\/[abc])?\/face\/landmarks$/,
    `x and y of both eyes, the nose and both corners of the mouth, left as seen, ${PIXELS}`,
  ],
  [/^image(\/[abc])?\/face\/score$/, 'How sure the detector is, 0 to 1'],
  [
    /^image(\/[abc])?\/face\/matrix$/,
    'From pixels of the upright photograph to pixels of the crop: 2 × 3 numbers, row after row',
  ],
  [/^image(\/[abc])?\/face\/pose$/, 'Roll, yaw and pitch of the head in degrees'],
  [/^image(\/[abc])?\/face\/template$/, 'What the face was aligned to'],
  [/^image(\/[abc])?\/face\/detector$/, 'What found the face'],
  [/^image(\/[abc])?\/url$/, 'Where the dataset says that the photograph is'],
  [
    /^image(\/[abc])?\/box$/,
    'The dataset’s own box: left, top, right and bottom as fractions of the photograph',
  ],
  [/^image(\/[abc])?\/path$/, 'The photograph’s name in the dataset'],
  [/^image(\/[abc])?\/identity$/, 'Whose face it is'],
  [/^image(\/[abc])?\/gender$/, 'The person’s sex as the dataset has it; empty where it says nothing'],
  // Of triplets of expressions.
  [/^triplet_code$/, 'Which face is the odd one out for most annotators: 1 for a, 2 for b, 3 for c'],
  [/^type$/, 'How many classes of expression the triplet is made of'],
  [/^rating\/all$/, 'The odd one out for each annotator, 1 to 3'],
  [/^rating\/annotator$/, 'Numbers of the annotators, in the order of rating/all'],
  [/^rating\/mean$/, 'Mean of rating/all'],
  [/^rating\/mode$/, 'The odd one out that most annotators name'],
  [/^fold$/, 'Which tenth of the cross-validation it belongs to, from 1'],
  // Of recordings: eegFeatures() and the Problems beside it.
  [/^eeg\/(raw|[abc])$/, 'Channels × samples, in microvolts unless standardised'],
  [/^eeg\/channels$/, 'Names of the channels in the 10-10 system, pairs as Fpz-Cz'],
  [
    /^eeg\/positions$/,
    'x (right ear), y (nose) and z (top) of each channel on the unit sphere; zeros where the place is not known',
  ],
  [/^eeg\/sampling_rate$/, 'Samples a second'],
  [/^body\/raw$/, 'Channels × samples of the body, in the files’ own units'],
  [/^body\/channels$/, 'Names of the channels of the body'],
  [/^(eeg\/[abc]\/)?subject$/, 'Who was recorded'],
  [/^(eeg\/[abc]\/)?recording$/, 'Which recording it was cut from'],
  [/^(eeg\/[abc]\/)?onset$/, 'Where it begins, in seconds'],
  [/^(eeg\/[abc]\/)?label$/, 'The name of its class; empty where there is none'],
  [/^trial$/, 'The video’s number, from 1'],
  [/^(valence|arousal|dominance|liking)$/, 'The person’s own rating, 1 to 9'],
  [/^targets$/, targetsMeaning],
];

/** What is to be learned: a number, or one for each of several questions, whose sense the features beside it give. */
function targetsMeaning(names: readonly string[], rank: number): string {
  const has = (name: string): boolean => names.includes(name);
  if (rank > 0 && has('valence'))
    return '1 where valence, arousal, dominance and liking (in this order) are high, else 0';
  if (has('image/c') || has('eeg/c'))
    return 'Which of the three is the odd one out: 1 for a, 2 for b, 3 for c';
  if (has('image/a') && has('image/b')) return '1 for the same person, 0 for two';
  return 'Number of the class, from 0';
}
