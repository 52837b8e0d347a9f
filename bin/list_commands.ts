/** `t2t-ts list` and `t2t-ts info`: what there is, and all about one Problem. */

import type { Command } from 'commander';
import { featuresToJson } from '../src/io/features.js';
import '../src/problems/all.js';
import { problem, problemNames } from '../src/problems/registry.js';
import { addImportOption, addOutputOptions, importModules, type OutputOptions } from './options.js';
import { print, printJson, table, wrap } from './terminal.js';

interface ListOptions extends OutputOptions {
  readonly import: readonly string[];
}

export function addListCommands(program: Command): void {
  const list = program.command('list').description('name the Problems and the datasets that they use');
  const info = program
    .command('info')
    .argument('<problem>', 'the Problem’s name')
    .description('show a Problem’s dataset, licence, features and options');
  for (const command of [list, info]) addOutputOptions(addImportOption(command));
  list.addHelpText('after', '\nExample:\n  t2t-ts list').action(listProblems);
  info.addHelpText('after', '\nExample:\n  t2t-ts info fec').action(showProblem);
}

async function listProblems(options: ListOptions): Promise<void> {
  await importModules(options.import);
  const rows = problemNames().map((name) => {
    const { description, dataset } = problem(name);
    return { problem: name, dataset: dataset.name, description };
  });
  if (options.json === true) printJson({ problems: rows });
  else
    print(
      table([
        ['problem', 'dataset', 'description'],
        ...rows.map((row) => [row.problem, row.dataset, row.description]),
      ]),
    );
}

async function showProblem(name: string, options: ListOptions): Promise<void> {
  await importModules(options.import);
  const { description, version, dataset, features, options: settings, splits, preparation } = problem(name);
  const { title, homepage, citation, licence, resources } = dataset;
  if (options.json === true) {
    printJson({
      problem: name,
      version,
      description,
      splits,
      options: settings,
      preparation: preparation.id,
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
  print(wrap(dataset.description, 100, '          '));
  if (homepage !== '') print(`home      ${homepage}`);
  print(`cite      ${citation}`);
  print(`licence   ${licence.name} (${licence.url})${licence.agreementNeeded ? ', agreement needed' : ''}`);
  print(wrap(licence.terms, 100, '          '));
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
      `\n${table([['option', 'default'], ...Object.entries(settings).map(([key, value]) => [key, String(value)])])}`,
    );
}

function describeFeature(json: object): string {
  return Object.entries(json)
    .map(([key, value]) => (key === 'kind' ? String(value) : `${key} ${JSON.stringify(value)}`))
    .join(', ');
}
