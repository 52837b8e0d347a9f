/** Why an example could not be made: the closed list of reasons, each with a sentence for the person who reads the report. */

import type { FetchFailureKind } from '../io/fetch_outcome.js';

/** Every reason with what it means. A reason is counted, kept in the shard's ledger and shown, never dropped. */
export const REJECTION_REASONS = {
  'dead-url': 'The address no longer holds the picture (404, 410, or the site’s own “unavailable” picture).',
  'dns-failure': 'The host name does not resolve any more.',
  throttled: 'The site asked us to slow down (429) until our attempts ran out.',
  'server-error': 'The site answered with an error of its own (5xx) until our attempts ran out.',
  'http-error': 'The site refused the request (401, 403 or another 4xx).',
  timeout: 'The site took too long to connect, to answer or to send.',
  'connection-failed': 'The connection was refused, reset or not secure.',
  truncated: 'The transfer ended before, or went on past, the length that was announced.',
  'not-an-image': 'What arrived is not a picture: a web page, an empty body, an unknown format.',
  'opt-out': 'The host asks not to be used for machine learning or for robots; we obey.',
  'forbidden-address': 'The address leads into a private, loopback or link-local network.',
  'too-many-redirects': 'The address redirects in a loop or too often.',
  'too-large': 'The file is larger than the limit.',
  'bad-url': 'The address is not a valid http or https address.',
  struck: 'Struck by `t2t-ts forget`: never used again.',
  'undecodable-image': 'The picture is cut off or damaged.',
  'image-too-large': 'The picture has more pixels than the limit.',
  'face-too-small': 'The face’s box covers too few pixels.',
  'bad-box': 'The face’s box is empty or lies outside the picture.',
  'no-face': 'No face was found in the picture, or where the box says that one is.',
  'face-mismatch': 'A face was found, but its box overlaps too little with the one that the dataset gives.',
  'bad-landmarks': 'The points that the dataset gives are no face’s, or lie outside the picture or the box.',
  blurred: 'The face is less sharp than the limit.',
  'under-exposed': 'The face is darker than the limit.',
  'over-exposed': 'The face is brighter than the limit.',
  rolled: 'The head leans to a shoulder by more than the limit.',
  turned: 'The head is turned to a side by more than the limit.',
  tilted: 'The head looks up or down by more than the limit.',
  'wrong-sampling-rate': 'The recording’s sampling rate is not the corpus’s.',
  'trial-timing': 'The recording is known for trials of wrong number or length.',
  'missing-channels': 'The recording lacks channels that the Problem needs.',
  'uncertain-label': 'Nobody knows for certain what happened in this stretch of the recording.',
  'outside-recording': 'The window begins before, ends after or spans a gap of the recording.',
  'unreadable-recording': 'The recording is damaged or does not follow its format.',
  'missing-file': 'The file is not (or no longer) in the folder or archive that was given.',
  'malformed-row': 'The row of the metadata file does not follow its format.',
  'low-agreement': 'Too few annotators agree.',
  'in-test-split': 'The row shares a source image with the official test set, so it is kept out of training.',
  'in-dev-split': 'The row has images on both sides of the cut between train and dev.',
  'unreadable-file':
    'The file is there but can’t be read: its archive or disk is damaged. Asked again by every run.',
} as const;

export type RejectionReason = keyof typeof REJECTION_REASONS;

/** An example that could not be made. `detail` says what exactly, e.g. `HTTP 404 at http://…`. */
export interface Rejection {
  readonly rejected: RejectionReason;
  readonly detail?: string;
}

/** Says that an example can't be made. @example `return reject('low-agreement', '3 of 6 annotators agree')` */
export function reject(reason: RejectionReason, detail?: string): Rejection {
  return detail === undefined ? { rejected: reason } : { rejected: reason, detail };
}

/** True for what `reject()` returns. */
export function isRejection(value: object): value is Rejection {
  return 'rejected' in value && typeof value.rejected === 'string' && value.rejected in REJECTION_REASONS;
}

/** The rejection reason of each way in which a URL can fail. */
export const REASON_OF_FETCH_FAILURE: Readonly<Record<FetchFailureKind, RejectionReason>> = {
  dead: 'dead-url',
  dns: 'dns-failure',
  throttled: 'throttled',
  'server-error': 'server-error',
  'http-error': 'http-error',
  timeout: 'timeout',
  connection: 'connection-failed',
  truncated: 'truncated',
  'wrong-content': 'not-an-image',
  'opt-out': 'opt-out',
  'forbidden-address': 'forbidden-address',
  redirects: 'too-many-redirects',
  'too-large': 'too-large',
  'bad-url': 'bad-url',
  struck: 'struck',
};
