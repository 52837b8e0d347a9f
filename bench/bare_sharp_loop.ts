/**
 * The peer of `bench datagen`: a bare loop of sharp that decodes, crops, resizes and encodes, and does nothing else.
 * `node bare_sharp_loop.js LIST IN_FLIGHT`; LIST is a JSON array of {path, left, top, side}.
 */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';

const [list, inFlight] = process.argv.slice(2);
const faces = JSON.parse(readFileSync(list as string, 'utf8')) as {
  path: string;
  left: number;
  top: number;
  side: number;
}[];
sharp.concurrency(1);
sharp.cache(false);
let next = 0;
let bytes = 0;
async function crop(): Promise<void> {
  for (let face = faces[next++]; face !== undefined; face = faces[next++]) {
    const { path, left, top, side } = face;
    const jpeg = await sharp(await readFile(path), { failOn: 'error' })
      .extract({ left, top, width: side, height: side })
      .resize(128, 128, { fit: 'fill' })
      .jpeg({ quality: 92, optimiseCoding: false })
      .toBuffer();
    bytes += jpeg.length;
  }
}
await Promise.all(Array.from({ length: Number(inFlight) }, crop));
console.log(JSON.stringify({ faces: faces.length, bytes }));
