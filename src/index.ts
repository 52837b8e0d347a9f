/** The library: `import { problem } from 't2t-ts'`. Everything that the command line does, and what a Problem needs. */

import './problems/all.js';

export { type DownloadOptions, type DownloadSummary, downloadDataset } from './datagen/download_dataset.js';
export type { DatagenEvent, OnEvent, Preflight } from './datagen/events.js';
export { finishData } from './datagen/finish.js';
export { type ForgetOptions, type ForgetSummary, forget } from './datagen/forget.js';
export {
  type GenerateOptions,
  type GenerateSummary,
  generateData,
  type SplitSummary,
} from './datagen/generate.js';
export { finishedManifest, type Manifest, readManifest } from './datagen/manifest.js';
export { readTask, type Task } from './datagen/task.js';
export { type VerifyError, type VerifyReport, verifyData } from './datagen/verify.js';
export { type CsvRow, type CsvSource, csvDataset } from './datasets/csv_dataset.js';
export type { Dataset, Licence, ObtainContext, Resource, UrlBehaviour } from './datasets/dataset.js';
export { type CropSpec, cropFaces, DEFAULT_CROP, type FractionBox, squareAround } from './faces/crop.js';
export { UserError } from './io/errors.js';
export { createExampleEncoder, type ExampleEncoder } from './io/example.js';
export { createExampleParser, type ExampleParser, parseAnyExample } from './io/example_parser.js';
export {
  bytes,
  type ExampleValues,
  type Feature,
  type Features,
  featuresFromJson,
  featuresToJson,
  float32,
  image,
  int64,
  optional,
  type ParsedExample,
  text,
} from './io/features.js';
export { seededPermutation, seededRandom } from './io/random.js';
export { type IndexEntry, RecordWriter, readIndex } from './io/tfrecord.js';
export { RecordError, readRecordAt, readRecordBatches, readRecords } from './io/tfrecord_reader.js';
export { FacialExpressionCorrespondence } from './problems/fec.js';
export {
  type Input,
  type OptionValue,
  type PlanContext,
  type PlanRow,
  type Preparation,
  type PreparedInput,
  Problem,
  type RejectedRow,
  SPLITS,
  type Split,
  withOptions,
} from './problems/problem.js';
export { problem, problemNames, registerProblem } from './problems/registry.js';
export { REJECTION_REASONS, type Rejection, type RejectionReason, reject } from './problems/rejection.js';
export { TripletProblem, type TripletRow } from './problems/triplet.js';
