/** `Retry-After`: how long a host asks us to stay away. */

/**
 * Milliseconds to wait, from a `Retry-After` header in either of its forms (RFC 9110, 10.2.3): seconds or an HTTP date.
 * A date in the past gives 0; anything else undefined.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, Number.MAX_SAFE_INTEGER);
  // Date.parse is lenient with numbers and words; a date of HTTP begins with the day of the week.
  if (!/^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? /i.test(text)) return undefined;
  // The oldest of its three forms (asctime) names no zone and means GMT; Date.parse would take it as local time.
  const atMs = Date.parse(/(?:GMT|UTC)$/i.test(text) ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
