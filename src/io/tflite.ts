/** TensorFlow Lite model files: tensors and operators of their one graph, as plain data. */

import {
  bytesField,
  type FlatTable,
  hasField,
  int8Field,
  int32Field,
  int32sField,
  MalformedFlatbufferError,
  openFlatbuffer,
  stringField,
  tableField,
  tablesField,
  uint8Field,
  uint32Field,
} from './flatbuffer.js';

/** A model's only graph. Operators stand in an order in which they can be run. */
export interface TfliteModel {
  readonly description: string;
  /** Numbers of tensors. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly tensors: readonly TfliteTensor[];
  readonly operators: readonly TfliteOperator[];
}

export interface TfliteTensor {
  readonly name: string;
  /** Pictures are batch, height, width, channels. */
  readonly shape: readonly number[];
  readonly type: TfliteType;
  /** A constant's numbers, little endian, as a view of the file; undefined for what is computed. */
  readonly data: Uint8Array | undefined;
  /** 'sparse': `data` holds the numbers that aren't zero alone. 'quantised': numbers are to be scaled. */
  readonly form: 'plain' | 'sparse' | 'quantised';
}

/** An operator with its options; `OTHER` is one that this reader knows by number alone. */
export type TfliteOperator = {
  /** Numbers of tensors; -1 for an optional one that is absent. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
} & TfliteOptions;

export type TfliteOptions =
  | (ConvolutionOptions & { readonly kind: 'CONV_2D' | 'DEPTHWISE_CONV_2D' })
  | (PoolOptions & { readonly kind: 'MAX_POOL_2D' })
  | { readonly kind: 'ADD'; readonly activation: Activation }
  | { readonly kind: 'CONCATENATION'; readonly axis: number; readonly activation: Activation }
  | { readonly kind: 'RESIZE_BILINEAR'; readonly corners: 'half-pixel' | 'aligned' | 'asymmetric' }
  | { readonly kind: 'DEQUANTIZE' | 'PAD' | 'PRELU' | 'RELU' | 'RESHAPE' }
  | { readonly kind: 'OTHER'; readonly builtin: number; readonly custom: string };

export interface PlacedWindow {
  readonly padding: 'same' | 'valid';
  readonly strideHeight: number;
  readonly strideWidth: number;
  /** What is applied to the result. */
  readonly activation: Activation;
}

export interface ConvolutionOptions extends PlacedWindow {
  readonly dilationHeight: number;
  readonly dilationWidth: number;
}

export interface PoolOptions extends PlacedWindow {
  readonly filterHeight: number;
  readonly filterWidth: number;
}

/** By their numbers in the schema (tensorflow/compiler/mlir/lite/schema/schema.fbs, as all numbers in this file). */
const ACTIVATIONS = ['none', 'relu', 'relu-n1-to-1', 'relu6', 'tanh', 'sign-bit'] as const;

export type Activation = (typeof ACTIVATIONS)[number];

const TYPES = [
  'float32',
  'float16',
  'int32',
  'uint8',
  'int64',
  'string',
  'bool',
  'int16',
  'complex64',
  'int8',
  'float64',
  'complex128',
  'uint64',
  'resource',
  'variant',
  'uint32',
  'uint16',
  'int4',
  'bfloat16',
  'int2',
  'uint4',
] as const;

export type TfliteType = (typeof TYPES)[number];

/** The version of the schema that every TFLite file since 2018 states. */
const SCHEMA_VERSION = 3;

/**
 * Reads a model. Numbers of tensors are checked to be in range, shapes to be whole and not negative; whether operators and
 * shapes make sense together is for whoever runs them.
 * @throws MalformedFlatbufferError where the bytes aren't such a model.
 */
export function readTflite(bytes: Uint8Array): TfliteModel {
  const model = openFlatbuffer(bytes, 'TFL3');
  const version = uint32Field(model, 0);
  if (version !== SCHEMA_VERSION) throw malformed(`schema version ${version}, not ${SCHEMA_VERSION}`, model);
  const graphs = tablesField(model, 2);
  const graph = graphs[0];
  if (graph === undefined || graphs.length !== 1)
    throw malformed(`${graphs.length} graphs where one is expected`, model);
  const codes = tablesField(model, 1).map(operatorCode);
  const buffers = tablesField(model, 4);
  const tensors = tablesField(graph, 0).map((table) => readTensor(table, buffers));
  const operators = tablesField(graph, 3).map((table) => readOperator(table, codes, tensors.length));
  const inputs = tensorNumbers(graph, 1, tensors.length);
  const outputs = tensorNumbers(graph, 2, tensors.length);
  return { description: stringField(model, 3), inputs, outputs, tensors, operators };
}

interface OperatorCode {
  readonly builtin: number;
  readonly custom: string;
}

/** Numbers up to 127 stood in an int8 field at first; files written since have both. */
function operatorCode(table: FlatTable): OperatorCode {
  return { builtin: Math.max(int8Field(table, 0), int32Field(table, 3)), custom: stringField(table, 1) };
}

