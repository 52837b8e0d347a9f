/** The registry of models, so that one word on the command line finds a network. */

import { UserError } from '../io/errors.js';
import { didYouMean } from '../problems/nearest.js';
import type { Model } from './model.js';

const models = new Map<string, Model>();

/** Makes a model known by its name. @throws UserError where the name is not snake_case or is taken. */
export function registerModel(model: Model): void {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(model.name))
    throw new UserError(`a model's name must be snake_case, not ${JSON.stringify(model.name)}`);
  if (models.has(model.name) && models.get(model.name) !== model)
    throw new UserError(`two models are called ${model.name}`, { remedy: 'rename one of them' });
  models.set(model.name, model);
}

/** The model of a name. @throws UserError with the nearest names where there is none. */
export function model(name: string): Model {
  const found = models.get(name);
  if (found !== undefined) return found;
  throw new UserError(`there is no model ${JSON.stringify(name)}`, {
    remedy: didYouMean(name, modelNames()),
    exitCode: 2,
  });
}

/** The names of all registered models, sorted. */
export function modelNames(): string[] {
  return [...models.keys()].sort();
}
