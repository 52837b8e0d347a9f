/** Versions of what makes the bytes: ours, and the image library's. */

import sharp from 'sharp';
import { packageVersion } from './package_version.js';

/** The versions that a manifest records: other versions may give other bytes. */
export function softwareVersions(): Readonly<Record<'t2t-ts' | 'sharp' | 'vips', string>> {
  return {
    't2t-ts': packageVersion(),
    sharp: sharp.versions.sharp ?? 'unknown',
    vips: sharp.versions.vips,
  };
}
