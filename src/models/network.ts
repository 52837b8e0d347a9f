/** A network as plain data: layers in order, each with its inputs, its shape and its weights; what runs, exports and prints it reads this. */

/** Sizes of one example, without the batch: [height, width, channels] or [features]. */
export type ExampleShape = readonly number[];

interface Window {
  /** Height and width. */
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid';
}

/** What a layer does. Names and meanings are those of Keras. */
export type Layer =
  | (Window & {
      readonly op: 'conv2d';
      readonly filters: number;
      readonly bias: 'bias' | 'none';
      readonly initialiser?: WeightInitialiser;
      readonly maxNorm?: number;
    })
  | (Window & {
      readonly op: 'depthwiseConv2d';
      /** Filters to each channel. */
      readonly multiplier: number;
      readonly initialiser?: WeightInitialiser;
      readonly maxNorm?: number;
    })
  | {
      readonly op: 'dense';
      readonly units: number;
      readonly initialiser?: WeightInitialiser;
      readonly maxNorm?: number;
    }
  | {
      readonly op: 'batchNorm';
      /** Added to the variance. */
      readonly epsilon: number;
      /** Share of the old that a moving average keeps at each step. */
      readonly momentum: number;
    }
  | { readonly op: 'relu' | 'elu' | 'square' }
  /** The logarithm of what is at least `least`. */
  | { readonly op: 'log'; readonly least: number }
  | (Window & { readonly op: 'maxPool' | 'averagePool' })
  | { readonly op: 'globalAveragePool' | 'flatten' }
  /** Numbers left out in training, a fraction; the others are scaled up. */
  | { readonly op: 'dropout'; readonly rate: number }
  | { readonly op: 'add' }
  /** To Euclidean length 1. */
  | { readonly op: 'l2Normalise' };

export type WeightInitialiser = 'heNormal' | 'glorotUniform' | 'zeros' | 'ones';

export interface WeightSpec {
  /** `<layer>/<role>`, e.g. `conv2d_1/kernel`; roles as Keras names them. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly initialiser: WeightInitialiser;
  /** Numbers that each output, and each input, is joined to by a kernel. */
  readonly fan: readonly [into: number, outOf: number];
  /** False for the moving averages of batch normalisation, which no gradient reaches. */
  readonly trainable: boolean;
  /** Longest that the weights leading to one output may be; where they grow longer, they are cut after a step. */
  readonly maxNorm?: number;
}

export interface NetworkNode {
  readonly name: string;
  readonly layer: Layer;
  /** Names of earlier nodes, or `input`. */
  readonly from: readonly string[];
  /** Of what comes out. */
  readonly shape: ExampleShape;
  readonly weights: readonly WeightSpec[];
}

export interface Network {
  readonly inputShape: ExampleShape;
  /** In an order in which they can be computed; the last is the output. */
  readonly nodes: readonly NetworkNode[];
}

/** What the last node gives. */
export function outputShape({ nodes, inputShape }: Network): ExampleShape {
  return nodes.at(-1)?.shape ?? inputShape;
}

/** All weights, in the order of the nodes. */
export function networkWeights({ nodes }: Network): WeightSpec[] {
  return nodes.flatMap(({ weights }) => weights);
}

/** Numbers in all weights. */
export function countWeights(network: Network): number {
  return networkWeights(network).reduce((sum, { shape }) => sum + product(shape), 0);
}

/** A value inside a network that is being built. */
export interface Value {
  readonly name: string;
  readonly shape: ExampleShape;
}

/** Builds a network layer by layer: `x = net.apply(x, layer)`, then `net.finish()`. */
export class NetworkBuilder {
  readonly input: Value;
  private readonly nodes: NetworkNode[] = [];
  private readonly counts = new Map<string, number>();

  constructor(inputShape: ExampleShape) {
    this.input = { name: 'input', shape: inputShape };
  }

