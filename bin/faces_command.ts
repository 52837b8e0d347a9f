/** `t2t-ts faces`: what the detector sees in photographs, as JSON and as pictures. */

import { readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { facePicture } from '../src/explore/face_picture.js';
import { compose, isTemplateName, matrixNumbers, TEMPLATES, type TemplateName } from '../src/faces/align.js';
import { DEFAULT_CROP } from '../src/faces/crop.js';
import { pointInWindow, windowMatrix } from '../src/faces/decode_window.js';
import { DETECTOR_ID } from '../src/faces/detect.js';
import { type Face, moveLandmarks } from '../src/faces/face.js';
import { type FoundFaces, findFaces } from '../src/faces/find_faces.js';
import { measureQuality } from '../src/faces/quality.js';
import { alignedCrop, type Crop } from '../src/faces/warp.js';
import { UserError } from '../src/io/errors.js';
import { makeFolder } from '../src/io/make_folder.js';
import { addOutputOptions, type OutputOptions } from './options.js';
import { print, printJson, table, tell } from './terminal.js';

interface FacesOptions extends OutputOptions {
  readonly align: string;
  readonly pictures?: string;
}

export function addFacesCommand(program: Command): void {
  const command = program
    .command('faces')
    .argument('<photo...>', 'JPEG, PNG, WebP, … files')
    .description('find the faces of photographs: boxes, points, pose, sharpness')
    .option('--align <template>', `crops: ${Object.keys(TEMPLATES).join(' or ')}`, 'arcface112')
    .option('--pictures <folder>', 'write a PNG a photograph there, with boxes, points and aligned crops');
  addOutputOptions(command)
    .addHelpText('after', '\nExample:\n  t2t-ts faces holiday.jpg team.png --pictures looked-at')
    .action(faces);
}

/** What is told of one photograph; boxes and points in pixels of the upright photograph. */
interface PhotoReport {
  readonly file: string;
  readonly width?: number;
  readonly height?: number;
  readonly faces?: readonly object[];
  readonly picture?: string;
  readonly failure?: string;
  readonly detail?: string;
}

async function faces(photos: readonly string[], options: FacesOptions): Promise<void> {
  const template = readTemplate(options.align);
  if (options.pictures !== undefined) makeFolder(options.pictures);
  const names = pictureNames(photos);
  const reports: PhotoReport[] = [];
  const rows: (string | number)[][] = [];
  for (const [i, file] of photos.entries()) {
    const found = await findFaces(readPhoto(file), { maxPixels: DEFAULT_CROP.maxPixels });
    if ('failure' in found) {
      reports.push({ file, ...found });
      tell(`${file}: ${found.failure} (${found.detail})`);
      continue;
    }
    const crops = found.faces.map((face) => cropOf(found, face, template));
    const picture =
      options.pictures === undefined ? undefined : resolve(options.pictures, names[i] as string);
    if (picture !== undefined)
      writeFileSync(
        picture,
        await facePicture(
          found.window,
          found.faces.map((face, at) => ({ face, crop: (crops[at] as Crop).image })),
        ),
      );
    reports.push({
      file,
      width: found.width,
      height: found.height,
      faces: found.faces.map((face, at) => faceReport(face, crops[at] as Crop)),
      ...(picture === undefined ? {} : { picture }),
    });
    for (const [at, face] of found.faces.entries()) rows.push(rowOf(file, at + 1, face, crops[at] as Crop));
    if (found.faces.length === 0) rows.push([file, 0, '', '', '', '', '']);
  }
  if (options.json === true) printJson({ detector: DETECTOR_ID, template, photos: reports });
  else
    print(
      table([['photograph', 'face', 'score', 'box', 'eyes apart', 'roll yaw pitch', 'sharpness'], ...rows]),
    );
  if (reports.every(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

function cropOf(found: FoundFaces, face: Face, template: TemplateName): Crop {
  const landmarks = moveLandmarks(face.landmarks, (point) => pointInWindow(point, found.window));
  const { image, matrix } = alignedCrop(found.window.image, landmarks, template, { fill: [0, 0, 0] });
  return { image, matrix: compose(matrix, windowMatrix(found.window)) };
}

function faceReport(face: Face, crop: Crop): object {
  return {
    score: face.score,
    box: face.box,
    landmarks: face.landmarks,
    matrix: matrixNumbers(crop.matrix),
    quality: measureQuality(crop.image, face),
  };
}

function rowOf(file: string, number: number, face: Face, crop: Crop): (string | number)[] {
  const { eyeDistance, roll, yaw, pitch, sharpness } = measureQuality(crop.image, face);
  const { left, top, width, height } = face.box;
  return [
    file,
    number,
    face.score.toFixed(2),
    `${Math.round(width)}×${Math.round(height)}+${Math.round(left)}+${Math.round(top)}`,
    `${Math.round(eyeDistance)} px`,
    [roll, yaw, pitch].map((angle) => `${Math.round(angle)}°`).join(' '),
    sharpness.toFixed(2),
  ];
}

function readTemplate(name: string): TemplateName {
  if (isTemplateName(name)) return name;
  throw new UserError(`there is no template ${JSON.stringify(name)}`, {
    where: '--align',
    remedy: `it is ${Object.keys(TEMPLATES).join(' or ')}`,
    exitCode: 2,
  });
}

/** A PNG's name for each photograph: its own, and a number where two photographs share one. */
function pictureNames(photos: readonly string[]): string[] {
  const taken = new Set<string>();
  return photos.map((photo) => {
    const stem = basename(photo).replace(/\.[^.]*$/, '');
    let name = stem;
    for (let number = 2; taken.has(name); number++) name = `${stem}-${number}`;
    taken.add(name);
    return `${name}.faces.png`;
  });
}

/** @throws Error with the photograph's path, which the system leaves out where it is a folder. */
function readPhoto(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw Object.assign(error as Error, { path: file });
  }
}
