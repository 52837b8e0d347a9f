/**
 * A TFLite model as an ONNX model: Google publishes its face models in the one, and what runs everywhere at speed is a
 * runtime for the other. Pictures are height-width-channels outside, as they were, and channels-height-width inside.
 */

import { UserError } from '../io/errors.js';
import type { Activation, PlacedWindow, TfliteModel, TfliteOperator, TfliteTensor } from '../io/tflite.js';
import { type OnnxConstant, type OnnxNode, writeOnnx } from './onnx_graph.js';
import { type Constant, floatConstant, intConstant, transpose } from './tflite_constants.js';

/** An ONNX file, and what goes in and comes out. The first dimension of every shape is 1 and means any number. */
export interface OnnxModel {
  readonly bytes: Uint8Array;
  readonly input: NamedShape;
  /** In the TFLite model's order. */
  readonly outputs: readonly NamedShape[];
}

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** From batch-height-width-channels to batch-channels-height-width, and back. */
const TO_INSIDE = [0, 3, 1, 2];
const TO_OUTSIDE = [0, 2, 3, 1];

/**
 * Converts a model of one input whose first dimension is the batch; that dimension is left open.
 * @throws UserError naming the operator where one isn't known or its options aren't.
 */
export function tfliteToOnnx(model: TfliteModel): OnnxModel {
  const [input] = model.inputs;
  if (input === undefined || model.inputs.length !== 1)
    throw unable(`it has ${model.inputs.length} inputs, not one`);
  const draft: Draft = { model, constants: new Map(), folded: new Map(), nodes: [] };
  const { shape } = computed(draft, input);
  draft.nodes.push(inwards(shape.length, 'input', valueName(input)));
  for (const operator of model.operators) convert(draft, operator);
  const outputs = model.outputs.map((number, i): NamedShape => {
    const tensor = computed(draft, number);
    const name = `output${i}`;
    draft.nodes.push(outwards(tensor.shape.length, valueName(number), name));
    return { name, shape: tensor.shape };
  });
  const bytes = writeOnnx({
    inputs: [{ name: 'input', shape: openBatch(shape) }],
    outputs: outputs.map((output) => ({ name: output.name, shape: openBatch(output.shape) })),
    constants: [...draft.constants.values()],
    nodes: draft.nodes,
  });
  return { bytes, input: { name: 'input', shape }, outputs };
}

/** What has been made of a model so far. Four-dimensional values are channels-height-width, others as in the model. */
interface Draft {
  readonly model: TfliteModel;
  readonly constants: Map<string, OnnxConstant>;
  /** Tensors that an operator makes of constants, by number. */
  readonly folded: Map<number, Constant>;
  readonly nodes: OnnxNode[];
}

function convert(draft: Draft, operator: TfliteOperator): void {
  const [from = -1] = operator.inputs;
  const [to = -1] = operator.outputs;
  switch (operator.kind) {
    case 'DEQUANTIZE':
      draft.folded.set(to, floatConstant(tensorOf(draft, from)));
      break;
    case 'CONV_2D':
    case 'DEPTHWISE_CONV_2D':
      convolve(draft, operator, to);
      break;
    case 'MAX_POOL_2D': {
      const kernel = [operator.filterHeight, operator.filterWidth];
      const attributes = {
        kernel_shape: kernel,
        strides: [operator.strideHeight, operator.strideWidth],
        pads: explicitPads(operator, picture(draft, from), kernel, [1, 1]),
      };
      emit(draft, 'MaxPool', [valueName(from)], to, { attributes, activation: operator.activation });
      break;
    }
    case 'ADD': {
      const rank = computed(draft, to).shape.length;
      const names = operator.inputs.map((input) => operand(draft, input, rank));
      emit(draft, 'Add', names, to, { activation: operator.activation });
      break;
    }
    case 'CONCATENATION': {
      const rank = computed(draft, to).shape.length;
      const names = operator.inputs.map((input) => operand(draft, input, rank));
      const axis = operator.axis < 0 ? operator.axis + rank : operator.axis;
      if (axis < 1 || axis >= rank) throw unable(`CONCATENATION along axis ${operator.axis}`);
      const attributes = { axis: rank === 4 ? TO_INSIDE.indexOf(axis) : axis };
      emit(draft, 'Concat', names, to, { attributes, activation: operator.activation });
      break;
    }
    case 'RELU':
      emit(draft, 'Relu', [operand(draft, from)], to);
      break;
    case 'PRELU': {
      const rank = computed(draft, from).shape.length;
      emit(draft, 'PRelu', [valueName(from), operand(draft, operator.inputs[1] ?? -1, rank)], to);
      break;
    }
    case 'PAD':
      pad(draft, from, operator.inputs[1] ?? -1, to);
      break;
    case 'RESHAPE':
      reshape(draft, from, to);
      break;
    case 'RESIZE_BILINEAR':
      resize(draft, operator.corners, from, to);
      break;
    case 'OTHER':
      throw unable(operator.custom === '' ? `operator ${operator.builtin}` : `operator ${operator.custom}`);
  }
}

