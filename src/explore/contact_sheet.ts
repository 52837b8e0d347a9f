/** The contact sheet: one self-contained HTML page that shows what a finished split holds and what it lost, and why. */

import { CONTACT_SHEET_STYLE } from './contact_sheet_style.js';
import { clipText, type Html, html, linkableUrl, pictureDataUri } from './html_text.js';
import { drawingLosses, type Traces, traceDrawing } from './trace_drawing.js';

/** Everything that a contact sheet shows. All text is taken as text, whatever it holds. */
export interface ContactSheet {
  readonly title: string;
  readonly problem: string;
  readonly split: string;
  /** One or two sentences about what is learned. */
  readonly description?: string;
  /** How the split was made: label and value. */
  readonly settings: readonly (readonly [label: string, value: string])[];
  readonly counts: SheetCounts;
  /** The legend of the features that an example holds. */
  readonly features: readonly SheetFeature[];
  readonly examples: readonly SheetExample[];
  /** Reasons that are counted in `counts.rejected` but missing here are listed without samples. */
  readonly rejections: readonly SheetRejection[];
  readonly notes: readonly string[];
}

export interface SheetCounts {
  readonly planned: number;
  readonly written: number;
  /** By reason. */
  readonly rejected: Readonly<Record<string, number>>;
}

export interface SheetFeature {
  readonly name: string;
  /** For people, e.g. "JPEG, 128 × 128 × 3". */
  readonly type: string;
  readonly meaning?: string;
}

export interface SheetExample {
  /** The record's number within its shard. */
  readonly index: number;
  /** The shard's file name. */
  readonly shard: string;
  readonly key?: string;
  readonly images: readonly SheetImage[];
  /** Windows of recordings. */
  readonly windows?: readonly SheetWindow[];
  /** The other features: name and value. */
  readonly fields: readonly (readonly [name: string, text: string])[];
  /** The name of the picture or window to mark, for a triplet the odd one out. */
  readonly highlight?: string;
}

export interface SheetImage {
  readonly name: string;
  /** An encoded picture: JPEG, PNG, GIF, WebP or AVIF. */
  readonly bytes: Uint8Array;
  readonly caption?: string;
  /** How many annotators chose this picture; shown as a share of all votes of the example. */
  readonly votes?: number;
}

export interface SheetWindow extends Traces {
  readonly name: string;
  /** What is known of it, e.g. its class and its place in the recording. */
  readonly captions: readonly string[];
}

export interface SheetRejection {
  readonly reason: string;
  readonly explanation: string;
  readonly count: number;
  readonly samples: readonly SheetSample[];
}

/** One example that was rejected, with what became of each input. */
export interface SheetSample {
  readonly key: string;
  readonly detail: string;
  readonly inputs: readonly SheetInput[];
}

export interface SheetInput {
  readonly label: string;
  /** Shown as text, and linked where it is a web address; never loaded by the page. */
  readonly url?: string;
  readonly state: 'ok' | 'failed';
  /** The picture as far as it survived. */
  readonly bytes?: Uint8Array;
}

/**
 * The whole page. It has no scripts, loads nothing (its content security policy forbids it too), reads well on a phone,
 * on paper, in light and in dark, and without seeing the pictures. Texts longer than 600 characters are cut.
 */
export function contactSheet(sheet: ContactSheet): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${clip(sheet.title)}: ${clip(sheet.problem)}, ${clip(sheet.split)}</title>
<style>${CONTACT_SHEET_STYLE}</style>
</head>
<body>
<a class="skip" href="#examples">Skip to the examples</a>
${masthead(sheet)}
<main>
${examples(sheet)}
${rejections(sheet)}
${making(sheet)}
</main>
<footer><p>Contact sheet of the ${bdi(sheet.split)} split of ${bdi(sheet.problem)}, made by t2t-ts. It holds ${hasWindows(sheet) ? 'recordings' : 'pictures'} of people: keep it where the data are kept.</p></footer>
</body>
</html>
`.toString();
}

function masthead({ title, problem, split, description, counts }: ContactSheet): Html {
  const rejected = total(counts.rejected);
  const isSum = counts.planned === counts.written + rejected;
  return html`<header>
