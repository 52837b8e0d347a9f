/** How Flickr's static addresses behave: one photograph, many addresses, and a picture that stands for “gone”. */

import type { UrlAlternative } from '../../io/fetch_urls.js';

/**
 * The parts of a static Flickr address, e.g. `http://farm5.staticflickr.com/4108/5185055338_0a3b6f3014_b.jpg`:
 * server, photograph id, secret and size suffix (Flickr's “Photo Image URLs” page lists the suffixes). Originals (`_o`)
 * have a secret of their own, so no other size can be derived from them.
 */
interface FlickrAddress {
  readonly server: string;
  readonly photo: string;
  readonly secret: string;
  readonly size: string;
  readonly extension: string;
}

const STATIC_ADDRESS =
  /^https?:\/\/(?:farm\d+\.|live\.|c\d+\.)?static\.?flickr\.com\/(?:\d+\/)?(\d+)\/(\d+)_([0-9a-f]+)(?:_([a-z0-9]+))?\.(jpg|png|gif)$/i;

/** Sizes to try, best first: 1024, 800, 640, 500 (no suffix) and 1600 pixels on the longer side. */
const SIZES = ['b', 'c', 'z', '', 'h'] as const;

/**
 * Other addresses of the same photograph: the present host name first with the same size, then in other sizes. Boxes
 * are fractions, so any size serves. Empty for addresses that are not static Flickr ones.
 */
export function flickrAlternatives(url: string): readonly UrlAlternative[] {
  const address = parseStaticAddress(url);
  if (address === undefined) return [];
  const sizes =
    address.size === 'o' ? ['o'] : [address.size, ...SIZES.filter((size) => size !== address.size)];
  return sizes
    .map((size) => ({
      rule: size === address.size ? 'flickr-live-host' : `flickr-size-${size === '' ? '500' : size}`,
      url: `https://live.staticflickr.com/${address.server}/${address.photo}_${address.secret}${size === '' ? '' : `_${size}`}.${address.extension}`,
    }))
    .filter((alternative) => alternative.url !== url);
}

/**
 * What makes two addresses the same photograph: for Flickr the photograph's id, whatever host name and size; else the
 * address itself without its scheme.
 */
export function photographId(url: string): string {
  const address = parseStaticAddress(url);
  return address === undefined ? url.replace(/^https?:\/\//i, '') : `flickr:${address.photo}`;
}

/** Flickr redirects a deleted photograph to `…/photo_unavailable….png` or `.gif`. */
export function isFlickrPlaceholder(finalUrl: string): boolean {
  return /\/photo_unavailable[^/]*\.(?:png|gif|jpg)$/i.test(finalUrl.replace(/[?#].*$/, ''));
}

function parseStaticAddress(url: string): FlickrAddress | undefined {
  const match = STATIC_ADDRESS.exec(url);
  if (match === null) return undefined;
  const [, server, photo, secret, size, extension] = match;
  return {
    server: server as string,
    photo: photo as string,
    secret: secret as string,
    size: size ?? '',
    extension: extension as string,
  };
}