  /**
   * Puts a layer on one value, `add` on two.
   * @throws RangeError where nothing would be left of the value, or its rank doesn't suit.
   */
  apply(x: Value | readonly [Value, Value], layer: Layer): Value {
    const from = 'name' in x ? [x] : [...x];
    const number = (this.counts.get(layer.op) ?? 0) + 1;
    this.counts.set(layer.op, number);
    const name = `${layer.op}_${number}`;
    const shape = shapeAfter(layer, from);
    if (!shape.every((size) => size >= 1))
      throw new RangeError(`${name} leaves nothing of [${from[0]?.shape.join(', ')}]`);
    const weights = weightsOf(name, layer, (from[0] as Value).shape);
    this.nodes.push({ name, layer, from: from.map((value) => value.name), shape, weights });
    return { name, shape };
  }

  /** The network whose output is the layer that was applied last. */
  finish(): Network {
    return { inputShape: this.input.shape, nodes: this.nodes };
  }
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((result, size) => result * size, 1);
}

function shapeAfter(layer: Layer, from: readonly Value[]): ExampleShape {
  const [{ shape } = { shape: [] as readonly number[] }, second] = from;
  switch (layer.op) {
    case 'conv2d':
      return [...slide(shape, layer), layer.filters];
    case 'depthwiseConv2d':
      return [...slide(shape, layer), channelsOf(shape) * layer.multiplier];
    case 'maxPool':
    case 'averagePool':
      return [...slide(shape, layer), channelsOf(shape)];
    case 'globalAveragePool':
      return [channelsOf(shape)];
    case 'flatten':
      return [product(shape)];
    case 'dense':
      if (shape.length !== 1) throw new RangeError(`dense takes a vector, not [${shape.join(', ')}]`);
      return [layer.units];
    case 'add':
      if (second === undefined || second.shape.join() !== shape.join())
        throw new RangeError(`add takes two of one shape, not [${from.map((value) => value.shape.join())}]`);
      return shape;
    default:
      return shape;
  }
}

/** Height and width after a window slid over them. */
function slide(shape: ExampleShape, { kernel, strides, padding }: Window): number[] {
  if (shape.length !== 3) throw new RangeError(`a window can't slide over [${shape.join(', ')}]`);
  return [0, 1].map((axis) => {
    const room = (shape[axis] as number) - (padding === 'valid' ? (kernel[axis] as number) - 1 : 0);
    return Math.ceil(room / (strides[axis] as number));
  });
}

function channelsOf(shape: ExampleShape): number {
  return shape.at(-1) as number;
}

function weightsOf(name: string, layer: Layer, shape: ExampleShape): WeightSpec[] {
  const channels = channelsOf(shape);
  const vector = (
    role: string,
    size: number,
    initialiser: WeightInitialiser,
    trainable = true,
  ): WeightSpec => ({
    name: `${name}/${role}`,
    shape: [size],
    initialiser,
    fan: [1, size],
    trainable,
  });
  const kernel = (role: string, sizes: readonly number[], fan: readonly [number, number]): WeightSpec => {
    const { initialiser = 'glorotUniform', maxNorm } = layer as {
      readonly initialiser?: WeightInitialiser;
      readonly maxNorm?: number;
    };
    const limit = maxNorm === undefined ? {} : { maxNorm };
    return { name: `${name}/${role}`, shape: sizes, initialiser, fan, trainable: true, ...limit };
  };
  switch (layer.op) {
    case 'conv2d': {
      const area = product(layer.kernel);
      const sizes = [...layer.kernel, channels, layer.filters];
      const filters = kernel('kernel', sizes, [area * channels, area * layer.filters]);
      return layer.bias === 'none' ? [filters] : [filters, vector('bias', layer.filters, 'zeros')];
    }
    case 'depthwiseConv2d': {
      const area = product(layer.kernel);
      const sizes = [...layer.kernel, channels, layer.multiplier];
      return [kernel('depthwise_kernel', sizes, [area, area * layer.multiplier])];
    }
    case 'dense':
      return [
        kernel('kernel', [channels, layer.units], [channels, layer.units]),
        vector('bias', layer.units, 'zeros'),
      ];
    case 'batchNorm':
      return [
        vector('gamma', channels, 'ones'),
        vector('beta', channels, 'zeros'),
        vector('moving_mean', channels, 'zeros', false),
        vector('moving_variance', channels, 'ones', false),
      ];
    default:
      return [];
  }
}