/** What each kind of convolution's weights are, and what ONNX wants: output channels, input channels a group, height, width. */
const WEIGHT_ORDER = { CONV_2D: [0, 3, 1, 2], DEPTHWISE_CONV_2D: [3, 0, 1, 2] } as const;

function convolve(
  draft: Draft,
  operator: TfliteOperator & { kind: 'CONV_2D' | 'DEPTHWISE_CONV_2D' },
  to: number,
): void {
  const [from = -1, weightsNumber = -1, biasNumber = -1] = operator.inputs;
  const input = picture(draft, from);
  const weights = constant(draft, weightsNumber);
  if (weights.shape.length !== 4)
    throw unable(`${operator.kind} with weights of ${weights.shape.length} dimensions`);
  const ours = transpose(weights, WEIGHT_ORDER[operator.kind]);
  const kernel = ours.shape.slice(2);
  const dilations = [operator.dilationHeight, operator.dilationWidth];
  const names = [valueName(from), addConstant(draft, `weights${weightsNumber}`, ours)];
  if (biasNumber >= 0) names.push(addConstant(draft, `bias${biasNumber}`, constant(draft, biasNumber)));
  const attributes = {
    kernel_shape: kernel,
    strides: [operator.strideHeight, operator.strideWidth],
    dilations,
    pads: explicitPads(operator, input, kernel, dilations),
    group: operator.kind === 'CONV_2D' ? 1 : (input.shape[3] ?? 1),
  };
  emit(draft, 'Conv', names, to, { attributes, activation: operator.activation });
}

