/** The parts of the statistics page that its sections are put together from, and how it writes numbers. */

import type { SplitStats } from './data_stats.js';
import { type Html, html } from './html_text.js';

/** A split with what was counted of it. */
export type NamedSplit = readonly [split: string, stats: SplitStats];

export function section(id: string, title: string, about: string, inside: Html): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2><p class="about">${about}</p>${inside}</section>`;
}

export function grid(panels: readonly Html[]): Html {
  return html`<div class="plots">${panels}</div>`;
}

export function panel(title: string, about: string, plot: Html): Html {
  return html`<figure class="panel"><h3>${title}</h3><p>${about}</p>${plot}</figure>`;
}

export function legend(splits: readonly NamedSplit[]): Html {
  return html`<p class="legend">${splits.map(([split], i) => html`<span class="s${i}">${line()}${split}</span>`)}</p>`;
}

export function line(): Html {
  return html`<svg viewBox="0 0 28 12" aria-hidden="true"><path d="M1 6H27"/></svg>`;
}

export function idOf(kind: string, name: string): string {
  return `${kind}-${Buffer.from(name).toString('hex')}`;
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function fraction(value: number): string {
  return value.toFixed(3);
}

export function kilobytes(bytes: number | null): string {
  return bytes === null ? '–' : `${(bytes / 1000).toFixed(1)} kB`;
}

export function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
