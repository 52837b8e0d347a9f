/** Fills a contact sheet from a finished split: its manifest, its first examples, and its rejections from the ledgers. */

import { existsSync } from 'node:fs';
import { ledgerPath } from '../datagen/data_files.js';
import { type LedgerLine, readLedger } from '../datagen/ledger.js';
import type { Manifest } from '../datagen/manifest.js';
import { type Feature, featuresFromJson, type ImageFormat } from '../io/features.js';
import { problem, problemNames } from '../problems/registry.js';
import { REJECTION_REASONS, type RejectionReason } from '../problems/rejection.js';
import { TRIPLET_LETTERS } from '../problems/triplet.js';
import type { ContactSheet, SheetExample, SheetRejection, SheetWindow } from './contact_sheet.js';
import { describeValue, type InspectedExample, type InspectedSplit } from './inspect.js';
import { pictureFile } from './raw_picture.js';

/** Rejected examples shown of each reason. */
const SAMPLES = 6;

export function splitSheet(dataDir: string, inspected: InspectedSplit): ContactSheet {
  const { manifest, examples } = inspected;
  const { settings, planned, written, rejected, dataset } = manifest;
  const known = problemNames().includes(settings.problem) ? problem(settings.problem) : undefined;
  return {
    title: dataset.title,
    problem: settings.problem,
    split: settings.split,
    ...(known === undefined ? {} : { description: known.description }),
    settings: [
      ['dataset', dataset.title],
      ['licence', `${dataset.licence.name} (${dataset.licence.url})`],
      ['seed', String(settings.seed)],
      ['limit', settings.limit === null ? 'none' : String(settings.limit)],
      ['shards', String(settings.shards)],
      ['preparation', settings.preparation],
      ...Object.entries(settings.options).map(([name, value]) => [name, String(value)] as const),
      ...Object.entries(manifest.versions),
    ],
    counts: { planned, written, rejected: rejected as Record<string, number> },
    features: Object.entries(featuresFromJson(manifest.features, 'the manifest')).map(([name, feature]) => ({
      name,
      type: typeOf(feature),
    })),
    examples: examples.map((example) => sheetExample(example, inspected)),
    rejections: rejectionsOf(dataDir, manifest),
    notes: manifest.notes,
  };
}

function sheetExample(example: InspectedExample, { features, manifest }: InspectedSplit): SheetExample {
  const { shard, index, values } = example;
  const isImage = (name: string): boolean => features[name]?.kind === 'image';
  const windows = windowsOf(example, manifest);
  const isWindow = (name: string): boolean => windows.some((window) => window.name === name);
  const prefix = ['image', 'eeg'].find((each) =>
    TRIPLET_LETTERS.every((letter) => isImage(`${each}/${letter}`) || isWindow(`${each}/${letter}`)),
  );
  const code = values.get('triplet_code') ?? (prefix === undefined ? undefined : values.get('targets'));
  const odd = TRIPLET_LETTERS[Number(code) - 1];
  const ratings = values.get('rating/all');
  const votesFor = (name: string): number | undefined => {
    const letter = TRIPLET_LETTERS.findIndex((each) => name === `image/${each}`);
    if (letter < 0 || !Array.isArray(ratings)) return undefined;
    return ratings.filter((rating) => Number(rating) === letter + 1).length;
  };
  const key = values.get('key');
  return {
    shard,
    index,
    ...(typeof key === 'string' ? { key } : {}),
    images: [...values].flatMap(([name, value]) => {
      const format = features[name]?.image;
      if (format === undefined || !(value instanceof Uint8Array)) return [];
      const votes = votesFor(name);
      const identity = values.get(`${name}/identity`);
      return [
        {
          name,
          bytes: pictureFile(value, format),
          ...(votes === undefined ? {} : { votes }),
          ...(typeof identity === 'string' ? { caption: identity } : {}),
        },
      ];
    }),
    ...(windows.length === 0 ? {} : { windows }),
    fields: [...values]
      .filter(([name]) => !isImage(name) && !isWindow(name) && name !== 'key')
      .map(([name, value]) => [name, describeValue(value)] as const),
    ...(odd === undefined ? {} : { highlight: `${prefix ?? 'image'}/${odd}` }),
  };
}

/** Names that windows have: `eeg/raw`, or `eeg/a` to `eeg/c`; their channels and sampling rate are beside them. */
const WINDOW_NAME = /^(.+)\/(?:raw|[abc])$/;

