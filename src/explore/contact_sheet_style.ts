/** The style of the contact sheet: two palettes, one column on a phone, and marks that need no colour to be seen. */

import { Html } from './html_text.js';

/** Text contrast is at least 4.5 : 1 in both palettes (WCAG 2.2, 1.4.3), bars and frames at least 3 : 1 (1.4.11). */
export const CONTACT_SHEET_STYLE: Html = Html.fromTemplate(
  [
    `
:root {
  color-scheme: light dark;
  --page: #f6f5f1; --card: #ffffff; --line: #dcd9d1; --track: #e9e6df;
  --ink: #23272c; --soft: #5b626a; --link: #23508f;
  --written: #1d7a6c; --rejected: #b4552d; --mark: #2d4aa8; --mark-ink: #ffffff; --warn: #fbeadf;
  --text: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif;
  --head: Charter, "Bitstream Charter", "Sitka Text", Cambria, "Liberation Serif", Georgia, serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", "Liberation Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181b; --card: #1d2125; --line: #343a40; --track: #2b3136;
    --ink: #e7e8e6; --soft: #a5acb3; --link: #9dbcf0;
    --written: #4fb5a4; --rejected: #e08b62; --mark: #a9bbff; --mark-ink: #15181b; --warn: #3a2a20;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: clamp(1rem, 4vw, 3.5rem); max-width: 82rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 var(--text); overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
h1, h2, h3, h4, p, dl, dd, ol, ul, figure { margin: 0; padding: 0; }
ol, ul { list-style: none; }
h1, h2 { font-family: var(--head); font-weight: 600; line-height: 1.15; letter-spacing: -0.01em; text-wrap: balance; overflow-wrap: break-word; }
h1 { font-size: clamp(1.9rem, 1.4rem + 2.4vw, 3rem); }
h2 { font-size: clamp(1.45rem, 1.2rem + 1vw, 1.9rem); }
h3 { font-size: 1rem; font-weight: 600; }
h4 { font-size: 0.875rem; font-weight: 600; }
small { font-size: 0.8125em; color: var(--soft); }
a { color: var(--link); text-underline-offset: 0.18em; text-decoration-thickness: 1px; }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--mark); outline-offset: 3px; border-radius: 3px; }
code { font-family: var(--mono); font-size: 0.875em; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; padding: 0.5rem 1rem; background: var(--card); z-index: 1; }
.eyebrow { color: var(--soft); font-family: var(--mono); font-size: 0.875rem; margin-bottom: 0.6rem; }
.lead { margin-top: 0.9rem; max-width: 46rem; font-size: 1.125rem; color: var(--soft); text-wrap: pretty; }
.figures { display: flex; flex-wrap: wrap; gap: 0.75rem clamp(1.75rem, 5vw, 4rem); margin-top: 2rem; }
.figures dt { color: var(--soft); font-size: 0.875rem; display: flex; align-items: center; gap: 0.45rem; }
.figures dt::before { content: ""; width: 0.65rem; height: 0.65rem; border-radius: 2px; background: var(--line); }
.figures .is-written dt::before { background: var(--written); }
.figures .is-rejected dt::before { background: var(--rejected); }
.figures dd { font-family: var(--head); font-size: clamp(1.5rem, 1.2rem + 1.4vw, 2.1rem); line-height: 1.2; font-variant-numeric: tabular-nums; }
.figures dd small { font-family: var(--text); font-size: 0.875rem; }
.bar { display: flex; gap: 2px; height: 0.5rem; border-radius: 99px; background: var(--track); overflow: hidden; }
.bar > span { display: block; background: var(--mark); }
.bar > .is-written { background: var(--written); }
.bar > .is-rejected { background: var(--rejected); }
.bar.whole { height: 0.75rem; margin-top: 1rem; }
.bar.thin { height: 0.25rem; margin-top: 0.3rem; }
.warning { margin-top: 1rem; padding: 0.75rem 1rem; border-left: 4px solid var(--rejected); background: var(--warn); }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin-top: 1.5rem; }
nav a { padding: 0.35rem 0; }
section { margin-top: clamp(2.75rem, 6vw, 4.5rem); scroll-margin-top: 1rem; }
.about { color: var(--soft); margin: 0.4rem 0 1.4rem; }
.cards { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); align-items: start; }
.card, .reason { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.125rem; }
.place { color: var(--soft); font-size: 0.8125rem; }
.pictures { display: grid; gap: 0.75rem; grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); margin-top: 0.875rem; }
.pictures.three { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.frame { display: grid; place-items: center; aspect-ratio: 1; border-radius: 8px; overflow: hidden; background: var(--track); }
.frame img { display: block; width: 100%; height: 100%; object-fit: contain; }
.blank { padding: 0.25rem; color: var(--soft); font-size: 0.75rem; line-height: 1.25; text-align: center; }
.odd .frame { outline: 3px solid var(--mark); outline-offset: 2px; }
.cards.broad { grid-template-columns: repeat(auto-fill, minmax(min(100%, 32rem), 1fr)); }
.card.broadest { grid-column: 1 / -1; }
.windows { display: grid; gap: 1rem; margin-top: 0.875rem; }
.windows.three { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.drawing { border-radius: 8px; overflow: hidden; background: var(--page); }
.drawing svg { display: block; width: 100%; height: auto; font: 10px var(--text); fill: var(--soft); }
.drawing path { fill: none; stroke: var(--ink); stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.drawing g[transform] path:nth-of-type(even) { stroke: var(--link); }
.drawing .axis path { stroke: var(--line); }
.drawing .channel { text-anchor: end; unicode-bidi: isolate; }
.drawing .dense text { font-size: 9px; }
.drawing .tick { text-anchor: middle; }
.drawing path.scale { stroke-width: 1.5; }
.drawing text.scale { fill: var(--ink); }
.odd .drawing { outline: 3px solid var(--mark); outline-offset: 2px; }
figcaption { display: flex; flex-direction: column; align-items: flex-start; margin-top: 0.5rem; font-size: 0.8125rem; line-height: 1.4; }
figcaption .name { order: -1; }
.badge { order: 1; margin-top: 0.35rem; padding: 0.15rem 0.45rem; border-radius: 0.6rem; background: var(--mark); color: var(--mark-ink); font-weight: 600; font-size: 0.6875rem; line-height: 1.3; }
.name { font-family: var(--mono); font-size: 0.8125rem; }
.votes, .caption { color: var(--soft); }
figcaption .bar { width: 100%; }
details { margin-top: 0.875rem; }
summary { cursor: pointer; color: var(--link); font-size: 0.875rem; padding: 0.25rem 0; }
.fields { margin-top: 0.5rem; font-size: 0.8125rem; }
.fields > div { display: grid; grid-template-columns: minmax(6rem, 2fr) 5fr; gap: 0 0.875rem; padding: 0.35rem 0; border-top: 1px solid var(--line); }
.fields dt { color: var(--soft); }
.fields.wide { font-size: 0.9375rem; max-width: 56rem; }
#making h3 { margin-top: 2rem; }
.notes { max-width: 46rem; margin-top: 1rem; }
.notes li { padding-left: 1rem; border-left: 3px solid var(--line); margin-top: 0.6rem; }
.reasons { display: grid; gap: 0.875rem; }
.reason article { display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr 11.5rem; gap: 0.35rem 1.25rem; align-items: center; }
.reason h3 { font-family: var(--mono); font-size: 0.9375rem; }
.tally { grid-column: 3; grid-row: 1; text-align: right; font-variant-numeric: tabular-nums; }
.reason .bar { grid-column: 2; grid-row: 1; }
.explanation, .reason details { grid-column: 1 / -1; }
.explanation { color: var(--soft); max-width: 50rem; }
.reason details { margin-top: 0; }
.samples { display: grid; gap: 1rem 2rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); margin-top: 0.5rem; }
.samples > li { border-top: 1px solid var(--line); padding-top: 0.75rem; }
.detail { font-size: 0.875rem; }
.inputs { display: grid; gap: 0.6rem; margin-top: 0.6rem; }
.inputs li { display: grid; grid-template-columns: 4.5rem 1fr; gap: 0.75rem; align-items: start; font-size: 0.8125rem; line-height: 1.4; }
.inputs .failed .frame { background: none; border: 2px dashed var(--rejected); }
.state { font-weight: 600; color: var(--written); }
.failed .state { color: var(--rejected); }
.url { font-family: var(--mono); font-size: 0.75rem; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: 0.875rem; }
@media (max-width: 40rem) {
  .card, .reason { padding: 0.875rem; }
  .pictures.three { gap: 0.6rem; }
  .windows.three { grid-template-columns: minmax(0, 1fr); }
  .reason article { grid-template-columns: 1fr auto; }
  .reason .bar { grid-column: 1 / -1; grid-row: auto; }
  .tally { grid-column: 2; }
  .fields.wide > div { grid-template-columns: 1fr; padding: 0.5rem 0; }
}
@media print {
  body { padding: 0; max-width: none; }
  nav, .skip { display: none; }
  .card, .reason { break-inside: avoid; }
}
`,
  ],
  [],
);
