/** Names asked once a minute: the system's resolver answers two at a time, and a site's connections all ask the same. */

import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** Long enough for the connections of a burst, short enough that a site may move. */
const KEPT_MS = 60_000;

const MAX_NAMES = 10_000;

interface Answer {
  readonly atMs: number;
  readonly addresses: Promise<readonly LookupAddress[] | NodeJS.ErrnoException>;
}

/** The system's resolver with a memory, for failures too. It is not troubled with names that never resolve. */
export function cachedSystemLookup(): LookupFunction {
  const answers = new Map<string, Answer>();
  return (hostname, { all }, callback) => {
    const nowMs = performance.now();
    let answer = answers.get(hostname);
    if (answer === undefined || nowMs - answer.atMs > KEPT_MS) {
      answer = { atMs: nowMs, addresses: resolve(hostname) };
      answers.delete(hostname);
      answers.set(hostname, answer);
      const oldest = answers.keys().next().value;
      if (answers.size > MAX_NAMES && oldest !== undefined) answers.delete(oldest);
    }
    void answer.addresses.then((found) => {
      // A resolver that had a bad moment is asked again by the next attempt; a name that does not exist is not.
      if (found instanceof Error && found.code !== 'ENOTFOUND') answers.delete(hostname);
      if (found instanceof Error) callback(found, all === true ? [] : '');
      else if (all === true) callback(null, [...found]);
      else callback(null, found[0]?.address ?? '', found[0]?.family);
    });
  };
}

function resolve(hostname: string): Answer['addresses'] {
  return new Promise((done) => {
    // RFC 6761, 6.4: no resolver need be asked.
    if (/(?:^|\.)invalid\.?$/i.test(hostname))
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }));
    else systemLookup(hostname, { all: true }, (error, found) => done(error ?? found));
  });
}