/** TFLite's 'same' puts the odd pixel at the end, and how many there are depends on the picture: top, left, bottom, right. */
function explicitPads(
  { padding, strideHeight, strideWidth }: PlacedWindow,
  { shape }: TfliteTensor,
  kernel: readonly number[],
  dilations: readonly number[],
): number[] {
  const strides = [strideHeight, strideWidth];
  if ([...strides, ...kernel, ...dilations].some((extent) => extent < 1))
    throw unable(`a window of ${kernel.join(' × ')} by steps of ${strides.join(' × ')}`);
  if (padding === 'valid') return [0, 0, 0, 0];
  const totals = strides.map((stride, i) => {
    const extent = shape[1 + i] ?? 0;
    const reach = ((kernel[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1;
    return Math.max(0, (Math.ceil(extent / stride) - 1) * stride + reach - extent);
  });
  return [...totals.map((total) => Math.floor(total / 2)), ...totals.map((total) => Math.ceil(total / 2))];
}

function pad(draft: Draft, from: number, amountsNumber: number, to: number): void {
  const rank = computed(draft, from).shape.length;
  const amounts = intConstant(tensorOf(draft, amountsNumber));
  if (
    amounts.length !== 2 * rank ||
    amounts.some((amount) => amount < 0) ||
    amounts[0] !== 0 ||
    amounts[1] !== 0
  )
    throw unable(`PAD by ${amounts.join(', ')}`);
  const axes = rank === 4 ? TO_INSIDE : Array.from({ length: rank }, (_, axis) => axis);
  const pads = [
    ...axes.map((axis) => amounts[2 * axis] ?? 0),
    ...axes.map((axis) => amounts[2 * axis + 1] ?? 0),
  ];
  emit(draft, 'Pad', [valueName(from), addIntegers(draft, `pads${to}`, pads)], to);
}

/** Numbers keep the order that they have outside. */
function reshape(draft: Draft, from: number, to: number): void {
  const { shape } = computed(draft, from);
  const target = computed(draft, to).shape;
  if (shape[0] !== 1 || target[0] !== 1)
    throw unable(`RESHAPE of ${shape.join(' × ')} to ${target.join(' × ')}, which mixes pictures`);
  const outside = `${valueName(to)}.from`;
  draft.nodes.push(outwards(shape.length, valueName(from), outside));
  // A zero keeps the dimension that is there: the batch.
  const names = [outside, addIntegers(draft, `shape${to}`, [0, ...target.slice(1)])];
  const reshaped = `${valueName(to)}.to`;
  draft.nodes.push({ operator: 'Reshape', inputs: names, output: reshaped });
  draft.nodes.push(inwards(target.length, reshaped, valueName(to)));
}

const RESIZE_MODES = {
  'half-pixel': 'half_pixel',
  aligned: 'align_corners',
  asymmetric: 'asymmetric',
} as const;

function resize(draft: Draft, corners: keyof typeof RESIZE_MODES, from: number, to: number): void {
  const before = picture(draft, from).shape;
  const after = picture(draft, to).shape;
  const scales = TO_INSIDE.map((axis) => (after[axis] ?? 0) / (before[axis] ?? 0));
  if (!scales.every((scale) => Number.isInteger(scale) && scale >= 1))
    throw unable(`RESIZE_BILINEAR from ${before.join(' × ')} to ${after.join(' × ')}`);
  const factors = addConstant(draft, `scales${to}`, { shape: [4], data: Float32Array.from(scales) });
  const attributes = { mode: 'linear', coordinate_transformation_mode: RESIZE_MODES[corners] };
  emit(draft, 'Resize', [valueName(from), '', factors], to, { attributes });
}

/** Adds a node, and after it the activation that TFLite has fused into it. */
function emit(
  draft: Draft,
  operator: string,
  inputs: readonly string[],
  to: number,
  more: { attributes?: NonNullable<OnnxNode['attributes']>; activation?: Activation } = {},
): void {
  const { attributes = {}, activation = 'none' } = more;
  computed(draft, to);
  const result = valueName(to);
  const output = activation === 'none' ? result : `${result}.raw`;
  draft.nodes.push({ operator, inputs, output, attributes });
  if (activation === 'relu') draft.nodes.push({ operator: 'Relu', inputs: [output], output: result });
  else if (activation !== 'none') throw unable(`activation ${activation}`);
}

/** The name of an operand of an operator of `rank` dimensions, constants included. */
function operand(draft: Draft, number: number, rank?: number): string {
  const tensor = tensorOf(draft, number);
  if (!draft.folded.has(number) && tensor.data === undefined) {
    if (rank !== undefined && tensor.shape.length !== rank)
      throw unable(`tensor ${tensor.name} of ${tensor.shape.length} dimensions among some of ${rank}`);
    return valueName(number);
  }
  const value = constant(draft, number);
  if (rank !== 4) return addConstant(draft, `constant${number}`, value);
  if (value.shape.length > 4) throw unable(`a constant of ${value.shape.length} dimensions`);
  const shape = [...Array<number>(Math.max(0, 4 - value.shape.length)).fill(1), ...value.shape];
  const inside = transpose({ shape, data: value.data }, TO_INSIDE);
  // Without the batch's dimension: a slope of PRelu is broadcast from the right.
  return addConstant(
    draft,
    `constant${number}`,
    inside.shape[0] === 1 ? { ...inside, shape: inside.shape.slice(1) } : inside,
  );
}

function constant(draft: Draft, number: number): Constant {
  return draft.folded.get(number) ?? floatConstant(tensorOf(draft, number));
}

function addConstant(draft: Draft, name: string, { shape, data }: Constant): string {
  draft.constants.set(name, { name, shape, data });
  return name;
}

function addIntegers(draft: Draft, name: string, numbers: readonly number[]): string {
  draft.constants.set(name, { name, shape: [numbers.length], data: BigInt64Array.from(numbers, BigInt) });
  return name;
}

function inwards(rank: number, from: string, to: string): OnnxNode {
  return rank === 4 ? transposing(from, to, TO_INSIDE) : { operator: 'Identity', inputs: [from], output: to };
}

function outwards(rank: number, from: string, to: string): OnnxNode {
  return rank === 4
    ? transposing(from, to, TO_OUTSIDE)
    : { operator: 'Identity', inputs: [from], output: to };
}

function transposing(from: string, to: string, perm: readonly number[]): OnnxNode {
  return { operator: 'Transpose', inputs: [from], output: to, attributes: { perm } };
}

function openBatch(shape: readonly number[]): (number | string)[] {
  if (shape[0] !== 1) throw unable(`a shape of ${shape.join(' × ')}, where a batch of one was expected`);
  return ['batch', ...shape.slice(1)];
}

function picture(draft: Draft, number: number): TfliteTensor {
  const tensor = computed(draft, number);
  if (tensor.shape.length !== 4)
    throw unable(`tensor ${tensor.name} is no picture: it has ${tensor.shape.length} dimensions`);
  return tensor;
}

function computed(draft: Draft, number: number): TfliteTensor {
  const tensor = tensorOf(draft, number);
  if (tensor.data !== undefined || tensor.type !== 'float32' || draft.folded.has(number))
    throw unable(`tensor ${tensor.name} is no computed float32`);
  return tensor;
}

function tensorOf({ model }: Draft, number: number): TfliteTensor {
  const tensor = model.tensors[number];
  if (tensor === undefined) throw unable(`an operator without its tensor ${number}`);
  return tensor;
}

function valueName(number: number): string {
  return `t${number}`;
}

function unable(what: string): UserError {
  return new UserError(`the TFLite model can't be converted: ${what}`, {
    remedy: 'use a model of the operators that src/faces/tflite_to_onnx.ts lists',
  });
}
