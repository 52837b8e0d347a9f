/** A photograph with the boxes and points of its faces drawn in, and the crops of each below it: one PNG to look at. */

import sharp from 'sharp';
import type { PictureWindow } from '../faces/decode_window.js';
import { pointInWindow } from '../faces/decode_window.js';
import { type Face, LANDMARK_NAMES, type RgbImage } from '../faces/face.js';
import { escapeHtml } from './html_text.js';

/** A face with its crop, as `t2t-ts faces` shows it. */
export interface ShownFace {
  readonly face: Face;
  readonly crop: RgbImage;
}

/** Wider photographs are shown smaller, so that the page of a screen holds them. */
const SHOWN_WIDTH = 960;
const CROP_GAP = 8;
const CAPTION_HEIGHT = 18;

/** The PNG. Faces are numbered in the order given. */
export async function facePicture(window: PictureWindow, faces: readonly ShownFace[]): Promise<Uint8Array> {
  const { image } = window;
  const scale = Math.min(1, SHOWN_WIDTH / image.width);
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const photograph = await sharp(image.data, {
    raw: { width: image.width, height: image.height, channels: 3 },
  })
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer();
  const drawn = overlay(window, faces, scale, width, height);
  const strip = placeCrops(
    faces.map(({ crop }) => crop),
    width,
  );
  return sharp({ create: { width, height: height + strip.height, channels: 3, background: '#ffffff' } })
    .composite([
      { input: photograph, raw: { width, height, channels: 3 }, left: 0, top: 0 },
      { input: Buffer.from(drawn), left: 0, top: 0 },
      ...strip.places.flatMap(({ crop, left, top, number }) => [
        {
          input: Buffer.from(crop.data),
          raw: { width: crop.width, height: crop.height, channels: 3 as const },
          left,
          top: height + top,
        },
        { input: Buffer.from(caption(`${number}`, crop.width)), left, top: height + top + crop.height },
      ]),
    ])
    .png()
    .toBuffer();
}

function overlay(
  window: PictureWindow,
  faces: readonly ShownFace[],
  scale: number,
  width: number,
  height: number,
): string {
  // Line widths follow the picture, so that they are seen in any.
  const line = Math.max(1.5, width / 400);
  const marks = faces.map(({ face }, i) => {
    const { box } = face;
    const factor = window.scale * scale;
    // A box is by edges, not by centres of pixels as points are.
    const x = (box.left - window.left) * factor;
    const y = (box.top - window.top) * factor;
    const points = LANDMARK_NAMES.map((name) => {
      const point = pointInWindow(face.landmarks[name], window);
      return `<circle cx="${(point.x + 0.5) * scale}" cy="${(point.y + 0.5) * scale}" r="${line * 1.3}" fill="#ffd400" stroke="#000000" stroke-width="${line / 3}"/>`;
    });
    const label = `${i + 1} · ${face.score.toFixed(2)}`;
    return [
      `<rect x="${x}" y="${y}" width="${box.width * factor}" height="${box.height * factor}" fill="none" stroke="#00e07f" stroke-width="${line}"/>`,
      `<text x="${x}" y="${Math.max(14, y - 4)}" font-family="sans-serif" font-size="14" fill="#00e07f" stroke="#003319" stroke-width="3" paint-order="stroke">${escapeHtml(label)}</text>`,
      ...points,
    ].join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${marks.join('')}</svg>`;
}

function caption(text: string, width: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${CAPTION_HEIGHT}"><text x="${width / 2}" y="13" text-anchor="middle" font-family="sans-serif" font-size="12">${escapeHtml(text)}</text></svg>`;
}

/** Crops in rows of the given width. */
function placeCrops(crops: readonly RgbImage[], width: number) {
  const places: { crop: RgbImage; left: number; top: number; number: number }[] = [];
  let left = 0;
  let top = CROP_GAP;
  let rowHeight = 0;
  for (const [i, crop] of crops.entries()) {
    // A crop that is wider than a small photograph is left out of the picture, not out of the JSON.
    if (crop.width > width) continue;
    if (left + crop.width > width) {
      left = 0;
      top += rowHeight;
      rowHeight = 0;
    }
    places.push({ crop, left, top, number: i + 1 });
    left += crop.width + CROP_GAP;
    rowHeight = Math.max(rowHeight, crop.height + CAPTION_HEIGHT + CROP_GAP);
  }
  return { places, height: places.length === 0 ? 0 : top + rowHeight };
}
