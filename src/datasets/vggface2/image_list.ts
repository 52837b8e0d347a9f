/** Reads train_list.txt and test_list.txt of VGGFace2: one picture a line, three million lines. */

import { scanLines } from '../csv_lines.js';
import { KeyList } from '../key_list.js';
import { MalformedLines, quoted } from '../malformed_lines.js';
import { pictureKey } from './picture_name.js';

export interface ImageListFile {
  /** Keys of the pictures (`pictureKey`), ascending, each once. */
  readonly keys: Float64Array;
  /** Lines that name a picture that another line names, too. */
  readonly repeated: number;
  readonly malformed: MalformedLines;
}

/**
 * Reads a list of lines like `n000001/0001_01.jpg`; LF or CRLF, blanks around and a folder before the identity's
 * (`train/n000001/…`) are passed over. Other lines are given back as malformed.
 */
export async function readImageList(path: string, signal?: AbortSignal): Promise<ImageListFile> {
  const list = new KeyList();
  const malformed = new MalformedLines(path);
  await scanLines(path, {
    ...(signal === undefined ? {} : { signal }),
    onLine(bytes, start, end, line) {
      // A line of the set's own width needs no more than a look at it.
      const text = bytes.toString('latin1', start, end);
      const key = text.endsWith('.jpg') ? (pictureKey(text) ?? looseKey(text)) : looseKey(text);
      if (key === undefined)
        malformed.add(
          line,
          text.trim() === '' ? 'an empty line' : `${quoted(text)} is no name like n000001/0001_01.jpg`,
        );
      else list.push(key);
    },
  });
  const lines = list.length;
  const keys = list.sortedUnique();
  return { keys, repeated: lines - keys.length, malformed };
}

function looseKey(text: string): number | undefined {
  const [, name] = /^\s*(?:\.\/)?(?:(?:train|test|data)\/){0,2}(n\d{6}\/\d+_\d+\.jpg)\s*$/.exec(text) ?? [];
  return name === undefined ? undefined : pictureKey(name);
}
