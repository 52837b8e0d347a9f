/** The real photographs on which detectors are measured, and how many of their faces a detector found. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import sharp from 'sharp';
import { sharedData } from '../fixtures/shared_data.js';
import { picturesIn, readAnnotations, readPicture } from '../src/faces/detect_photographs.test.helper.js';
import { intersectionOverUnion, type PixelBox, type RgbImage } from '../src/faces/face.js';

export interface Photograph {
  readonly name: string;
  /** The file, no longer than LONGEST_SIDE; and its pixels. */
  readonly jpeg: Uint8Array;
  readonly image: RgbImage;
  /** Annotated boxes, or how many faces there are to be seen. */
  readonly faces: readonly PixelBox[] | number;
}

/** Pixels; Flickr's `_b` size. */
const LONGEST_SIDE = 1024;

/** Counted by eye; all other photographs without annotations show one. */
const FACES_SEEN: Readonly<Record<string, number>> = {
  'bald_guys.jpg': 24,
  'dogs.jpg': 0,
  'couple.jpg': 2,
  'multiface.jpg': 6,
};

/** Undefined, with a warning, where the shared data is absent. */
export async function realPhotographs(): Promise<Photograph[] | undefined> {
  const folders = ['faces-dlib', 'faces-deepface', 'faces-facenet'].map((name) => sharedData(name));
  const [dlib, deepface, facenet] = folders;
  if (dlib === undefined || deepface === undefined || facenet === undefined) return undefined;
  const boxes = new Map(
    readAnnotations(`${dlib}/faces/training_with_face_landmarks.xml`).map(({ path, faces }) => [
      basename(path),
      faces.map(({ box }) => box),
    ]),
  );
  const paths = [`${dlib}/faces`, deepface, facenet].flatMap(picturesIn);
  return Promise.all(paths.map((path) => readPhotograph(path, boxes)));
}

/** How many of the faces were found, and how many that are none. */
export interface Found {
  readonly found: number;
  readonly extra: number;
}

/**
 * Counts what a detector found. A face of the annotations is found where a box of its own has at least `minOverlap` (intersection
 * over union) with it; elsewhere the number of faces counts.
 */
export function countFound(
  photographs: readonly Photograph[],
  boxes: readonly (readonly PixelBox[])[],
  minOverlap: number,
): Found {
  let found = 0;
  let extra = 0;
  for (const [i, { faces }] of photographs.entries()) {
    const seen = boxes[i] as readonly PixelBox[];
    const right = typeof faces === 'number' ? Math.min(faces, seen.length) : matched(faces, seen, minOverlap);
    found += right;
    extra += seen.length - right;
  }
  return { found, extra };
}

/** All faces that there are. */
export function countFaces(photographs: readonly Photograph[]): number {
  return photographs.reduce((sum, { faces }) => sum + (typeof faces === 'number' ? faces : faces.length), 0);
}

async function readPhotograph(path: string, boxes: ReadonlyMap<string, PixelBox[]>): Promise<Photograph> {
  const name = basename(path);
  const faces = boxes.get(name) ?? FACES_SEEN[name] ?? 1;
  const image = await readPicture(path);
  const side = Math.max(image.width, image.height);
  const isJpeg = /\.jpg$/.test(name);
  if (side <= LONGEST_SIDE && isJpeg) return { name, jpeg: readFileSync(path), image, faces };
  const { width, height, data } = image;
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ width: LONGEST_SIDE, height: LONGEST_SIDE, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 95 })
    .toBuffer();
  const small = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  return {
    name,
    jpeg,
    image: { width: small.info.width, height: small.info.height, data: small.data },
    faces,
  };
}

/** Each face takes the box that overlaps it most, and no other face may have that one. */
function matched(faces: readonly PixelBox[], seen: readonly PixelBox[], minOverlap: number): number {
  const pairs = faces
    .flatMap((face) => seen.map((box) => ({ face, box, overlap: intersectionOverUnion(face, box) })))
    .filter(({ overlap }) => overlap >= minOverlap)
    .sort((a, b) => b.overlap - a.overlap);
  const taken = new Set<PixelBox>();
  for (const { face, box } of pairs) {
    if (taken.has(face) || taken.has(box)) continue;
    taken.add(face);
    taken.add(box);
  }
  return taken.size / 2;
}
