/** The error of a file that the network did not give, for callers that can go on without it. */

import { UserError } from './errors.js';
import type { FetchFailure } from './fetch_outcome.js';

/** A file could not be had; one that came and is not the one expected is a plain `UserError`. */
export class DownloadFailure extends UserError {
  readonly failure: FetchFailure;

  constructor(failure: FetchFailure, details: { readonly where: string; readonly remedy: string }) {
    super(`the file can’t be downloaded: ${failure.detail}`, details);
    this.failure = failure;
  }
}
