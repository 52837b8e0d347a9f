/** Writes a dataset card as markdown, with the metadata in front that Hugging Face's Hub reads. */

import type { Manifest } from '../datagen/manifest.js';
import { featureTable } from '../io/feature_table.js';
import { featuresFromJson } from '../io/features.js';
import { pythonReader } from '../io/python_reader.js';
import { featureMeanings } from '../problems/feature_meanings.js';
import { REJECTION_REASONS, type RejectionReason } from '../problems/rejection.js';
import { bibtex } from './bibtex.js';
import type { CardExample } from './card_pictures.js';
import type { CardSection, UnfinishedSplit } from './card_section.js';
import { code, codeBlock, link, markdownTable, plain } from './markdown.js';
import { megabytes } from './stats_page_parts.js';
import { compareNames } from './value_counts.js';

/**
 * @param mark a line by which the card is known as ours
 * @param unfinished splits that the card says nothing else of
 */
export function cardText(
  sections: readonly CardSection[],
  mark: string,
  unfinished: readonly UnfinishedSplit[] = [],
): string {
  const titles = [...new Set(sections.map(({ manifests }) => titleOf(manifests)))];
  const parts = [
    frontMatter(sections, titles.join(', ')),
    mark,
    `# ${plain(titles.join(', '))}`,
    ...warnings(sections),
    ...unfinishedTexts(unfinished),
    ...(sections.length > 1 ? [sections.map(({ name }) => `- [${plain(name)}](#${name})`).join('\n')] : []),
    ...sections.flatMap(sectionText),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The Hub's metadata: github.com/huggingface/hub-docs, datasetcard.md. */
function frontMatter(sections: readonly CardSection[], title: string): string {
  const licences = [...new Set(sections.map(({ licence }) => licence.id))];
  const [id] = licences.length === 1 ? licences : ['other'];
  const other = sections
    .filter(({ licence }) => licence.id === 'other')
    .map(({ manifests }) => licenceOf(manifests));
  const records = sections
    .flatMap(({ manifests }) => manifests)
    .reduce((sum, { written }) => sum + written, 0);
  const [one] = other;
  return [
    '---',
    `pretty_name: ${JSON.stringify(title)}`,
    `license: ${id}`,
    ...(id === 'other' ? [`license_name: ${licences.length === 1 && one ? slug(one.name) : 'several'}`] : []),
    ...(id === 'other' && licences.length === 1 && one && one.url !== ''
      ? [`license_link: ${JSON.stringify(one.url)}`]
      : []),
    `task_categories:`,
    ...[...new Set(sections.map(taskOf))].map((task) => `- ${task}`),
    'size_categories:',
    `- ${sizeCategory(records)}`,
    'tags:',
    ...[
      'tfrecord',
      ...(sections.some(hasWindows) ? ['eeg'] : []),
      ...(sections.some(hasFaces) ? ['faces'] : []),
    ].map((tag) => `- ${tag}`),
    // The Hub's viewer does not read TFRecord.
    'viewer: false',
    '---',
  ].join('\n');
}

function warnings(sections: readonly CardSection[]): string[] {
  const closed = sections.filter(({ licence }) => !licence.maySharePieces);
  if (closed.length === 0) return [];
  const names = closed.map(({ name }) => code(name)).join(', ');
  const terms = [...new Set(closed.flatMap(({ known }) => known?.terms ?? []))];
  return [
    [
      `> **Do not publish this folder.** The licence of what ${names} ${closed.length === 1 ? 'is' : 'are'} made of is not known to allow it.`,
      ...terms.map((each) => `>\n> ${plain(each)}`),
    ].join('\n'),
  ];
}

function unfinishedTexts(unfinished: readonly UnfinishedSplit[]): string[] {
  if (unfinished.length === 0) return [];
  const names = unfinished.map(({ name, split }) => `${code(name)} ${split}`).join(', ');
  return [`> **Not finished**, and not in any figure below: ${names}.`];
}

function sectionText(section: CardSection): string[] {
  const { name, manifests, known } = section;
  const [first] = manifests as [Manifest];
  const { dataset, settings } = first;
  const features = featuresFromJson(first.features, `the manifest of ${name}`);
  return [
    `<a id="${name}"></a>`,
    `## ${plain(name)}`,
    ...(known === undefined ? [] : [`${plain(known.description)}.`]),
    ...(known === undefined
      ? []
      : [`${link(dataset.title, dataset.homepage)}: ${plain(known.aboutDataset)}`]),
    ...exampleTexts(section.examples),
    '### Licence',
    `${link(dataset.licence.name, dataset.licence.url)}.${known === undefined ? '' : ` ${plain(known.terms)}`}`,
    '### Citation',
    codeBlock(
      'bibtex',
      bibtex(dataset.citation, { key: dataset.name, title: dataset.title, url: dataset.homepage }),
    ),
    '### Splits',
    splitTable(manifests),
    ...classTexts(section),
    ...rejectionTexts(manifests),
    ...leakageTexts(section),
    '### How it was made',
    settingsTable(manifests),
    ...noteTexts(manifests),
    '### Features',
    featureTable(features, featureMeanings({ name, features })),
    '### Loading',
    codeBlock('ts', typescriptReader(section)),
    `<details>\n<summary>Python: TensorFlow, TFDS, PyTorch, WebDataset</summary>`,
    codeBlock('python', pythonReader({ name, version: settings.version, features })),
    '</details>',
  ];
}

function exampleTexts(examples: readonly CardExample[]): string[] {
  return examples.map(({ key, pictures }) => {
    const shown = pictures.map(({ name, file, isOdd }) => {
      const alt = `${name} of ${key}${isOdd ? ', the odd one out' : ''}`;
      return {
        head: isOdd ? `**${plain(name)} (odd one out)**` : plain(name),
        cell: `![${plain(alt)}](${file})`,
      };
    });
    return markdownTable(
      shown.map(({ head }) => head),
      [shown.map(({ cell }) => cell)],
    );
  });
}

function splitTable(manifests: readonly Manifest[]): string {
  const rows = manifests.map(({ settings, planned, written, rejected, shards, bytes }) => [
    settings.split,
    number(planned),
    number(written),
    number(planned - written),
    number(shards.length),
    megabytes(bytes),
    ...(sumOf(rejected) === planned - written ? [] : ['these do not add up']),
  ]);
  return markdownTable(['split', 'planned', 'written', 'rejected', 'shards', 'size'], rows);
}

/** Classes in a table; more would not be read. */
const MAX_CLASSES = 30;

function classTexts({ manifests, counts }: CardSection): string[] {
  const splits = manifests.map(({ settings }) => settings.split);
  const names = [...new Set(splits.flatMap((split) => Object.keys(counts.splits[split]?.labels ?? {})))];
  const tables = names.map((name) => {
    const bySplit = splits.map((split) => counts.splits[split]?.labels[name]);
    if (bySplit.some((values) => values === undefined || values.distinct === null))
      return `${code(name)} has more than 10,000 different values.`;
    const known = bySplit.map((values) => new Map(values?.most));
    const classes = [...new Set(known.flatMap((each) => [...each.keys()]))].sort((a, b) =>
      compareNames(a, b),
    );
    const rows = classes
      .slice(0, MAX_CLASSES)
      .map((each) => [
        each === '' ? '(empty)' : plain(each),
        ...known.map((of) => number(of.get(each) ?? 0)),
      ]);
    const more = classes.length - rows.length;
    return `${markdownTable([code(name), ...splits], rows)}${more > 0 ? `\n\n… and ${number(more)} more.` : ''}`;
  });
  return tables.length === 0 ? [] : ['### Classes', ...tables];
}

function rejectionTexts(manifests: readonly Manifest[]): string[] {
  const reasons = [
    ...new Set(manifests.flatMap(({ rejected }) => Object.keys(rejected))),
  ].sort() as RejectionReason[];
  if (reasons.length === 0) return ['### Rejections', 'Nothing was rejected.'];
  const rows = reasons.map((reason) => [
    code(reason),
    ...manifests.map(({ rejected }) => number(rejected[reason] ?? 0)),
    plain(REJECTION_REASONS[reason] ?? ''),
  ]);
  const head = ['reason', ...manifests.map(({ settings }) => settings.split), 'meaning'];
  return [
    '### Rejections',
    'Planned examples that could not be made; each is counted under one reason.',
    markdownTable(head, rows),
  ];
}

function leakageTexts({ counts: { shared } }: CardSection): string[] {
  if (shared.length === 0) return [];
  const shown = (count: number | null): string => (count === null ? 'not known' : number(count));
  const rows = [
    ['the same key', ...shared.map(({ keys }) => shown(keys))],
    ['a photograph or recording in both', ...shared.map(({ sources }) => shown(sources))],
    ['a person in both', ...shared.map(({ people }) => shown(people))],
  ];
  const head = ['shared by', ...shared.map(({ splits }) => splits.join(' and '))];
  return [
    '### Leakage',
    'What two splits share. Photographs and recordings are compared by the content of their files, people by the names that the records give them.',
    markdownTable(head, rows),
  ];
}

function settingsTable(manifests: readonly Manifest[]): string {
  const all = manifests.map(
    ({ settings: { split, seed, limit, version, preparation, options }, versions }) => ({
      split,
      of: new Map<string, string>([
        ['version', version],
        ['seed', String(seed)],
        ['limit', limit === null ? 'none' : String(limit)],
        ['preparation', preparation],
        ...Object.entries(options).map(([name, value]): [string, string] => [
          `option ${name}`,
          String(value),
        ]),
        ...Object.entries(versions).map(([name, value]): [string, string] => [`version of ${name}`, value]),
      ]),
    }),
  );
  const names = [...new Set(all.flatMap(({ of }) => [...of.keys()]))];
  const shown = (value: string): string => (value.trim() === '' ? '(empty)' : code(value));
  const rows = names.map((name) => {
    const values = all.map(({ of }) => of.get(name) ?? 'none');
    const isOne = new Set(values).size === 1;
    const text = isOne
      ? shown(values[0] as string)
      : all.map(({ split }, i) => `${split}: ${shown(values[i] as string)}`).join('; ');
    return [plain(name), text];
  });
  return markdownTable(['setting', 'value'], rows);
}

function noteTexts(manifests: readonly Manifest[]): string[] {
  const notes = [...new Set(manifests.flatMap((manifest) => manifest.notes))];
  return notes.length === 0 ? [] : [notes.map((note) => `- ${plain(note)}`).join('\n')];
}

/** As training gets them where the Problem is registered, else as they are stored. */
function typescriptReader({ name, manifests, known }: CardSection): string {
  const { split } = (manifests[0] as Manifest).settings;
  if (known === undefined)
    return `import { createExampleParser, featuresFromJson, finishedManifest, readRecords } from 't2t-ts';

const manifest = finishedManifest('.', '${name}', '${split}');
const parser = createExampleParser(featuresFromJson(manifest.features, 'the manifest'));
for (const { file } of manifest.shards)
  for await (const { data } of readRecords(file)) console.log(parser.parse(data));`;
  const isChanged = Object.keys(known.changedOptions).length > 0;
  const made = isChanged
    ? `withOptions(problem('${name}'), ${JSON.stringify(known.changedOptions)})`
    : `problem('${name}')`;
  const mode = split === 'train' ? 'train' : split === 'dev' ? 'eval' : 'predict';
  return `import { openExamples, problem${isChanged ? ', withOptions' : ''} } from 't2t-ts';

const examples = await openExamples(${made}, '${mode}', { dataDir: '.' });
for await (const example of examples) console.log(example);
await examples.close();`;
}

function titleOf(manifests: readonly Manifest[]): string {
  return (manifests[0] as Manifest).dataset.title;
}

function licenceOf(manifests: readonly Manifest[]): Manifest['dataset']['licence'] {
  return (manifests[0] as Manifest).dataset.licence;
}

function hasPictures({ manifests }: CardSection): boolean {
  return Object.values((manifests[0] as Manifest).features).some(({ kind }) => kind === 'image');
}

/** Pictures alone say nothing of what is on them: that is known of registered Problems. */
function hasFaces({ known, manifests }: CardSection): boolean {
  const names = Object.keys((manifests[0] as Manifest).features);
  return known !== undefined && names.some((name) => name.includes('/face/'));
}

function hasWindows({ manifests }: CardSection): boolean {
  return Object.keys((manifests[0] as Manifest).features).some((name) => name.startsWith('eeg/'));
}

/** One of the Hub's tasks (huggingface.js, packages/tasks/src/pipelines.ts); EEG has none there. */
function taskOf(section: CardSection): string {
  if (!hasPictures(section)) return 'other';
  const { features } = section.manifests[0] as Manifest;
  const pictures = Object.values(features).filter(({ kind }) => kind === 'image').length;
  return pictures === 1 ? 'image-classification' : 'image-feature-extraction';
}

/** The Hub's words for how many examples there are. */
function sizeCategory(records: number): string {
  const bounds = ['1K', '10K', '100K', '1M', '10M', '100M', '1B'];
  const place = bounds.findIndex((_, i) => records < 1000 * 10 ** i);
  if (place < 0) return 'n>1B';
  return place === 0 ? 'n<1K' : `${bounds[place - 1]}<n<${bounds[place]}`;
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function sumOf(counts: Readonly<Partial<Record<string, number>>>): number {
  return Object.values(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0);
}
