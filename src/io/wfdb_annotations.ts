/** Annotation files of WFDB in the MIT format, as PhysioNet puts them beside recordings (`.event`, `.seizures`, `.atr`). */

import { UserError } from './errors.js';

export interface WfdbAnnotation {
  /** Samples after the first one, at `samplingRate`. */
  readonly sample: number;
  /** Code of wfdb/ecgcodes.h, e.g. 22 for a note, 32 and 33 for `[` and `]`. */
  readonly type: number;
  /** The auxiliary text, empty where there is none. */
  readonly text: string;
}

export interface WfdbAnnotations {
  /** In Hz; undefined where the file does not tell it, and the signals' own holds. */
  readonly samplingRate: number | undefined;
  readonly annotations: readonly WfdbAnnotation[];
}

/** Codes in the upper six bits of a word that are no annotations (WFDB Applications Guide, annot(5)). */
const SKIP = 59;
const NUM = 60;
const SUB = 61;
const CHN = 62;
const AUX = 63;

/**
 * Reads such a file: words of 16 bits, little endian, of which the upper six bits are the type and the lower ten the
 * samples since the annotation before. Code 0 only moves the time on.
 * @throws UserError where the file ends before its end mark or inside a field, or goes back before the first sample.
 */
export function parseWfdbAnnotations(bytes: Uint8Array, where: string): WfdbAnnotations {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const annotations: { sample: number; type: number; text: string }[] = [];
  let sample = 0;
  let at = 0;
  const fault = (what: string): UserError =>
    new UserError(what, { where: `${where}, byte ${at}`, remedy: 'fetch the file again' });
  const word = (): number => {
    if (at + 2 > bytes.length) throw fault('the annotations end without their end mark');
    at += 2;
    return view.getUint16(at - 2, true);
  };
  for (;;) {
    const value = word();
    const type = value >> 10;
    const low = value & 0x3ff;
    if (value === 0) break;
    if (type === SKIP) {
      // The order of the PDP-11: the upper half first, each half little endian.
      const high = word();
      sample += (high << 16) | word();
    } else if (type === AUX) {
      const last = annotations.at(-1);
      if (last === undefined) throw fault('a text belongs to no annotation');
      if (at + low > bytes.length) throw fault('a text ends after the file');
      last.text = decodeText(bytes.subarray(at, at + low));
      at += low + (low % 2);
    } else if (type !== NUM && type !== SUB && type !== CHN) {
      sample += low;
      if (sample < 0) throw fault('an annotation comes before the first sample');
      if (type !== 0) annotations.push({ sample, type, text: '' });
    }
  }
  const resolution = annotations.find(({ text }) => text.startsWith(RESOLUTION));
  const samplingRate =
    resolution === undefined ? Number.NaN : Number(resolution.text.slice(RESOLUTION.length));
  return {
    samplingRate: samplingRate > 0 && samplingRate < 1e9 ? samplingRate : undefined,
    annotations: annotations.filter((annotation) => annotation !== resolution),
  };
}

/** How a file tells its own time base, in the text of a first note. */
const RESOLUTION = '## time resolution:';

function decodeText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').replace(/\0+$/, '');
}
