/** The one error of signals: which kind of fault a recording has that keeps it from becoming a tensor. */

import { UserError } from '../io/errors.js';

/** Why a signal can't be made, or a step not applied to it. A Problem turns these into reasons of rejection. */
export type SignalFault =
  /** Channels that were asked for are not there. */
  | 'missing-channels'
  /** Channels of different sampling rates can't be one signal. */
  | 'sampling-rates'
  /** A frequency is beyond what the sampling rate can carry, or a rate can't be reached by whole samples. */
  | 'frequency'
  /** A channel's unit is no voltage. */
  | 'unit'
  /** A sample is no finite number, which a filter would spread over the whole recording. */
  | 'not-finite'
  /** The recording has no samples where a signal is wanted. */
  | 'no-samples';

const REMEDIES: Readonly<Record<SignalFault, string>> = {
  'missing-channels': 'pick channels that every recording has, or leave this recording out',
  'sampling-rates': 'pick channels of one sampling rate',
  frequency:
    'choose frequencies below half of the sampling rate, and rates in a ratio of small whole numbers',
  unit: 'pick channels that are voltages, or say which unit is meant',
  'not-finite': 'leave this recording out, or cut the stretch away',
  'no-samples': 'leave this recording out',
};

/** A recording that the steps of a Problem can't be applied to. */
export class SignalError extends UserError {
  readonly fault: SignalFault;

  constructor(fault: SignalFault, what: string, details: { readonly where?: string } = {}) {
    super(what, { ...details, remedy: REMEDIES[fault] });
    this.name = 'SignalError';
    this.fault = fault;
  }
}
