/** The style of the statistics page, on top of the contact sheet's. */

import { Html } from './html_text.js';

/** Lines and dots have a contrast of at least 3 : 1 with what is behind them in both palettes (WCAG 2.2, 1.4.11). */
export const STATS_PAGE_STYLE: Html = Html.fromTemplate(
  [
    `
:root { --red: #c23b2e; --green: #2c7d3f; --blue: #2d62c4; --grey: #5b626a; }
@media (prefers-color-scheme: dark) { :root { --red: #f0806f; --green: #67bd7c; --blue: #84aef8; --grey: #a5acb3; } }
.s0 { --series: var(--written); } .s1 { --series: var(--mark); } .s2 { --series: var(--rejected); }
.splits { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); margin-top: 2rem; }
.split { border-top: 4px solid var(--series); padding-top: 0.6rem; }
.split h2 { font-family: var(--mono); font-size: 1rem; font-weight: 600; letter-spacing: 0; }
.split p { font-family: var(--head); font-size: clamp(1.5rem, 1.2rem + 1.4vw, 2.1rem); line-height: 1.2; font-variant-numeric: tabular-nums; }
.split p small { font-family: var(--text); font-size: 0.875rem; }
.checks { display: grid; gap: 0.5rem; max-width: 54rem; }
.checks li { display: grid; grid-template-columns: 1.75rem 1fr; gap: 0.5rem; align-items: baseline; padding: 0.55rem 0.9rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.checks .mark { font-weight: 700; color: var(--written); text-align: center; }
.checks .look { background: var(--warn); border-color: var(--rejected); }
.checks .look .mark { color: var(--rejected); }
.plots { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); align-items: start; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.125rem; min-width: 0; }
.panel h3 { font-family: var(--mono); font-size: 0.9375rem; }
.panel > p { color: var(--soft); font-size: 0.8125rem; line-height: 1.45; margin: 0.2rem 0 0.6rem; }
.plot { display: block; width: 100%; height: auto; font: 10.5px var(--text); fill: var(--soft); }
.plot text { font-variant-numeric: tabular-nums; }
.plot .line { fill: none; stroke: var(--series); stroke-width: 1.6; stroke-linejoin: round; }
.plot .line.area { fill: var(--series); fill-opacity: 0.22; }
.plot .line.s1 { stroke-dasharray: 5 2.5; } .plot .line.s2 { stroke-dasharray: 1.6 2.2; stroke-width: 2; }
.plot .bar-of { fill: var(--series); }
.plot .bar-of.s1 { fill-opacity: 0.35; stroke: var(--series); stroke-width: 1.2; }
.plot .bar-of.s2 { fill: none; stroke: var(--series); stroke-width: 1.4; }
.plot .name { font: inherit; text-anchor: end; fill: var(--ink); unicode-bidi: isolate; }
.plot .name.above { text-anchor: start; }
.plot .ticks path { stroke: var(--line); } .plot .ticks text { text-anchor: middle; }
.plot .ground { stroke: var(--soft); }
.plot .tone { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke: var(--tone); }
.red { --tone: var(--red); } .green { --tone: var(--green); } .blue { --tone: var(--blue); } .grey, .alpha { --tone: var(--grey); }
.plot .tone.green { stroke-dasharray: 6 2; } .plot .tone.blue { stroke-dasharray: 2 2; }
.plot .reach { stroke: var(--written); stroke-width: 2.5; stroke-linecap: round; opacity: 0.55; }
.plot .mean { fill: var(--written); }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; font-size: 0.8125rem; color: var(--soft); margin-bottom: 1rem; }
.legend svg { width: 1.75rem; height: 0.75rem; margin-right: 0.35rem; vertical-align: -0.05rem; }
.legend path { fill: none; stroke: var(--series, var(--tone)); stroke-width: 3; }
.legend .s1 path { stroke-dasharray: 7 3; } .legend .s2 path, .legend .blue path { stroke-dasharray: 3 3; } .legend .green path { stroke-dasharray: 8 3; }
h3.after { margin: 2rem 0 0.5rem; }
.scroll { overflow-x: auto; margin-top: 1.25rem; }
.scroll:focus-visible { outline: 3px solid var(--mark); outline-offset: 3px; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; color: var(--soft); font-size: 0.8125rem; padding-bottom: 0.4rem; }
th, td { padding: 0.35rem 1rem 0.35rem 0; border-top: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { font-weight: 600; } th[scope="row"], th:first-child, th.words, td.words { text-align: left; }
th[scope="row"] { font-family: var(--mono); font-size: 0.8125rem; font-weight: 400; }
td.words { white-space: normal; min-width: 12rem; }
`,
  ],
  [],
);
