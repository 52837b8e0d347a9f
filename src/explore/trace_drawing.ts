/** Draws a window of EEG as an SVG: channels below each other, seconds along the foot, a bar that says how high is how much. */

import { clipText, type Html, html } from './html_text.js';

/** A window as it stands in an example. */
export interface Traces {
  /** From top to bottom. */
  readonly channels: readonly string[];
  /** In Hz. */
  readonly samplingRate: number;
  /** Channels × samples, channel after channel. */
  readonly samples: Float32Array;
  /** What a value of 1 is: `µV`, or `SD` where windows were standardised. */
  readonly unit: string;
}

export interface TraceDrawingOptions {
  /** What the drawing is, for those who don't see it. */
  readonly label: string;
  /** Of the whole drawing, in pixels as it is meant to be seen. */
  readonly widthPx: number;
}

/** A drawing is no larger than this, however many channels and samples there are. */
export const MAX_DRAWING_BYTES = 40_000;

/** Channels that are drawn; the others would only make all of them too coarse to be seen. */
export const MAX_DRAWN_CHANNELS = 128;

/**
 * The drawing as an `<svg>` for the inside of a page, coloured by the page's style. Each channel is drawn about its median,
 * all with one gain: half a row is what the middle channel rarely exceeds, so that one bad electrode does not flatten the
 * others; what goes further than a row and a half is cut there. A column that stands for several samples shows their
 * lowest and highest, each where it is. Values that are no numbers leave gaps.
 */
export function traceDrawing(all: Traces, { label, widthPx }: TraceDrawingOptions): Html {
  const traces = drawn(all);
  const layout = layoutOf(traces, widthPx);
  const centred = rowsOf(traces).map(aboutMedian);
  const pixelsPerUnit = gainOf(centred, layout.rowHeight);
  const names = html`<g class="${layout.rowHeight < SPARSE_ROW_PX ? 'channel dense' : 'channel'}">${traces.channels.map(
    (name, row) =>
      html`<text x="${NAMES_PX - 6}" y="${middleOf(row, layout) + 3}">${clipText(name, MAX_NAME_CHARACTERS)}</text>`,
  )}</g>`;
  const frame = html`${timeAxis(layout)}${names}${scaleBar(pixelsPerUnit, traces.unit, layout)}`;
  const budget = MAX_DRAWING_BYTES - HEAD_BYTES - Buffer.byteLength(`${frame}${html`${label}`}`);
  const paths = pathsOf(centred, pixelsPerUnit, { layout, budget });
  return html`<svg viewBox="0 0 ${widthPx} ${layout.plotHeight + FOOT_PX}" role="img" aria-label="${label}">${frame}<g transform="translate(${NAMES_PX})scale(${1 / layout.finePerPixel})">${paths.map(
    (path) => html`<path d="${path}"/>`,
  )}</g></svg>`;
}

/** What a drawing does not show of a window, in words. */
export function drawingLosses(all: Traces): string[] {
  const traces = drawn(all);
  const { rowHeight } = layoutOf(traces, 0);
  const centred = rowsOf(traces).map(aboutMedian);
  const most = (CUT_ROWS * rowHeight) / gainOf(centred, rowHeight);
  const cut = centred.filter((row) => row.some((value) => Math.abs(value) > most)).length;
  const count = all.channels.length;
  return [
    ...(count > traces.channels.length ? [`the first ${traces.channels.length} of ${count} channels`] : []),
    ...(cut === 0 ? [] : [`${cut} of ${count} channels go further than is drawn`]),
  ];
}

/** The markup around frame and paths, with the longest numbers. */
const HEAD_BYTES = 200;

/** Room for names, for the scale bar, above the first row and for the time axis. */
const NAMES_PX = 46;
const BAR_PX = 50;
const HEAD_PX = 8;
const FOOT_PX = 22;

/** Rows as high as fit into this, but not lower or higher than can be read. */
const ROWS_PX = 240;
const MIN_ROW_PX = 12;
const MAX_ROW_PX = 60;
const SPARSE_ROW_PX = 14;

