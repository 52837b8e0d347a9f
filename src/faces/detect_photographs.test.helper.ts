/** Reads the photographs that detection is measured on, and dlib's annotations of some of them. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decodeWindow, wholeWindow } from './decode_window.js';
import type { Landmarks, PixelBox, Point, RgbImage } from './face.js';
import { lookAt } from './open_picture.js';

/** Files of pictures below a folder, sorted. */
export function picturesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(jpg|png)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** An upright picture's pixels. */
export async function readPicture(path: string): Promise<RgbImage> {
  const bytes = readFileSync(path);
  const look = await lookAt(bytes, 50_000_000);
  if ('failure' in look) throw new Error(`${path}: ${look.detail}`);
  const limits = { maxPixels: 50_000_000, maxWindowPixels: 50_000_000 };
  const window = await decodeWindow(bytes, look, wholeWindow(look), limits);
  if ('failure' in window) throw new Error(`${path}: ${window.detail}`);
  return window.image;
}

export interface AnnotatedPicture {
  readonly path: string;
  readonly faces: readonly { readonly box: PixelBox; readonly landmarks: Landmarks }[];
}

/** dlib's XML: boxes by left, top, width and height, and 68 points a face by the numbering of iBUG's 300-W. */
export function readAnnotations(xmlPath: string): AnnotatedPicture[] {
  const xml = readFileSync(xmlPath, 'latin1');
  return [...xml.matchAll(/<image file='([^']+)'[^>]*>(.*?)<\/image>/gs)].map(([, file, body]) => ({
    path: join(dirname(xmlPath), file as string),
    faces: [...(body as string).matchAll(/<box ([^>]*)>(.*?)<\/box>/gs)].map(([, attributes, parts]) => ({
      box: {
        left: attribute(attributes as string, 'left'),
        top: attribute(attributes as string, 'top'),
        width: attribute(attributes as string, 'width'),
        height: attribute(attributes as string, 'height'),
      },
      landmarks: fivePoints(
        [...(parts as string).matchAll(/<part ([^>]*)\/>/g)].map(([, part]) => ({
          x: attribute(part as string, 'x'),
          y: attribute(part as string, 'y'),
        })),
      ),
    })),
  }));
}

function attribute(attributes: string, name: string): number {
  const value = new RegExp(`\\b${name}='(-?[0-9]+)'`).exec(attributes)?.[1];
  if (value === undefined) throw new Error(`no ${name} in ${attributes}`);
  return Number(value);
}

function fivePoints(points: readonly Point[]): Landmarks {
  const mean = (from: number, to: number): Point => {
    const some = points.slice(from, to);
    return {
      x: some.reduce((sum, { x }) => sum + x, 0) / some.length,
      y: some.reduce((sum, { y }) => sum + y, 0) / some.length,
    };
  };
  return {
    leftEye: mean(36, 42),
    rightEye: mean(42, 48),
    nose: points[30] as Point,
    leftMouth: points[48] as Point,
    rightMouth: points[54] as Point,
  };
}
