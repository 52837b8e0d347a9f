/** The library: `import { problem } from 't2t-ts'`. Everything that the command line does, and what a Problem needs. */

import './problems/all.js';

export { type ConvertOptions, type ConvertSummary, convertData } from './convert/convert.js';
export { type ImportOptions, type ImportSummary, importRecords } from './convert/import_records.js';
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
export { problemIn } from './datagen/manifest_problem.js';
export { readTask, type Task } from './datagen/task.js';
export { type VerifyError, type VerifyReport, verifyData } from './datagen/verify.js';
export { type CsvRow, type CsvSource, csvDataset } from './datasets/csv_dataset.js';
export type { Dataset, Licence, ObtainContext, Resource, UrlBehaviour } from './datasets/dataset.js';
export { applySteps, type SignalStep, stepsId } from './eeg/steps.js';
export { type DataStats, dataStats, type StatsOptions } from './explore/data_stats.js';
export { type CardOptions, writeCard } from './explore/dataset_card.js';
export { duplicateReport } from './explore/duplicate_report.js';
export {
  alignmentOf,
  apply,
  compose,
  invert,
  type Similarity,
  similarityBetween,
  TEMPLATES,
  type TemplateName,
} from './faces/align.js';
export { type CropSpec, cropFaces, DEFAULT_CROP, type FractionBox, squareAround } from './faces/crop.js';
export { DETECTOR_ID, type FaceDetector, openFaceDetector } from './faces/detect.js';
export type { Face, Landmarks, PixelBox, Point, RgbImage } from './faces/face.js';
export { findFaces } from './faces/find_faces.js';
export { hammingDistance, perceptualHash } from './faces/perceptual_hash.js';
export { alignedCrop, warp } from './faces/warp.js';
export { openEdfFile } from './io/edf.js';
export { UserError } from './io/errors.js';
export { createExampleEncoder, type ExampleEncoder } from './io/example.js';
export { createExampleParser, type ExampleParser, parseAnyExample } from './io/example_parser.js';
export { featureTable } from './io/feature_table.js';
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
export { exampleSchema } from './io/json_schema.js';
export { openRecording } from './io/open_recording.js';
export { pythonReader } from './io/python_reader.js';
export { seededPermutation, seededRandom } from './io/random.js';
export type { Annotation, Recording } from './io/recording.js';
export { IndexedTar, indexTar } from './io/tar_index.js';
export { type IndexEntry, RecordWriter, readIndex } from './io/tfrecord.js';
export { RecordError, readRecordAt, readRecordBatches, readRecords } from './io/tfrecord_reader.js';
export { colourJitter } from './problems/colour_augmentations.js';
export type { Augmentation, DecodedExample, DecodedValue, Mode, Tensor } from './problems/decoded.js';
export {
  amplitudeScaling,
  channelDropout,
  gaussianNoise,
  signFlip,
  timeMasking,
  timeShift,
} from './problems/eeg_augmentations.js';
export { faceFeatures, faceValues } from './problems/face_features.js';
export {
  FACE_OPTION_RANGES,
  FACE_OPTIONS,
  faceOptions,
  facePreparation,
  preparedFace,
} from './problems/face_options.js';
export { FacialExpressionCorrespondence } from './problems/fec.js';
export { LabeledFacesInTheWild } from './problems/lfw.js';
export { patchMasking } from './problems/patch_augmentations.js';
export { horizontalFlip, randomCrop, randomShift } from './problems/placement_augmentations.js';
export {
  datasetFile,
  type Facts,
  type Input,
  type InputHint,
  type OptionValue,
  type PlanContext,
  type PlanRow,
  type Preparation,
  type PreparationOutcome,
  type PreparedInput,
  Problem,
  type RejectedRow,
  SPLITS,
  type Split,
  type TimeWindow,
  withOptions,
} from './problems/problem.js';
export { problem, problemNames, registerProblem } from './problems/registry.js';
export { REJECTION_REASONS, type Rejection, type RejectionReason, reject } from './problems/rejection.js';
export { TripletProblem, type TripletRow } from './problems/triplet.js';
export { VggFace2 } from './problems/vggface2.js';
export { VggFace2Identities } from './problems/vggface2_identities.js';
export type { Batch } from './reading/collate.js';
export { type Examples, type OpenExamplesOptions, openExamples } from './reading/examples.js';
export { type MixOptions, type MixSource, mixExamples } from './reading/mix.js';
export { Pipeline, type Reading } from './reading/pipeline.js';
export { asTfDataset, type TfDatasetOptions } from './reading/tf_dataset.js';
