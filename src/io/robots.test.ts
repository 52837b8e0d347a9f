import { describe, expect, it } from 'vitest';
import { parseRobots } from './robots.js';

const ROBOTS_URL = 'https://photos.example/robots.txt';

/** True where we may ask for the path. */
function mayAsk(robots: string, path: string): boolean {
  return parseRobots(ROBOTS_URL, robots).refusal(new URL(path, ROBOTS_URL)) === undefined;
}

describe('parseRobots', () => {
  it('obeys the group for us alone where there is one, else the one for everybody', () => {
    const both = 'User-agent: *\nDisallow: /\n\nUser-agent: T2T-TS\nDisallow: /private\n';
    expect([mayAsk(both, '/a.jpg'), mayAsk(both, '/private/a.jpg')]).toEqual([true, false]);
    const others = 'User-agent: otherbot\nDisallow: /\n';
    expect(mayAsk(others, '/a.jpg')).toBe(true);
    expect(mayAsk('User-agent: *\nDisallow: /*.jpg$\nAllow: /free/\n', '/a.jpg')).toBe(false);
    expect(mayAsk('User-agent: *\nDisallow: /\nAllow: /free/\n', '/free/a.jpg')).toBe(true);
  });

  it('gives the pace in milliseconds, 0 where there is none or it is nonsense', () => {
    const pace = (line: string): number => parseRobots(ROBOTS_URL, `User-agent: *\n${line}\n`).crawlDelayMs;
    expect(['Crawl-delay: 2.5', 'Crawl-delay: -1', 'Crawl-delay: soon', ''].map(pace)).toEqual([
      2500, 0, 0, 0,
    ]);
  });

  it('allows all where the file is a web page, empty or binary', () => {
    for (const text of ['', '<!DOCTYPE html><p>Disallow: /', '\0\u0001\ufffd:\n:\n'])
      expect(mayAsk(text, '/a.jpg')).toBe(true);
  });
});
