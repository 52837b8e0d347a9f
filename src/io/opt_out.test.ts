import { describe, expect, it } from 'vitest';
import { optOutDirective } from './opt_out.js';

describe('optOutDirective', () => {
  it('finds what is meant for everybody or for us', () => {
    const found: [string | string[], string | undefined][] = [
      ['noai', 'noai'],
      ['nofollow, NoImageAI', 'noimageai'],
      ['none', 'none'],
      ['t2t-ts: noindex', 'noindex'],
      ['otherbot: noai', undefined],
      ['otherbot: nofollow, t2t-ts: noai', 'noai'],
      [['otherbot: noindex', 'noimageindex'], 'noimageindex'],
      ['unavailable_after: 25 Jun 2030 15:00:00 PST, noindex', 'noindex'],
      ['max-image-preview: none', undefined],
      ['nofollow, noarchive', undefined],
      ['noaimless', undefined],
      ['', undefined],
    ];
    for (const [header, directive] of found)
      expect([header, optOutDirective(header)]).toEqual([header, directive]);
    expect(optOutDirective(undefined)).toBeUndefined();
  });
});
