import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sharedData } from '../../../fixtures/shared_data.js';
import { flickrAlternatives, isFlickrPlaceholder, photographId } from './flickr.js';

const FARM = 'http://farm5.staticflickr.com/4108/5185055338_0a3b6f3014_b.jpg';

test('a photograph is looked for under its present host name first, then in other sizes', () => {
  expect(flickrAlternatives(FARM)).toEqual([
    { rule: 'flickr-live-host', url: 'https://live.staticflickr.com/4108/5185055338_0a3b6f3014_b.jpg' },
    { rule: 'flickr-size-c', url: 'https://live.staticflickr.com/4108/5185055338_0a3b6f3014_c.jpg' },
    { rule: 'flickr-size-z', url: 'https://live.staticflickr.com/4108/5185055338_0a3b6f3014_z.jpg' },
    { rule: 'flickr-size-500', url: 'https://live.staticflickr.com/4108/5185055338_0a3b6f3014.jpg' },
    { rule: 'flickr-size-h', url: 'https://live.staticflickr.com/4108/5185055338_0a3b6f3014_h.jpg' },
  ]);
});

test('an address is never an alternative to itself, and other sites have none', () => {
  const live = 'https://live.staticflickr.com/4108/5185055338_0a3b6f3014_b.jpg';
  expect(flickrAlternatives(live).map(({ url }) => url)).not.toContain(live);
  expect(flickrAlternatives('http://example.test/4108/5185055338_0a3b6f3014_b.jpg')).toEqual([]);
  expect(
    flickrAlternatives('http://farm5.staticflickr.com.evil.test/4108/5185055338_0a3b6f3014_b.jpg'),
  ).toEqual([]);
});

test('an original has no other size, since its secret is its own', () => {
  const original = 'https://farm5.staticflickr.com/3635/3406072665_122ee126ef_o.jpg';
  expect(flickrAlternatives(original)).toEqual([
    { rule: 'flickr-live-host', url: 'https://live.staticflickr.com/3635/3406072665_122ee126ef_o.jpg' },
  ]);
});

test('one photograph under several hosts and sizes has one id', () => {
  expect(photographId(FARM)).toBe('flickr:5185055338');
  for (const { url } of flickrAlternatives(FARM)) expect(photographId(url)).toBe('flickr:5185055338');
  expect(photographId('http://a.test/x.jpg')).toBe(photographId('https://a.test/x.jpg'));
});

test('the picture that stands for a deleted photograph is known', () => {
  expect(isFlickrPlaceholder('https://s.yimg.com/pw/images/en-us/photo_unavailable.png')).toBe(true);
  expect(isFlickrPlaceholder('https://combo.staticflickr.com/pw/images/photo_unavailable_l.png?x=1')).toBe(
    true,
  );
  expect(isFlickrPlaceholder(FARM)).toBe(false);
});

const list = sharedData('fec', 'train_no_find.txt');
test.skipIf(list === undefined)('every real Flickr address of FEC is understood [needs shared data]', () => {
  const urls = [
    ...new Set(
      readFileSync(list as string, 'utf8')
        .trim()
        .split('\n'),
    ),
  ];
  const strange = urls.filter((url) => url.includes('flickr') && flickrAlternatives(url).length === 0);
  expect(urls.length).toBe(2391);
  expect(strange).toEqual([]);
});
