/** `t2t-ts list` and `t2t-ts info`: what there is to make and to train, and all about one Problem. */

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { manifestPath } from '../src/datagen/data_files.js';
import { finishedManifest, readManifest } from '../src/datagen/manifest.js';
import { problemIn } from '../src/datagen/manifest_problem.js';
import { featureTable } from '../src/io/feature_table.js';
import { featuresFromJson, featuresToJson } from '../src/io/features.js';
import { exampleSchema } from '../src/io/json_schema.js';
import { pythonReader } from '../src/io/python_reader.js';
import '../src/models/all.js';
import { hparamsSetNames } from '../src/models/hparams_sets.js';
import { model, modelNames } from '../src/models/registry.js';
import '../src/problems/all.js';
import { featureMeanings } from '../src/problems/feature_meanings.js';
import { type Problem, SPLITS } from '../src/problems/problem.js';
import { problem, problemNames } from '../src/problems/registry.js';
import { addImportOption, addOutputOptions, importModules, type OutputOptions } from './options.js';
import { print, printJson, table, wrap } from './terminal.js';

interface ListOptions extends OutputOptions {
  readonly import: readonly string[];
}

interface InfoOptions extends ListOptions {
  readonly python?: boolean;
  readonly jsonSchema?: boolean;
  readonly markdown?: boolean;
  readonly dataDir?: string;
}

/** Other forms of a Problem's features, one at a time. */
const FORMS = {
  python: 'a Python module that reads the examples with TensorFlow, TFDS, PyTorch or WebDataset',
  jsonSchema: 'a JSON Schema of an example',
  markdown: 'the features as a markdown table',
} as const;

export function addListCommands(program: Command): void {
  const list = program
    .command('list')
    .description('name the Problems and their datasets, the models and their hyper-parameter sets');
  const info = program
    .command('info')
    .argument('<problem>', 'the Problem’s name')
    .description('show a Problem’s dataset, licence, features and options');
  for (const command of [list, info]) addOutputOptions(addImportOption(command));
  for (const [form, what] of Object.entries(FORMS)) {
    const flag = form.replace('S', '-s');
    const others = [...Object.keys(FORMS), 'json'].filter((other) => other !== form);
    info.addOption(new Option(`--${flag}`, `print ${what}`).conflicts(others));
  }
  info.option('--data-dir <dir>', 'take the features from the data that was made there, with its options');
  list.addHelpText('after', '\nExample:\n  t2t-ts list').action(listProblems);
  info
    .addHelpText('after', '\nExamples:\n  t2t-ts info fec\n  t2t-ts info fec --python > fec_data.py')
    .action(showInfo);
}

async function listProblems(options: ListOptions): Promise<void> {
  await importModules(options.import);
  const rows = problemNames().map((name) => {
    const { description, dataset } = problem(name);
    return { problem: name, dataset: dataset.name, description };
  });
  const models = modelNames().map((name) => {
    const { description, paper } = model(name);
    return { model: name, description, paper, hparamsSets: hparamsSetNames(name) };
  });
  if (options.json === true) return printJson({ problems: rows, models });
  print(
    table([
      ['problem', 'dataset', 'description'],
      ...rows.map((row) => [row.problem, row.dataset, row.description]),
    ]),
  );
  print(`\n${table([['model', 'description'], ...models.map((row) => [row.model, row.description])])}`);
  print(
    `\n${table([['model', 'hparams sets'], ...models.map((row) => [row.model, row.hparamsSets.join(', ')])])}`,
  );
}

async function showInfo(name: string, options: InfoOptions): Promise<void> {
  await importModules(options.import);
  const shown = options.dataDir === undefined ? ofProblem(name) : ofData(resolve(options.dataDir), name);
  const { features } = shown;
  if (options.python === true) process.stdout.write(pythonReader(shown));
  else if (options.markdown === true) print(featureTable(features, featureMeanings(shown)));
  else if (options.jsonSchema === true)
    print(JSON.stringify(exampleSchema(name, features, featureMeanings(shown)), null, 2));
  else showProblem(shown, options);
}

type Shown = Pick<
  Problem,
  'name' | 'description' | 'version' | 'dataset' | 'features' | 'options' | 'splits'
> & {
  readonly preparation: string;
  /** What the values of the options are. */
  readonly optionsAre: 'default' | 'value';
};

function ofProblem(name: string): Shown {
  const { description, version, dataset, features, options, splits, preparation } = problem(name);
  return {
    name,
    description,
    version,
    dataset,
    features,
    options,
    splits,
    preparation: preparation.id,
    optionsAre: 'default',
  };
}

/** What a data folder says of a Problem, which may be one that nobody registered. */
function ofData(dataDir: string, name: string): Shown {
  const { description, dataset } = problemIn(dataDir, name);
  const splits = SPLITS.filter((split) => readManifest(dataDir, name, split)?.complete === true);
  const [split = 'train'] = splits;
  const { settings, features } = finishedManifest(dataDir, name, split);
  return {
    name,
    description,
    version: settings.version,
    dataset,
    features: featuresFromJson(features, manifestPath(dataDir, name, split)),
    options: settings.options,
    splits,
    preparation: settings.preparation,
    optionsAre: 'value',
  };
}

function showProblem(shown: Shown, options: InfoOptions): void {
  const { name, description, version, dataset, features, options: settings, splits, preparation } = shown;
  const { title, homepage, citation, licence, resources } = dataset;
  if (options.json === true) {
    printJson({
      problem: name,
      version,
      description,
      splits,
      options: settings,
      preparation,
      features: featuresToJson(features),
      dataset: {
        name: dataset.name,
        title,
        description: dataset.description,
        homepage,
        citation,
        licence,
        resources,
      },
    });
    return;
  }
  print(`${name} ${version}: ${description}\n`);
  print(`dataset   ${dataset.name}: ${title}`);
  if (dataset.description !== title) print(wrap(dataset.description, 100, '          '));
  if (homepage !== '') print(`home      ${homepage}`);
  if (citation !== '') print(`cite      ${citation}`);
  const place = licence.url === '' ? '' : ` (${licence.url})`;
  print(`licence   ${licence.name}${place}${licence.agreementNeeded ? ', agreement needed' : ''}`);
  if (licence.terms !== '') print(wrap(licence.terms, 100, '          '));
  for (const { name: file, url, bytes, sha256 } of resources)
    print(
      `resource  ${file}: ${url}${bytes === undefined ? '' : `, ${bytes} bytes`}${sha256 === undefined ? '' : `, SHA-256 ${sha256}`}`,
    );
  print(`\nsplits    ${splits.join(', ')}\n`);
  const rows = Object.entries(featuresToJson(features)).map(([feature, json]) => [
    feature,
    describeFeature(json),
  ]);
  print(table([['feature', 'kind'], ...rows]));
  if (Object.keys(settings).length > 0)
    print(
      `\n${table([['option', shown.optionsAre], ...Object.entries(settings).map(([key, value]) => [key, String(value)])])}`,
    );
}

function describeFeature(json: object): string {
  return Object.entries(json)
    .map(([key, value]) => (key === 'kind' ? String(value) : `${key} ${JSON.stringify(value)}`))
    .join(', ');
}