<p class="eyebrow">${bdi(problem)} <span aria-hidden="true">/</span> ${bdi(split)}</p>
<h1>${bdi(title)}</h1>
${description !== undefined && html`<p class="lead">${bdi(description)}</p>`}
<dl class="figures">
<div><dt>planned</dt><dd>${count(counts.planned)}</dd></div>
<div class="is-written"><dt>written</dt><dd>${count(counts.written)} <small>${share(counts.written, counts.planned)}</small></dd></div>
<div class="is-rejected"><dt>rejected</dt><dd>${count(rejected)} <small>${share(rejected, counts.planned)}</small></dd></div>
</dl>
<div class="bar whole" aria-hidden="true"><span class="is-written" style="width:${width(counts.written, counts.planned)}"></span><span class="is-rejected" style="width:${width(rejected, counts.planned)}"></span></div>
${!isSum && html`<p class="warning"><strong>These do not add up:</strong> ${count(counts.planned)} were planned, ${count(counts.written + rejected)} are accounted for.</p>`}
<nav aria-label="Sections"><a href="#examples">Examples</a> <a href="#rejections">Rejections</a> <a href="#making">How it was made</a></nav>
</header>`;
}

function hasWindows({ examples }: ContactSheet): boolean {
  return examples.some(({ windows }) => windows !== undefined && windows.length > 0);
}

function examples(sheet: ContactSheet): Html {
  const { examples: shown, counts } = sheet;
  const caption =
    shown.length === 0
      ? 'No example is shown.'
      : `${count(shown.length)} of the ${count(counts.written)} that were written.`;
  return html`<section id="examples" aria-labelledby="examples-title">
<h2 id="examples-title">Examples</h2>
<p class="about">${caption}</p>
${shown.length > 0 && html`<ol class="${hasWindows(sheet) ? 'cards broad' : 'cards'}">${shown.map(exampleCard)}</ol>`}
</section>`;
}

function exampleCard(example: SheetExample): Html {
  const votes = example.images.reduce((sum, image) => sum + (image.votes ?? 0), 0);
  const { windows = [] } = example;
  const isTriplet = example.images.length === 3;
  return html`<li class="${windows.length > 1 ? 'card broadest' : 'card'}"><article>
<h3>${example.key === undefined ? html`Record ${example.index}` : bdi(example.key)}</h3>
<p class="place">${example.key !== undefined && html`record ${example.index} of `}${bdi(example.shard)}</p>
${example.images.length > 0 && html`<div class="${isTriplet ? 'pictures three' : 'pictures'}">${example.images.map((image) => picture(image, example, votes))}</div>`}
${windows.length > 0 && html`<div class="${windows.length > 1 ? 'windows three' : 'windows'}">${windows.map((window) => recordedWindow(window, example))}</div>`}
${example.fields.length > 0 && html`<details><summary>${example.fields.length} more ${example.fields.length === 1 ? 'feature' : 'features'}</summary><dl class="fields">${example.fields.map(([name, text]) => html`<div><dt>${bdi(name)}</dt><dd>${address(text)}</dd></div>`)}</dl></details>`}
</article></li>
`;
}

/** Widths at which a drawing of one or of three beside each other is about as large as it was meant. */
const WINDOW_PX = 570;
const WINDOW_OF_THREE_PX = 380;

function recordedWindow(window: SheetWindow, example: SheetExample): Html {
  const isMarked = window.name === example.highlight;
  const widthPx = (example.windows?.length ?? 0) > 1 ? WINDOW_OF_THREE_PX : WINDOW_PX;
  const captions = [...window.captions, ...drawingLosses(window)];
  const label = `${altOf(window.name, example)}: ${window.channels.length} channels`;
  return html`<figure class="${isMarked ? 'odd' : ''}">
<div class="drawing">${traceDrawing(window, { label, widthPx })}</div>
<figcaption>${isMarked && oddBadge()}<span class="name">${bdi(window.name)}</span>${captions.map((caption) => html`<span class="caption">${bdi(caption)}</span>`)}</figcaption>
</figure>`;
}

function altOf(name: string, example: SheetExample): string {
  const of = example.key === undefined ? `record ${example.index}` : clip(example.key);
  return `${clip(name)} of ${of}${name === example.highlight ? ', the odd one out' : ''}`;
}

function oddBadge(): Html {
  return html`<strong class="badge"><span aria-hidden="true">◆ </span>odd one out</strong>`;
}

function picture(image: SheetImage, example: SheetExample, votesOfAll: number): Html {
  const isMarked = image.name === example.highlight;
  const uri = pictureDataUri(image.bytes);
  const alt = altOf(image.name, example);
  return html`<figure class="${isMarked ? 'odd' : ''}">
<div class="frame">${uri === undefined ? html`<span class="blank">not a picture</span>` : html`<img src="${uri}" alt="${alt}" decoding="async">`}</div>
<figcaption>${isMarked && oddBadge()}<span class="name">${bdi(image.name)}</span>${image.votes !== undefined && voteMeter(image.votes, votesOfAll)}${image.caption !== undefined && html`<span class="caption">${bdi(image.caption)}</span>`}</figcaption>
</figure>`;
}

function voteMeter(votes: number, of: number): Html {
  return html`<span class="votes">${count(votes)} of ${count(of)} votes</span><span class="bar thin" aria-hidden="true"><span style="width:${width(votes, of)}"></span></span>`;
}

function rejections({ rejections: described, counts }: ContactSheet): Html {
  const all = allReasons(described, counts);
  const rejected = total(counts.rejected);
  return html`<section id="rejections" aria-labelledby="rejections-title">
