/** What HTTP says of parts of a file and of its versions: `Content-Range`, and the validators that `If-Range` may hold. */

import type { ResponseHead } from './http_client.js';
import type { Validator } from './partial_file.js';

/** A part of a file, in bytes; `end` is not included. `total` is unknown where the server says `*`. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly total: number | undefined;
}

/** `bytes 200-999/1000` or with `*` for an unknown total (RFC 9110, 14.4); undefined for anything else. */
export function parseContentRange(value: string | undefined): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(value ?? '');
  if (match === null) return undefined;
  const total = match[3] === '*' ? undefined : Number(match[3]);
  const [start, last] = [Number(match[1]), Number(match[2])];
  return start <= last && (total === undefined || last < total) ? { start, end: last + 1, total } : undefined;
}

/** A strong ETag, else the date: a weak ETag may stay the same while bytes change (RFC 9110, 8.8.1). */
export function validatorOf({ headers }: ResponseHead): Validator | undefined {
  const { etag } = headers;
  if (etag !== undefined && /^"[^"]*"$/.test(etag)) return { etag };
  const lastModified = headers['last-modified'];
  return lastModified === undefined ? undefined : { lastModified };
}

/** A part may leave the validator out, but not contradict it. */
export function isSameVersion({ headers }: ResponseHead, validator: Validator): boolean {
  if ('etag' in validator) return headers.etag === undefined || headers.etag === validator.etag;
  return headers['last-modified'] === undefined || headers['last-modified'] === validator.lastModified;
}

/** Asks for `[start, end)` of the version that is known, or of any where none is; to the file's end where `end` is absent. */
export function rangeHeaders(
  { start, end }: { readonly start: number; readonly end?: number },
  validator: Validator | undefined,
): Record<string, string> {
  const range = `bytes=${start}-${end === undefined ? '' : end - 1}`;
  if (validator === undefined) return { range };
  return { range, 'if-range': 'etag' in validator ? validator.etag : validator.lastModified };
}
