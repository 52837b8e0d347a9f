/** Problems that no class describes: what a manifest says of them is enough to read, look at and convert their splits. */

import { UserError } from '../io/errors.js';
import { type Features, featuresFromJson } from '../io/features.js';
import { type OptionValue, type Preparation, Problem, SPLITS } from '../problems/problem.js';
import { problem, problemNames } from '../problems/registry.js';
import { manifestPath } from './data_files.js';
import { type Manifest, readManifest } from './manifest.js';

/** Stands in a manifest for the licence that nobody has told. */
export const UNKNOWN_LICENCE = 'unknown';

/** What there is to say of examples that came as records. */
export type ImportedDescription = Pick<Manifest, 'dataset'> & {
  readonly name: string;
  readonly version: string;
  readonly features: Features;
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly preparation: string;
};

/**
 * The Problem of a name as a data folder needs it: the registered one, or else what the manifest of a split says.
 * @throws UserError where there is neither.
 */
export function problemIn(dataDir: string, name: string): Problem {
  if (!problemNames().includes(name))
    for (const split of SPLITS) {
      const manifest = readManifest(dataDir, name, split);
      if (manifest !== undefined) return problemOfManifest(manifest, manifestPath(dataDir, name, split));
    }
  return problem(name);
}

/**
 * A Problem with a manifest's features and dataset. It reads, and makes nothing.
 * @param where the manifest's path, for errors.
 */
export function problemOfManifest({ settings, features, dataset }: Manifest, where: string): Problem {
  return importedProblem({
    name: settings.problem,
    version: settings.version,
    features: featuresFromJson(features, where),
    options: settings.options,
    preparation: settings.preparation,
    dataset,
  });
}

/** A Problem whose examples are there already. */
export function importedProblem(described: ImportedDescription): Problem {
  const { name, dataset } = described;
  const refuse = (): never => {
    throw new UserError(`no Problem ${name} is known that could make examples`, {
      remedy: `import its records again, or give --import the module that registers ${name}`,
    });
  };
  const preparation: Preparation = { id: described.preparation, prepare: async () => refuse() };
  // A class for each: whoever copies a Problem makes a new one of its class.
  class ImportedProblem extends Problem {
    readonly name = name;
    readonly description = dataset.title;
    override readonly version = described.version;
    readonly features = described.features;
    override readonly options = described.options;
    readonly preparation = preparation;
    readonly dataset = {
      ...dataset,
      description: dataset.title,
      licence: { ...dataset.licence, terms: '', agreementNeeded: false },
      resources: [],
      obtain: async () => refuse(),
    };
    plan = refuse;
    inputs = refuse;
    example = refuse;
  }
  return new ImportedProblem();
}