function readTensor(table: FlatTable, buffers: readonly FlatTable[]): TfliteTensor {
  const shape = int32sField(table, 0);
  if (shape.some((extent) => extent < 0)) throw malformed(`a tensor of shape ${shape.join(' × ')}`, table);
  const bufferNumber = uint32Field(table, 2);
  const buffer = buffers[bufferNumber];
  if (buffer === undefined) throw malformed(`buffer ${bufferNumber} of ${buffers.length}`, table);
  const data = bytesField(buffer, 0);
  const scales = tableField(table, 4);
  const form = hasField(table, 6) ? 'sparse' : scales && hasField(scales, 2) ? 'quantised' : 'plain';
  const type = oneOf(TYPES, int8Field(table, 1), 'tensor type', table);
  // Buffer 0 is empty by convention, and empty is what computed tensors' buffers are.
  return { name: stringField(table, 3), shape, type, data: data?.length ? data : undefined, form };
}

function readOperator(table: FlatTable, codes: readonly OperatorCode[], tensors: number): TfliteOperator {
  const number = uint32Field(table, 0);
  const code = codes[number];
  if (code === undefined) throw malformed(`operator code ${number} of ${codes.length}`, table);
  return {
    inputs: tensorNumbers(table, 1, tensors),
    outputs: tensorNumbers(table, 2, tensors),
    ...readOptions(code, table),
  };
}

/** What `builtin_options_type` must say for an operator whose options are read. */
const OPTION_TABLES = {
  CONV_2D: 1,
  DEPTHWISE_CONV_2D: 2,
  MAX_POOL_2D: 5,
  CONCATENATION: 10,
  ADD: 11,
  RESIZE_BILINEAR: 15,
} as const;

function readOptions({ builtin, custom }: OperatorCode, operator: FlatTable): TfliteOptions {
  switch (builtin) {
    case 0: {
      const options = optionsTable(operator, 'ADD');
      return { kind: 'ADD', activation: activation(options, 0) };
    }
    case 2: {
      const options = optionsTable(operator, 'CONCATENATION');
      return { kind: 'CONCATENATION', axis: int32Field(options, 0), activation: activation(options, 1) };
    }
    case 3: {
      const options = optionsTable(operator, 'CONV_2D');
      return { kind: 'CONV_2D', ...placedWindow(options, 3), ...dilation(options, 4) };
    }
    case 4: {
      // Field 3 is the depth multiplier, which the weights' shape says too.
      const options = optionsTable(operator, 'DEPTHWISE_CONV_2D');
      return { kind: 'DEPTHWISE_CONV_2D', ...placedWindow(options, 4), ...dilation(options, 5) };
    }
    case 17: {
      const options = optionsTable(operator, 'MAX_POOL_2D');
      const filter = { filterWidth: int32Field(options, 3), filterHeight: int32Field(options, 4) };
      return { kind: 'MAX_POOL_2D', ...placedWindow(options, 5), ...filter };
    }
    case 23: {
      const options = optionsTable(operator, 'RESIZE_BILINEAR');
      const isAligned = uint8Field(options, 2) !== 0;
      const corners = isAligned ? 'aligned' : uint8Field(options, 3) !== 0 ? 'half-pixel' : 'asymmetric';
      return { kind: 'RESIZE_BILINEAR', corners };
    }
    case 6:
      return { kind: 'DEQUANTIZE' };
    case 19:
      return { kind: 'RELU' };
    case 22:
      return { kind: 'RESHAPE' };
    case 34:
      return { kind: 'PAD' };
    case 54:
      return { kind: 'PRELU' };
    default:
      return { kind: 'OTHER', builtin, custom };
  }
}

function optionsTable(operator: FlatTable, kind: keyof typeof OPTION_TABLES): FlatTable {
  const found = uint8Field(operator, 3);
  const options = tableField(operator, 4);
  if (found !== OPTION_TABLES[kind] || options === undefined)
    throw malformed(`${kind} without its options (kind ${found})`, operator);
  return options;
}

function placedWindow(options: FlatTable, activationField: number): PlacedWindow {
  return {
    padding: oneOf(['same', 'valid'] as const, int8Field(options, 0), 'padding', options),
    strideWidth: int32Field(options, 1),
    strideHeight: int32Field(options, 2),
    activation: activation(options, activationField),
  };
}

function dilation(options: FlatTable, field: number): { dilationWidth: number; dilationHeight: number } {
  return { dilationWidth: int32Field(options, field, 1), dilationHeight: int32Field(options, field + 1, 1) };
}

function activation(options: FlatTable, field: number): Activation {
  return oneOf(ACTIVATIONS, int8Field(options, field), 'activation', options);
}

function tensorNumbers(table: FlatTable, field: number, tensors: number): number[] {
  const numbers = int32sField(table, field);
  for (const number of numbers)
    if (number < -1 || number >= tensors) throw malformed(`tensor ${number} of ${tensors}`, table);
  return numbers;
}

function oneOf<T>(names: readonly T[], number: number, what: string, table: FlatTable): T {
  const name = names[number];
  if (name === undefined) throw malformed(`${what} ${number}`, table);
  return name;
}

function malformed(what: string, table: FlatTable): MalformedFlatbufferError {
  return new MalformedFlatbufferError(what, table.at);
}