const CUT_ROWS = 1.5;
const MAX_NAME_CHARACTERS = 10;

interface Layout {
  readonly plotWidth: number;
  readonly plotHeight: number;
  readonly rowHeight: number;
  readonly seconds: number;
  /** Paths are in whole numbers; where there are few, in finer ones than pixels. */
  readonly finePerPixel: number;
}

function layoutOf({ channels, samplingRate, samples }: Traces, widthPx: number): Layout {
  const rows = Math.max(1, channels.length);
  const rowHeight = Math.min(MAX_ROW_PX, Math.max(MIN_ROW_PX, Math.round(ROWS_PX / rows)));
  return {
    plotWidth: Math.max(1, widthPx - NAMES_PX - BAR_PX),
    plotHeight: HEAD_PX + rows * rowHeight + 4,
    rowHeight,
    seconds: samples.length / rows / samplingRate,
    finePerPixel: rows <= 8 ? 4 : rows <= 24 ? 2 : 1,
  };
}

function drawn(traces: Traces): Traces {
  const { channels, samples } = traces;
  if (channels.length <= MAX_DRAWN_CHANNELS) return traces;
  const length = Math.floor(samples.length / channels.length);
  return {
    ...traces,
    channels: channels.slice(0, MAX_DRAWN_CHANNELS),
    samples: samples.subarray(0, MAX_DRAWN_CHANNELS * length),
  };
}

function middleOf(row: number, { rowHeight }: Layout): number {
  return HEAD_PX + (row + 0.5) * rowHeight;
}

function rowsOf({ channels, samples }: Traces): Float32Array[] {
  const length = Math.floor(samples.length / Math.max(1, channels.length));
  return channels.map((_, row) => samples.subarray(row * length, (row + 1) * length));
}

/** Values less their median. */
function aboutMedian(row: Float32Array): Float32Array {
  const middle = quantile(row, 0.5);
  return row.map((value) => value - middle);
}

/** So many values tell a quantile well enough for a drawing. */
const QUANTILE_VALUES = 2000;

/** Of the values that are numbers; 0 where there are none. */
function quantile(values: ArrayLike<number>, part: number): number {
  const stride = Math.max(1, Math.floor(values.length / QUANTILE_VALUES));
  const some: number[] = [];
  for (let i = 0; i < values.length; i += stride) {
    const value = values[i] as number;
    if (Number.isFinite(value)) some.push(value);
  }
  some.sort((a, b) => a - b);
  return some[Math.floor(part * (some.length - 1))] ?? 0;
}

/** Pixels for a value of 1. Channels that are flat don't count, nor does the wildest of a channel's values. */
function gainOf(centred: readonly Float32Array[], rowHeight: number): number {
  const reaches = centred.map((row) => quantile(row.map(Math.abs), 0.98)).filter((reach) => reach > 0);
  const reach = quantile(reaches, 0.5);
  return reach > 0 ? rowHeight / 2 / reach : 1;
}

/** About as many characters as a column takes of a path, and as a path takes of markup. */
const COLUMN_CHARACTERS = 8;
const PATH_CHARACTERS = 14;

/** A path a channel, in as many columns as the drawing's size leaves. */
function pathsOf(
  centred: readonly Float32Array[],
  pixelsPerUnit: number,
  { layout, budget }: { readonly layout: Layout; readonly budget: number },
): string[] {
  const { plotWidth, plotHeight, rowHeight, finePerPixel } = layout;
  const most = CUT_ROWS * rowHeight;
  let columns = plotWidth;
  for (;;) {
    const paths = centred.map((row, i) => {
      const middle = middleOf(i, layout);
      const heightOf = (value: number): number => {
        const y = middle - Math.min(most, Math.max(-most, value * pixelsPerUnit));
        return Math.round(Math.min(plotHeight, Math.max(0, y)) * finePerPixel);
      };
      return pathOf(row, heightOf, { columns, width: plotWidth * finePerPixel });
    });
    const size = paths.reduce((sum, { length }) => sum + length + PATH_CHARACTERS, 0);
    if (columns === 1 || size <= budget) return paths;
    const fitting = Math.floor(budget / Math.max(1, centred.length) / COLUMN_CHARACTERS);
    columns = Math.max(
      1,
      Math.min(Math.floor(columns * 0.95), Math.max(fitting, Math.floor((columns * budget) / size))),
    );
  }
}

