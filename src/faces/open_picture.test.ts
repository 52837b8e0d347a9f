/** What is opened as a picture, and what is refused before a decoder sees it. */

import sharp from 'sharp';
import { expect, test } from 'vitest';
import { lookAt } from './open_picture.js';

const MAX_PIXELS = 1_000_000;

test('drawings in SVG are no photographs: a decoder would draw them, at any cost', async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="80"><rect width="9" height="9"/></svg>';
  for (const text of [svg, `<?xml version="1.0"?>${svg}`, `\n ${svg}`])
    expect(await lookAt(Buffer.from(text), MAX_PIXELS)).toMatchObject({ failure: 'not-an-image' });
});

test('photographs of every usual format are looked at', async () => {
  const drawn = sharp({ create: { width: 100, height: 80, channels: 3, background: '#886644' } });
  for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
    const picture = await drawn.clone().toFormat(format).toBuffer();
    expect(await lookAt(picture, MAX_PIXELS), format).toMatchObject({ width: 100, height: 80 });
  }
});
