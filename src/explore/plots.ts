/** Plots as SVG for the inside of a page: histograms of several splits, bars, tones of pictures, channels. */

import type { ReportedHistogram } from './dyadic_histogram.js';
import { clipText, type Html, html } from './html_text.js';

/** What a plot is, for those who don't see it. `id` is unique in the page. */
export interface PlotLabel {
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

/** A plot is drawn for this width in pixels, which a telephone has, and grows with its place a little. */
const WIDTH = 340;
const HEIGHT = 170;
const LEFT = 16;
const FOOT = 22;

/** Numbers of one split. Splits differ by colour, by dashes, and by the order in the legend. */
export interface HistogramSeries {
  readonly name: string;
  readonly histogram: ReportedHistogram;
}

/**
 * How the numbers of each split are spread, on one axis and with areas of one size, the first as a filled shape.
 * @param kind `whole` where all values are whole numbers: so are the ticks then
 */
export function histogramPlot(
  series: readonly HistogramSeries[],
  label: PlotLabel,
  kind: 'any' | 'whole' = 'any',
): Html {
  const ends = series.map(({ histogram: { from, width, counts } }) => [from, from + width * counts.length]);
  const least = Math.min(...ends.map(([from]) => from as number));
  const greatest = Math.max(...ends.map(([, to]) => to as number));
  const densities = series.map(({ histogram: { counts, width, below, above } }) => {
    const all = counts.reduce((sum, each) => sum + each, below + above);
    return counts.map((each) => each / all / width);
  });
  const most = Math.max(...densities.flat());
  const x = (value: number): number => rounded(LEFT + ((value - least) / (greatest - least)) * PLOT_WIDTH);
  const y = (density: number): number => rounded(HEIGHT - FOOT - (density / most) * (HEIGHT - FOOT - 10));
  const outlines = series.map(({ histogram: { from, width } }, i) => {
    const steps = (densities[i] as number[]).map(
      (density, bin) => `V${y(density)}H${x(from + (bin + 1) * width)}`,
    );
    return `M${x(from)} ${y(0)}${steps.join('')}V${y(0)}`;
  });
  return plot(
    label,
    HEIGHT,
    html`${outlines.map((path, i) => html`<path class="line s${i}${i === 0 && ' area'}" d="${path}"/>`)}${axis({ least, greatest, x, bottom: HEIGHT - FOOT, kind })}`,
  );
}

export interface BarRow {
  readonly name: string;
  /** One for each split, 0 … 1; null where it is not known. */
  readonly shares: readonly (number | null)[];
}

/** Longer names stand above their bars. */
const SHORT_NAME = 12;
const NAME_WIDTH = 84;
const NAME_HEIGHT = 15;
const VALUE_WIDTH = 50;
const BAR = 9;

/** A row a class, and in it a bar a split: how much of the split it is. */
export function barPlot(rows: readonly BarRow[], label: PlotLabel): Html {
  const most = Math.max(...rows.flatMap(({ shares }) => shares.map((share) => share ?? 0)), Number.MIN_VALUE);
  const bars = Math.max(...rows.map(({ shares }) => shares.length));
  const isShort = rows.every(({ name }) => name.length <= SHORT_NAME);
  const [left, head] = isShort ? [NAME_WIDTH, 0] : [LEFT, NAME_HEIGHT];
  const rowHeight = head + bars * (BAR + 2) + 8;
  const full = WIDTH - left - VALUE_WIDTH;
  const drawn = rows.map(({ name, shares }, row) => {
    const top = row * rowHeight + 4;
    const nameY = isShort ? rounded(top + (bars * (BAR + 2)) / 2 + 3) : top + NAME_HEIGHT - 5;
    const nameText = html`<text class="${isShort ? 'name' : 'name above'}" x="${isShort ? left - 8 : left}" y="${nameY}">${clipText(name, 48)}</text>`;
    return html`${nameText}${shares.map((share, i) => {
      const y = top + head + i * (BAR + 2);
      const length = share !== null && share > 0 ? Math.max(1, (share / most) * full) : 0;
      return html`<rect class="bar-of s${i}" x="${left}" y="${y}" width="${rounded(length)}" height="${BAR}" rx="1.5"/><text class="value" x="${rounded(left + length + 5)}" y="${y + BAR - 0.5}">${percent(share)}</text>`;
    })}`;
  });
  return plot(label, rows.length * rowHeight + 4, html`${drawn}`);
}

export interface Tones {
  /** `red`, `green`, `blue`, `grey` or `alpha`. */
  readonly name: string;
  /** Of the 256 values. */
  readonly counts: readonly number[];
}

/** How often pixels are how bright, a curve a colour. The two ends are cut where they tower over everything else. */
export function tonePlot(channels: readonly Tones[], label: PlotLabel): Html {
  const inner = channels.flatMap(({ counts }) => counts.slice(1, -1));
  const most = Math.max(...inner, 1);
  const bottom = HEIGHT - FOOT;
  const x = (value: number): number => rounded(LEFT + (value / 255) * PLOT_WIDTH);
  const y = (times: number): number => rounded(bottom - (Math.min(times, most) / most) * (bottom - 10));
  const curves = channels.map(({ name, counts }) => {
    const points = counts.map((times, value) => `${x(value)} ${y(times)}`).join('L');
    return html`<path class="tone ${name}" d="M${LEFT} ${bottom}L${points}L${x(255)} ${bottom}Z"/>`;
  });
  const scaled = axis({ least: 0, greatest: 1, x: (value) => x(value * 255), bottom });
  return plot(label, HEIGHT, html`${curves}${scaled}`);
}

export interface ChannelRow {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
}

const CHANNEL_ROW = 13;
const CHANNEL_NAME_WIDTH = 56;

/** A row a channel: its mean as a point, and a line from one deviation below it to one above. */
export function channelPlot(channels: readonly ChannelRow[], label: PlotLabel): Html {
  const least = Math.min(...channels.map(({ mean, deviation }) => mean - deviation));
  const greatest = Math.max(...channels.map(({ mean, deviation }) => mean + deviation));
  const span = greatest - least || 1;
  const width = WIDTH - CHANNEL_NAME_WIDTH - 14;
  const x = (value: number): number => rounded(CHANNEL_NAME_WIDTH + ((value - least) / span) * width);
  const bottom = channels.length * CHANNEL_ROW + 6;
  const rows = channels.map(({ name, mean, deviation }, i) => {
    const y = i * CHANNEL_ROW + 10;
    return html`<text class="name" x="${CHANNEL_NAME_WIDTH - 8}" y="${y + 3.5}">${clipText(name, 9)}</text><path class="reach" d="M${x(mean - deviation)} ${y}H${x(mean + deviation)}"/><circle class="mean" cx="${x(mean)}" cy="${y}" r="3"/>`;
  });
  return plot(label, bottom + FOOT, html`${axis({ least, greatest, x, bottom })}${rows}`);
}

const PLOT_WIDTH = WIDTH - 2 * LEFT;

function plot({ id, title, description }: PlotLabel, height: number, inside: Html): Html {
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${Math.ceil(height)}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${title}</title><desc id="${id}-d">${description}</desc>${inside}</svg>`;
}

/** How wide a digit is at most, in the style's 10.5 pixels. */
const TICK_CHARACTER = 6.5;

function axis(of: {
  readonly least: number;
  readonly greatest: number;
  readonly x: (value: number) => number;
  readonly bottom: number;
  readonly kind?: 'any' | 'whole';
}): Html {
  const { least, greatest, x, bottom, kind } = of;
  const values = ticks(least, greatest, kind);
  const step = (values[1] ?? 0) - (values[0] ?? 0);
  const drawn = values.map((tick) => {
    const text = tickText(tick, step);
    // What stands at an end is moved inwards by as much as it would reach out of the drawing.
    const half = (text.length * TICK_CHARACTER) / 2;
    const middle = rounded(Math.min(WIDTH - half, Math.max(half, x(tick))));
    return html`<path d="M${x(tick)} 6V${bottom + 4}"/><text x="${middle}" y="${bottom + 16}">${text}</text>`;
  });
  return html`<g class="ticks">${drawn}</g><path class="ground" d="M${x(least)} ${bottom}H${x(greatest)}"/>`;
}

/** Four to nine round numbers from `least` to `greatest`; fewer where only whole ones are asked for and there are fewer. */
export function ticks(least: number, greatest: number, kind: 'any' | 'whole' = 'any'): number[] {
  const span = greatest - least;
  if (!(span > 0) || !Number.isFinite(span)) return [least];
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const round = ([5, 2, 1].find((each) => each * power <= span / 4) ?? 1) * power;
  const step = kind === 'whole' ? Math.max(1, round) : round;
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(greatest / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** In short where that tells ticks apart, else with all the digits that the step has. */
function tickText(tick: number, step: number): string {
  const text = shortNumber(tick);
  if (step === 0 || (text !== shortNumber(tick + step) && text !== shortNumber(tick - step))) return text;
  const digits = Math.min(20, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
  return tick.toFixed(digits).replace('-', '−');
}

/** 1234567 as `1.23M`, 0.0000123 as `1.2e-5`: as wide as there is room for beside a tick. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e12 || (size > 0 && size < 1e-4)) return value.toExponential(1).replace('e+', 'e');
  const [, divisor, suffix] = SUFFIXES.find(([least]) => size >= least) ?? [0, 1, ''];
  return `${Number((value / divisor).toPrecision(size >= 1000 ? 3 : 4))}${suffix}`.replace('-', '−');
}

/** From which size on what is written. */
const SUFFIXES = [
  [1e9, 1e9, 'G'],
  [1e6, 1e6, 'M'],
  [1e4, 1e3, 'k'],
] as const;

/** A share in few characters. */
export function percent(share: number | null): string {
  if (share === null) return '–';
  if (share > 0 && share < 0.001) return '< 0.1 %';
  return `${(100 * share).toFixed(share === 0 || share === 1 ? 0 : 1)} %`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
