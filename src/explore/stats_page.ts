/** The statistics page: one self-contained HTML file of plots and tables that shows what the splits of a Problem hold. */

import { CONTACT_SHEET_STYLE } from './contact_sheet_style.js';
import type { DataStats } from './data_stats.js';
import type { FeatureStats, ImageStats, NumberStats } from './feature_stats.js';
import { type Html, html } from './html_text.js';
import { barPlot, channelPlot, histogramPlot, percent, shortNumber, tonePlot } from './plots.js';
import { checksOf } from './stats_checks.js';
import {
  count,
  fraction,
  grid,
  idOf,
  kilobytes,
  legend,
  line,
  megabytes,
  type NamedSplit,
  panel,
  section,
} from './stats_page_parts.js';
import { STATS_PAGE_STYLE } from './stats_page_style.js';
import { compareNames, type ReportedValues } from './value_counts.js';

/**
 * The whole page. It has no scripts and loads nothing (its content security policy forbids it too), reads well on a phone,
 * on paper, in light and in dark, and every plot is described for those who don't see it.
 */
export function statsPage(stats: DataStats): string {
  const splits = Object.entries(stats.splits);
  const title = `${stats.problem}: statistics`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${CONTACT_SHEET_STYLE}${STATS_PAGE_STYLE}</style>
</head>
<body>
<a class="skip" href="#checks">Skip to the checks</a>
<header>
<p class="eyebrow">${stats.problem}</p>
<h1>${stats.dataset.title}</h1>
<div class="splits">${splits.map(splitHead)}</div>
</header>
<main>
${checks(stats)}
${classes(splits)}
${pictures(splits)}
${recordings(splits)}
${numbers(splits)}
${words(splits)}
</main>
<footer><p>Statistics of ${stats.problem}, counted by t2t-ts. Deviations are those of all values counted.</p></footer>
</body>
</html>
`.toString();
}

function splitHead([split, { records, written, bytes }]: NamedSplit, place: number): Html {
  const part = records < written && html` counted of ${count(written)}`;
  return html`<div class="split s${place}"><h2>${split}</h2><p>${count(records)} <small>records${part}</small></p><small>${megabytes(bytes)} in shards</small></div>`;
}

function checks(stats: DataStats): Html {
  const all = checksOf(stats);
  const faults = all.filter(({ isWell }) => !isWell).length;
  const about =
    all.length === 0
      ? 'There was nothing that could be checked.'
      : faults === 0
        ? 'Nothing was found amiss.'
        : `${count(faults)} of these should be looked at.`;
  const item = ({ isWell, sentence }: (typeof all)[number]): Html =>
    html`<li class="${isWell ? 'well' : 'look'}"><span class="mark" role="img" aria-label="${isWell ? 'well:' : 'look at this:'}">${isWell ? '✓' : '!'}</span><span>${sentence}</span></li>`;
  return section('checks', 'Checks', about, html`<ul class="checks">${all.map(item)}</ul>`);
}

/** Classes that are drawn; a table of all would be the JSON. */
const MAX_CLASSES = 20;

function classes(splits: readonly NamedSplit[]): Html | undefined {
  const labels = splits[0]?.[1].labels ?? [];
  const panels = labels.flatMap((name) => {
    const values = splits.map(([, { features }]) => valuesOf(features[name]));
    return barsPanel(name, 'Share of each class', splits, values) ?? [];
  });
  const votes = barsPanel(
    'agreement',
    'Annotators who gave the most frequent answer, of all who were asked',
    splits,
    splits.map(([, { agreement }]) => agreement),
  );
  const all = votes === undefined ? panels : [...panels, votes];
  if (all.length === 0) return undefined;
  return section(
    'classes',
    'Classes',
    'How much of each split every class is.',
    html`${legend(splits)}${grid(all)}`,
  );
}

function barsPanel(
  name: string,
  about: string,
  splits: readonly NamedSplit[],
  values: readonly (ReportedValues | undefined)[],
): Html | undefined {
  const counts = values.map((each) => new Map(each?.most ?? []));
  // `4 of 6` before `10+`.
  const byNumber = (a: string, b: string): number => compareNames(a, b, Number.parseFloat);
  const names = [...new Set(counts.flatMap((each) => [...each.keys()]))].sort(byNumber);
  if (names.length === 0) return undefined;
  const shareOf = (name: string, i: number): number | null => {
    const [known, times] = [values[i], counts[i]?.get(name)];
    if (times !== undefined) return times / (known?.all ?? times);
    return isCutOff(known) ? null : 0;
  };
  const rows = names.slice(0, MAX_CLASSES).map((each) => ({
    name: each === '' ? '(empty)' : each,
    shares: splits.map((_, i) => shareOf(each, i)),
  }));
  const distinct = Math.max(names.length, ...values.map((each) => each?.distinct ?? 0));
  const rest = `${values.some(isCutOff) ? 'at least ' : ''}${count(distinct - rows.length)}`;
  const description = rows
    .map(
      (row) =>
        `${row.name}: ${row.shares.map((share, i) => `${splits[i]?.[0]} ${percent(share)}`).join(', ')}`,
    )
    .join('; ');
  return panel(
    name,
    `${about}${distinct > rows.length ? `; ${rest} more are not drawn` : ''}.`,
    barPlot(rows, { id: idOf('bars', name), title: `${name}: ${about}`, description }),
  );
}

/** Whether there are values that only the count of all tells of. */
function isCutOff(values: ReportedValues | undefined): boolean {
  return values !== undefined && (values.distinct === null || values.distinct > values.most.length);
}

function pictures(splits: readonly NamedSplit[]): Html | undefined {
  const names = featureNames(splits, 'image');
  if (names.length === 0) return undefined;
  const [first] = splits as [NamedSplit];
  const tones = names.flatMap((name) => {
    const { channels } = first[1].features[name] as ImageStats;
    if (channels.length === 0) return [];
    const figures = channels.map(
      ({ name: colour, mean, deviation }) => `${colour} ${fraction(mean)} ± ${fraction(deviation)}`,
    );
    const drawing = tonePlot(channels, {
      id: idOf('tones', name),
      title: `${name}: how bright pixels of ${first[0]} are`,
      description: `Mean and deviation: ${figures.join(', ')}`,
    });
    return [panel(name, `Brightness of pixels of ${first[0]}, from 0 to 1.`, drawing)];
  });
  const uses = barsPanel(
    'use',
    'Share of the different pictures that stand in one record, in two and so on',
    splits,
    splits.map(([, { contents }]) => timesUsed(contents?.times)),
  );
  const colours = (first[1].features[names[0] as string] as ImageStats).channels.map(({ name }) => name);
  const rows = splits.flatMap(([split, { features }]) =>
    names.map((name) => {
      const image = features[name] as ImageStats;
      const sizes = image.sizes.most.slice(0, 3).map(([size, times]) => `${size} (${count(times)})`);
      return html`<tr><th scope="row">${split} ${name}</th>${colours.map((colour) => {
        const channel = image.channels.find((each) => each.name === colour);
        return html`<td>${channel === undefined ? '–' : `${fraction(channel.mean)} ± ${fraction(channel.deviation)}`}</td>`;
      })}<td>${kilobytes(image.bytes.mean)}</td><td class="words">${sizes.join(', ')}</td></tr>`;
    }),
  );
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="Table of pictures"><table><caption>Mean ± deviation of pixels, from 0 to 1, as networks take them</caption><thead><tr><th scope="col">pictures</th>${colours.map((colour) => html`<th scope="col">${colour}</th>`)}<th scope="col">size</th><th scope="col">height × width × channels</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  const colourLegend = html`<p class="legend">${colours.map((colour) => html`<span class="${colour}">${line()}${colour}</span>`)}</p>`;
  return section(
    'pictures',
    'Pictures',
    'What a network sees before it is normalised.',
    html`${colourLegend}${grid(tones)}${table}${uses && html`<h3 class="after">How often a picture is used</h3>${legend(splits)}${grid([uses])}`}`,
  );
}

function timesUsed(times: readonly number[] | undefined): ReportedValues | undefined {
  if (times === undefined) return undefined;
  const most = times.map((things, i) => [i === 9 ? '10+' : String(i + 1), things] as const);
  const all = times.reduce((sum, things) => sum + things, 0);
  const some = most.filter(([, things]) => things > 0);
  return { all, distinct: some.length, most: some };
}

function recordings(splits: readonly NamedSplit[]): Html | undefined {
  const names = featureNames(splits, 'float32').filter((name) => isSignal(splits[0]?.[1].features[name]));
  if (names.length === 0) return undefined;
  const [first] = splits as [NamedSplit];
  const panels = names.flatMap((name) => {
    const { channels, unit = '' } = first[1].features[name] as NumberStats;
    const drawn = channels.flatMap(({ name: channel, mean, deviation }) =>
      mean === null || deviation === null ? [] : [{ name: channel, mean, deviation }],
    );
    const spread = histogramPanel(splits, name, unit);
    if (drawn.length === 0) return spread;
    const plot = channelPlot(drawn, {
      id: idOf('channels', name),
      title: `${name}: mean and deviation of each channel of ${first[0]}`,
      description: drawn
        .map((each) => `${each.name}: ${shortNumber(each.mean)} ± ${shortNumber(each.deviation)} ${unit}`)
        .join('; '),
    });
    return [
      ...spread,
      panel(name, `Mean (point) and deviation (line) of each channel of ${first[0]}, in ${unit}.`, plot),
    ];
  });
  const about = 'Values of all channels, and each channel about its mean.';
  return section('recordings', 'Recordings', about, html`${legend(splits)}${grid(panels)}`);
}

function numbers(splits: readonly NamedSplit[]): Html {
  const floats = featureNames(splits, 'float32').filter((name) => !isSignal(splits[0]?.[1].features[name]));
  const labels = splits[0]?.[1].labels ?? [];
  const whole = featureNames(splits, 'int64').filter((name) => !labels.includes(name));
  const sizes = histogramsOf(splits.map(([split, { recordBytes }]) => [split, recordBytes.histogram]));
  const [first] = splits;
  const records = panel(
    'bytes of a record',
    `${kilobytes(first?.[1].recordBytes.mean ?? null)} on average in ${first?.[0]}.`,
    histogramPlot(
      sizes,
      { id: 'sizes', title: 'Bytes of a record', description: 'How large records are' },
      'whole',
    ),
  );
  const isSingle = (name: string): boolean => channelsOf(splits, name).length === 1;
  const panels = [
    ...floats.filter(isSingle).flatMap((name) => histogramPanel(splits, name, '')),
    ...whole.flatMap((name) => wholePanel(splits, name)),
  ];
  const lists = floats.filter((name) => !isSingle(name));
  const all = sizes.length === 0 ? panels : [records, ...panels];
  const about =
    'The first split is the filled shape; shapes are of one size, however many records a split has.';
  return section(
    'numbers',
    'Numbers',
    about,
    html`${legend(splits)}${grid(all)}${lists.length > 0 && listTable(splits, lists)}`,
  );
}

/** Whole numbers of few values are counted one by one. */
const FEW_VALUES = 12;

function wholePanel(splits: readonly NamedSplit[], name: string): Html[] {
  const values = splits.map(([, { features }]) => valuesOf(features[name]));
  const areFew = values.every((each) => (each?.distinct ?? Infinity) <= FEW_VALUES);
  if (!areFew || onlyValue(splits, name) !== undefined) return histogramPanel(splits, name, '');
  return [barsPanel(name, 'Share of each value', splits, values)].flatMap((panel) => panel ?? []);
}

function channelsOf(splits: readonly NamedSplit[], name: string): NumberStats['channels'] {
  return (splits[0]?.[1].features[name] as NumberStats | undefined)?.channels ?? [];
}

/** Longer lists are one row: their elements would fill pages. */
const MAX_LISTED = 16;

function listTable(splits: readonly NamedSplit[], names: readonly string[]): Html {
  const rows = names.flatMap((name) => {
    const channels = channelsOf(splits, name);
    if (channels.length <= MAX_LISTED)
      return channels.map((channel) => listRow(`${name}[${channel.name}]`, channel));
    const range = rangeOf(channels);
    return [listRow(`${name}, ${channels.length} rows`, { mean: null, deviation: null, ...range })];
  });
  const head = ['mean', 'deviation', 'least', 'greatest'].map((word) => html`<th scope="col">${word}</th>`);
  return html`<details class="lists"><summary>Lists of numbers, element by element (${splits[0]?.[0]})</summary><div class="scroll" tabindex="0" role="region" aria-label="Table of lists"><table><thead><tr><th scope="col">element</th>${head}</tr></thead><tbody>${rows}</tbody></table></div></details>`;
}

function listRow(
  name: string,
  of: Pick<NumberStats['channels'][number], 'mean' | 'deviation' | 'least' | 'greatest'>,
): Html {
  const cells = [of.mean, of.deviation, of.least, of.greatest].map(
    (value) => html`<td>${value === null ? '–' : shortNumber(value)}</td>`,
  );
  return html`<tr><th scope="row">${name}</th>${cells}</tr>`;
}

function histogramPanel(splits: readonly NamedSplit[], name: string, unit: string): Html[] {
  const series = histogramsOf(
    splits.map(([split, { features }]) => [split, (features[name] as NumberStats | undefined)?.histogram]),
  );
  const [first] = splits;
  const feature = first?.[1].features[name] as NumberStats | undefined;
  if (series.length === 0 || feature === undefined) return [];
  const sentence = figuresOf(feature, unit);
  const only = onlyValue(splits, name);
  if (only !== undefined) return [panel(name, `Always ${shortNumber(only)}.`, html``)];
  const label = {
    id: idOf('numbers', name),
    title: `${name}: how its values are spread`,
    description: sentence,
  };
  return [
    panel(
      name,
      `${sentence} (${first?.[0]}).`,
      histogramPlot(series, label, feature.kind === 'int64' ? 'whole' : 'any'),
    ),
  ];
}

/** The value where there is but one in all splits. */
function onlyValue(splits: readonly NamedSplit[], name: string): number | undefined {
  const channels = splits.flatMap(([, { features }]) => (features[name] as NumberStats).channels);
  const values = new Set(
    channels.flatMap(({ least, greatest }) => (least === null ? [] : [least, greatest])),
  );
  const [value] = values;
  return values.size === 1 && value !== null ? value : undefined;
}

function histogramsOf(all: readonly (readonly [string, NumberStats['histogram']])[]) {
  return all.flatMap(([name, histogram]) => (histogram === undefined ? [] : [{ name, histogram }]));
}

function figuresOf({ channels, quantiles = [], missing }: NumberStats, unit: string): string {
  const known = channels.filter((channel) => channel.count > 0);
  const { least, greatest } = rangeOf(known);
  const one = known.length === 1 ? known[0] : undefined;
  return [
    `From ${shortNumber(least as number)} to ${shortNumber(greatest as number)}${unit === '' ? '' : ` ${unit}`}`,
    one === undefined
      ? `middle ${shortNumber(quantiles[2] as number)}`
      : `mean ${shortNumber(one.mean as number)} ± ${shortNumber(one.deviation as number)}`,
    ...(missing > 0 ? [`missing in ${count(missing)} records`] : []),
  ].join(', ');
}

/** Of all channels, however many; null where none has a number. */
function rangeOf(channels: NumberStats['channels']): Record<'least' | 'greatest', number | null> {
  const known = channels.filter((channel) => channel.count > 0);
  const least = known.reduce((least, channel) => Math.min(least, channel.least as number), Infinity);
  const greatest = known.reduce((most, channel) => Math.max(most, channel.greatest as number), -Infinity);
  return known.length === 0 ? { least: null, greatest: null } : { least, greatest };
}

function words(splits: readonly NamedSplit[]): Html | undefined {
  const labels = splits[0]?.[1].labels ?? [];
  const names = featureNames(splits, 'text').filter((name) => !labels.includes(name));
  if (names.length === 0) return undefined;
  const rows = names.map((name) => {
    const cells = splits.map(([, { features }]) => {
      const { distinct } = valuesOf(features[name]) ?? { distinct: 0 };
      return html`<td>${distinct === null ? 'over 10,000' : count(distinct)}</td>`;
    });
    return html`<tr><th scope="row">${name}</th>${cells}<td class="words">${mostFrequent(splits[0]?.[1].features[name])}</td></tr>`;
  });
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="Table of texts"><table><thead><tr><th scope="col">feature</th>${splits.map(([split]) => html`<th scope="col">${split}</th>`)}<th scope="col" class="words">most frequent in ${splits[0]?.[0]}</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  return section('texts', 'Texts', 'How many different ones there are.', table);
}

/** Nothing where every value is there but once, as keys are. */
function mostFrequent(feature: FeatureStats | undefined): string {
  const most = valuesOf(feature)?.most.filter(([, times]) => times > 1) ?? [];
  return most
    .slice(0, 3)
    .map(([value, times]) => `${value === '' ? '(empty)' : value.slice(0, 40)} (${count(times)})`)
    .join(', ');
}

function valuesOf(feature: FeatureStats | undefined): ReportedValues | undefined {
  return feature !== undefined && 'values' in feature ? feature.values : undefined;
}

function featureNames(splits: readonly NamedSplit[], kind: FeatureStats['kind']): string[] {
  return Object.entries(splits[0]?.[1].features ?? {}).flatMap(([name, feature]) =>
    feature.kind === kind ? [name] : [],
  );
}

function isSignal(feature: FeatureStats | undefined): boolean {
  return feature?.kind === 'float32' && feature.unit !== undefined;
}