<h2 id="rejections-title">Rejections</h2>
<p class="about">${all.length === 0 ? 'Nothing was rejected.' : `${count(rejected)} of ${count(counts.planned)} planned examples could not be made. Each is counted under one reason.`}</p>
${all.length > 0 && html`<ol class="reasons">${all.map((one) => rejectionReason(one, rejected))}</ol>`}
</section>`;
}

/** The described reasons and the merely counted ones, the most frequent first. */
function allReasons(described: readonly SheetRejection[], counts: SheetCounts): SheetRejection[] {
  const names = new Set(described.map(({ reason }) => reason));
  const others = Object.entries(counts.rejected)
    .filter(([reason, times]) => times > 0 && !names.has(reason))
    .map(([reason, times]) => ({ reason, explanation: '', count: times, samples: [] }));
  return [...described, ...others].sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}

function rejectionReason(
  { reason, explanation, count: times, samples }: SheetRejection,
  rejected: number,
): Html {
  return html`<li class="reason"><article>
<h3>${bdi(reason)}</h3>
<p class="tally"><strong>${count(times)}</strong> <small>${share(times, rejected)} of the rejected</small></p>
<div class="bar" aria-hidden="true"><span class="is-rejected" style="width:${width(times, rejected)}"></span></div>
${explanation !== '' && html`<p class="explanation">${bdi(explanation)}</p>`}
${samples.length > 0 && html`<details open><summary>${count(samples.length)} ${samples.length === 1 ? 'sample' : 'samples'}</summary><ul class="samples">${samples.map(rejectedSample)}</ul></details>`}
</article></li>
`;
}

function rejectedSample({ key, detail, inputs }: SheetSample): Html {
  return html`<li>
<h4>${bdi(key)}</h4>
${detail !== '' && html`<p class="detail">${bdi(detail)}</p>`}
${inputs.length > 0 && html`<ul class="inputs">${inputs.map((input) => sampleInput(input, key))}</ul>`}
</li>`;
}

function sampleInput({ label, url, state, bytes }: SheetInput, key: string): Html {
  const uri = bytes === undefined ? undefined : pictureDataUri(bytes);
  const blank = state === 'failed' ? 'no picture' : 'not kept';
  return html`<li class="${state}"><div class="frame">${uri === undefined ? html`<span class="blank" aria-hidden="true">${blank}</span>` : html`<img src="${uri}" alt="${clip(label)} of ${clip(key)}" decoding="async">`}</div><div><p><span class="name">${bdi(label)}</span> <span class="state"><span aria-hidden="true">${state === 'ok' ? '✓' : '✕'} </span>${state === 'ok' ? 'fine' : 'failed'}</span></p>${url !== undefined && html`<p class="url">${address(url)}</p>`}</div></li>`;
}

function making({ settings, features, notes }: ContactSheet): Html {
  return html`<section id="making" aria-labelledby="making-title">
<h2 id="making-title">How it was made</h2>
${notes.length > 0 && html`<ul class="notes">${notes.map((note) => html`<li>${bdi(note)}</li>`)}</ul>`}
${settings.length > 0 && html`<h3>Settings</h3><dl class="fields wide">${settings.map(([label, value]) => html`<div><dt>${bdi(label)}</dt><dd>${address(value)}</dd></div>`)}</dl>`}
${features.length > 0 && html`<h3>Features of an example</h3><dl class="fields wide">${features.map(featureRow)}</dl>`}
</section>`;
}

function featureRow({ name, type, meaning }: SheetFeature): Html {
  return html`<div><dt><code>${bdi(name)}</code></dt><dd>${bdi(type)}${meaning !== undefined && html`<br><small>${bdi(meaning)}</small>`}</dd></div>`;
}

/** Text from outside, kept apart from what stands around it: it may hold characters that turn the direction of writing. */
function bdi(text: string): Html {
  return html`<bdi>${clip(text)}</bdi>`;
}

/** Text that is a link where it is a web address; a click tells the site nothing about this page. */
function address(text: string): Html {
  const href = linkableUrl(text);
  if (href === undefined || href.length > MAX_TEXT_CHARACTERS) return bdi(text);
  return html`<a href="${href}" rel="noreferrer noopener external nofollow">${bdi(text)}</a>`;
}

function clip(text: string): string {
  return clipText(text, MAX_TEXT_CHARACTERS);
}

const MAX_TEXT_CHARACTERS = 600;

function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A share in per cent that shows neither nothing as something nor something as nothing. */
function share(part: number, whole: number): string {
  if (whole <= 0) return '–';
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.1) return '< 0.1 %';
  if (part < whole && percent > 99.9) return '> 99.9 %';
  return `${percent.toFixed(percent === 0 || percent === 100 ? 0 : 1)} %`;
}

/** The width of a bar; a sliver stays visible. */
function width(part: number, whole: number): string {
  if (!(whole > 0) || !(part > 0)) return '0';
  return `${Math.min(100, Math.max(0.5, (100 * part) / whole)).toFixed(2)}%`;
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, each) => sum + each, 0);
}
