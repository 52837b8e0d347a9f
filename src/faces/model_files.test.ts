import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { MODEL_FILES, MODEL_NAMES, modelBytes } from './model_files.js';

const folder = mkdtempSync(join(tmpdir(), 't2t-model-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('each model is the TFLite file whose checksum stands beside its name', () => {
  for (const name of MODEL_NAMES) {
    const bytes = modelBytes(name);
    expect(new TextDecoder().decode(bytes.subarray(4, 8))).toBe('TFL3');
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(MODEL_FILES[name].sha256);
  }
});

test("the landmark model stands where its package's own loader says", () => {
  const { file, start, end } = MODEL_FILES['face-landmark'];
  const bytes = modelBytes('face-landmark');
  expect(bytes.length).toBe(end! - start!);
  expect(file).toBe('face_mesh_solution_packed_assets.data');
  const loader = readFileSync(
    fileURLToPath(import.meta.resolve(`@mediapipe/face_mesh/${file.replace('.data', '_loader.js')}`)),
    'utf8',
  );
  expect(loader).toContain(`/face_landmark.tflite", "start": ${start}, "end": ${end}}`);
});

test('a package that is not installed is named with the command that installs it', () => {
  const home = transplanted('absent');
  expect(messageOf(home, 'face-landmark')).toBe(
    'the package @mediapipe/face_mesh, which holds a face model, is not installed: ' +
      'run npm install @mediapipe/face_mesh@0.4.1657299874',
  );
});

test('another version of a package is named, and so is one that lacks its model', () => {
  const home = transplanted('other');
  const packageFolder = join(home, 'node_modules', '@mediapipe', 'face_detection');
  mkdirSync(packageFolder, { recursive: true });
  writeFileSync(
    join(packageFolder, 'package.json'),
    '{"name": "@mediapipe/face_detection", "version": "0.5.0"}',
  );
  expect(messageOf(home, 'face-detection-full-range')).toBe(
    'the package @mediapipe/face_detection lacks its face model face_detection_full_range.tflite: ' +
      'run npm install @mediapipe/face_detection@0.4.1657300184',
  );
  const changed = modelBytes('face-detection-short-range').slice();
  changed[changed.length - 1]! ^= 1;
  const path = join(packageFolder, 'face_detection_short_range.tflite');
  writeFileSync(path, changed);
  const message = messageOf(home, 'face-detection-short-range');
  expect(message).toMatch(
    /face-detection-short-range is not the one that was tested \(SHA-256 [0-9a-f]{12}…\)/,
  );
  expect(message).toContain('face_detection_short_range.tflite');
  expect(message).toContain('install @mediapipe/face_detection@0.4.1657300184');
});

/** The compiled modules in a folder of their own, where no package is installed. */
function transplanted(name: string): string {
  const home = join(folder, name);
  const here = dirname(fileURLToPath(import.meta.url));
  for (const module of ['faces/model_files.js', 'io/errors.js'])
    cpSync(join(here, '..', module), join(home, 'src', module));
  writeFileSync(join(home, 'package.json'), '{"type": "module"}');
  return home;
}

/** What another process, started in that folder, says when it asks for a model. */
function messageOf(home: string, name: string): string {
  const module = pathToFileURL(join(home, 'src', 'faces', 'model_files.js')).href;
  const script = `
    const { modelBytes } = await import(${JSON.stringify(module)});
    try { modelBytes(${JSON.stringify(name)}); console.log('found'); }
    catch (error) { console.log(error.name === 'UserError' ? error.message : error.stack); }`;
  const args = ['--input-type=module', '-e', script];
  return execFileSync(process.execPath, args, { cwd: home, encoding: 'utf8', timeout: 30_000 }).trim();
}
