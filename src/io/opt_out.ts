/** `X-Robots-Tag`: whether a host asks that a file is not used by robots or for machine learning. */

/** Our product token (RFC 9309, 2.2.1), by which `robots.txt` and `X-Robots-Tag` may address us. */
export const PRODUCT_TOKEN = 't2t-ts';

/**
 * Directives that we obey: `noindex`, `none` (noindex and nofollow) and `noimageindex` are Google's, `noai` and
 * `noimageai` the ones that sites for pictures have brought in against machine learning.
 */
const OPT_OUTS: ReadonlySet<string> = new Set(['noai', 'noimageai', 'noindex', 'noimageindex', 'none']);

/** Directives that have a value behind a colon, so that what stands before it is no robot's name. */
const WITH_VALUE: ReadonlySet<string> = new Set([
  'unavailable_after',
  'max-snippet',
  'max-image-preview',
  'max-video-preview',
]);

/**
 * The directive by which a response's `X-Robots-Tag` headers opt out, undefined where none does. A line may be for one
 * robot (`otherbot: noindex`): it concerns us where the name is ours.
 */
export function optOutDirective(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  for (const line of typeof header === 'string' ? [header] : header) {
    let concernsUs = true;
    for (const token of line.toLowerCase().split(',')) {
      const [, name, rest] = /^\s*([^:\s]+)\s*:\s*(.*)$/.exec(token) ?? [];
      const isScoped = name !== undefined && !WITH_VALUE.has(name);
      if (isScoped) concernsUs = name === PRODUCT_TOKEN || name === '*';
      const directive = (isScoped ? (rest ?? '') : token).trim();
      if (concernsUs && OPT_OUTS.has(directive)) return directive;
    }
  }
  return undefined;
}