function pathOf(
  row: Float32Array,
  heightOf: (value: number) => number,
  { columns, width }: { readonly columns: number; readonly width: number },
): string {
  const parts = Math.min(columns, row.length);
  const xOf = (sample: number): number => Math.round(((sample + 0.5) * width) / row.length);
  const pen = new Pen();
  for (let part = 0; part < parts; part++) {
    const from = Math.floor((part * row.length) / parts);
    const to = Math.floor(((part + 1) * row.length) / parts);
    const samples = extremes(row, from, to);
    if (samples.length === 0) pen.lift();
    for (const sample of samples) pen.draw(xOf(sample), heightOf(row[sample] as number));
  }
  return pen.path;
}

/** Where the least and the greatest number are from `from` to before `to`, the earlier first; nothing where there is none. */
function extremes(row: Float32Array, from: number, to: number): readonly number[] {
  let lowest = -1;
  let highest = -1;
  for (let i = from; i < to; i++) {
    const value = row[i] as number;
    if (!Number.isFinite(value)) continue;
    if (lowest < 0 || value < (row[lowest] as number)) lowest = i;
    if (highest < 0 || value > (row[highest] as number)) highest = i;
  }
  if (lowest < 0) return [];
  if (lowest === highest) return [lowest];
  return lowest < highest ? [lowest, highest] : [highest, lowest];
}

/** Writes a path in the shortest of SVG's commands (SVG 2, section 9.3). */
class Pen {
  path = '';
  private x = 0;
  private y = 0;
  private isUp = true;

  lift(): void {
    this.isUp = true;
  }

  draw(x: number, y: number): void {
    const [right, down] = [x - this.x, y - this.y];
    // The dot is for a value that stands alone.
    if (this.isUp) this.path += `M${x} ${y}h0`;
    else if (right === 0) this.path += down === 0 ? '' : `v${down}`;
    else this.path += down === 0 ? `h${right}` : `l${right}${down < 0 ? '' : ' '}${down}`;
    this.isUp = false;
    this.x = x;
    this.y = y;
  }
}

/** Ticks at whole steps of seconds from the window's start. */
function timeAxis({ seconds, plotWidth, plotHeight }: Layout): Html {
  const step = roundUp(seconds / 6);
  const ticks = Number.isFinite(step)
    ? Array.from({ length: Math.floor(seconds / step + 1e-9) + 1 }, (_, i) => i * step)
    : [];
  const xOf = (second: number): number => rounded(NAMES_PX + (second / seconds) * plotWidth);
  return html`<g class="axis">${ticks.map(
    (tick) => html`<path d="M${xOf(tick)} 4V${plotHeight + 4}"/>`,
  )}</g>${ticks.map(
    (tick, i) =>
      html`<text class="tick" x="${xOf(tick)}" y="${plotHeight + 17}">${Number(tick.toPrecision(6))}${i === ticks.length - 1 && ' s'}</text>`,
  )}`;
}

function scaleBar(pixelsPerUnit: number, unit: string, { plotWidth, plotHeight, rowHeight }: Layout): Html {
  const value = roundUp(Math.max(rowHeight, MIN_BAR_PX) / pixelsPerUnit / 2);
  const length = rounded(value * pixelsPerUnit);
  const [x, top] = [NAMES_PX + plotWidth + 8, rounded(plotHeight - 4 - length)];
  return html`<path class="scale" d="M${x - 3} ${top}h6m-3 0v${length}m-3 0h6"/><text class="scale" x="${x + 5}" y="${rounded(top + length / 2 + 3)}">${Number(value.toPrecision(3))} ${unit}</text>`;
}

const MIN_BAR_PX = 24;

/** The next of …, 1, 2, 5, 10, 20, 50, … */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