function windowsOf({ values }: InspectedExample, { settings }: Manifest): SheetWindow[] {
  const { standardise = 'none' } = settings.options;
  return [...values].flatMap(([name, samples]) => {
    const [, prefix] = WINDOW_NAME.exec(name) ?? [];
    const channels = values.get(`${prefix}/channels`);
    const samplingRate = values.get(`${prefix}/sampling_rate`);
    if (!(samples instanceof Float32Array) || samples.length === 0) return [];
    if (!isTexts(channels) || channels.length === 0 || samples.length % channels.length !== 0) return [];
    if (typeof samplingRate !== 'number' || !(samplingRate > 0)) return [];
    const unit = standardise === 'none' ? 'µV' : 'SD';
    return [{ name, channels, samplingRate, samples, unit, captions: captionsOf(name, values) }];
  });
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/** What happens in a window, and where it is: said of it alone (`eeg/a/label`) or, where there is one, of the example. */
function captionsOf(name: string, values: InspectedExample['values']): string[] {
  const isAlone = name.endsWith('/raw');
  const saidOf = (what: string): unknown => values.get(isAlone ? what : `${name}/${what}`);
  const [label, onset, recording, subject] = ['label', 'onset', 'recording', 'subject'].map(saidOf);
  const targets = isAlone ? saidOf('targets') : undefined;
  const annotation = [
    ...(typeof label === 'string' && label !== '' ? [label] : []),
    ...(targets === undefined ? [] : [`targets ${describeValue(targets)}`]),
  ];
  const place = [
    ...(typeof onset === 'number' ? [`from ${Number(onset.toFixed(3))} s`] : []),
    ...(typeof recording === 'string' ? [`of ${recording}`] : []),
    ...(typeof subject === 'string' ? [`(${subject})`] : []),
  ];
  return [annotation.join(', '), place.join(' ')].filter((caption) => caption !== '');
}

/** Every reason with its first examples; those that kept their surviving pictures come first. */
function rejectionsOf(dataDir: string, { settings, shards, rejected, features }: Manifest): SheetRejection[] {
  const kind = Object.hasOwn(features, 'eeg/a') ? 'eeg' : 'image';
  const samples = new Map<RejectionReason, LedgerLine[]>();
  const { problem: name, split } = settings;
  for (let index = 0; index < shards.length; index++) {
    const path = ledgerPath(dataDir, name, split, index, settings.shards);
    if (!existsSync(path)) continue;
    for (const line of readLedger(path).lines) {
      if (line.rejected === undefined) continue;
      const lines = samples.get(line.rejected) ?? [];
      samples.set(line.rejected, lines);
      if (line.sample !== undefined && lines.length >= SAMPLES) {
        const bare = lines.findIndex((each) => each.sample === undefined);
        if (bare >= 0) lines[bare] = line;
      } else if (lines.length < SAMPLES) lines.push(line);
    }
  }
  return [...samples].map(([reason, lines]) => ({
    reason,
    explanation: REJECTION_REASONS[reason],
    count: rejected[reason] ?? 0,
    samples: lines.map((line) => ({
      key: line.key,
      detail: line.detail ?? '',
      inputs: (line.sample ?? []).map(({ url, jpeg }, i) => ({
        label: line.sample?.length === 3 ? `${kind}/${TRIPLET_LETTERS[i]}` : `input ${i + 1}`,
        url,
        state: IS_CONTENT.test(line.inputs?.[i] ?? '') ? ('ok' as const) : ('failed' as const),
        ...(jpeg === undefined ? {} : { bytes: Buffer.from(jpeg, 'base64') }),
      })),
    })),
  }));
}

/** The token of an input that could be had, as ledgers have it; of another it is the reason. */
const IS_CONTENT = /^[0-9a-f]{24}$/;

/** A feature's type for people, e.g. `int64, any number` or `JPEG, 128 × 128 × 3`. */
function typeOf({ kind, shape, image, optional }: Feature): string {
  const sizes = shape.map((size) => (size === null ? 'any number' : String(size))).join(' × ');
  const picture = image === undefined ? kind : `${fileType(image)}, ${dimensions(image)}`;
  return `${picture}${sizes === '' ? '' : `, ${sizes}`}${optional ? ', may be missing' : ''}`;
}

function fileType({ encoding }: ImageFormat): string {
  return encoding === 'raw' ? 'pixels' : encoding.toUpperCase();
}

function dimensions(image: ImageFormat): string {
  return [image.height, image.width, image.channels].map((size) => size ?? '?').join(' × ');
}
