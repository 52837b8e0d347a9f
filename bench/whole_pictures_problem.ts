/** The Problem of `bench download`'s comparison: one whole picture an example, from a list of URLs. */

import { type CsvSource, csvDataset } from '../src/datasets/csv_dataset.js';
import { image, text } from '../src/io/features.js';
import { facePreparation } from '../src/problems/face_options.js';
import {
  type Input,
  type PlanRow,
  type PreparedInput,
  Problem,
  type Split,
} from '../src/problems/problem.js';
import { registerProblem } from '../src/problems/registry.js';

interface PictureRow extends PlanRow {
  readonly url: string;
}

class WholePictures extends Problem<PictureRow, CsvSource> {
  readonly name = 'bench_whole_pictures';
  readonly description = 'Whole pictures from a list of URLs, for the benchmark';
  override readonly splits: readonly Split[] = ['train'];
  readonly dataset = csvDataset({
    name: 'bench_urls',
    title: 'URLs',
    description: 'A list of URLs.',
    homepage: '',
    citation: '',
    licence: { name: 'none', url: '', terms: 'Drawn by this program.', agreementNeeded: false },
    file: 'urls.csv',
    columns: ['url'],
    urlColumns: ['url'],
  });
  readonly features = { url: text(), image: image({ height: 128, width: 128 }) };
  readonly preparation = facePreparation({});

  async *plan(_split: Split, source: CsvSource) {
    for await (const row of source.rows())
      if (!('malformed' in row)) yield { key: row.key, url: row.fields.url as string };
  }

  inputs(row: PictureRow): Input[] {
    return [{ url: row.url }];
  }

  example(row: PictureRow, [picture]: readonly PreparedInput[]) {
    return { url: row.url, image: (picture as PreparedInput).bytes };
  }
}

registerProblem(WholePictures);
