/** The page of an evaluation: every number beside its interval, chance and baseline, for those who do no machine learning. */

import type { EvalReport } from '../train/evaluate_run.js';
import type { ScoredMetric, Scores } from '../train/scores.js';
import { CONTACT_SHEET_STYLE } from './contact_sheet_style.js';
import { Html, html } from './html_text.js';
import { STATS_PAGE_STYLE } from './stats_page_style.js';

/** One self-contained HTML file, without scripts, that loads nothing. */
export function evalPage(report: EvalReport): string {
  const { problem, split, trainedOn, model, checkpoint, step, looks, scores } = report;
  const [first] = scores.metrics;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${problem} ${split}: ${model}</title>
<style>${CONTACT_SHEET_STYLE}${STATS_PAGE_STYLE}${EVAL_PAGE_STYLE}</style>
</head>
<body>
<header>
<p class="eyebrow">${problem} ${split}</p>
<h1>${model}: ${first !== undefined && `${words(first.metric)} ${number(first.value)}`}</h1>
<p class="lead">${count(scores.rows)} examples of ${count(scores.groups.count)} ${scores.groups.word}. The ${checkpoint} checkpoint, of step ${count(step)}${problem !== trainedOn && html`, trained on ${trainedOn}`}. ${looks !== null && html`Look ${looks} of this run at this test split.`}</p>
${scores.cautions.map((caution) => html`<p class="warning">${caution}.</p>`)}
</header>
<main>
${metrics('Scores', `The line is the 95 % interval over ${scores.groups.word}, the dot what was measured, the upright stroke what a guess would score.`, scores.metrics)}
${scores.byType.map(({ type, rows, metrics: ofType }) => metrics(type === '' ? 'Without a type' : type, `${count(rows)} examples.`, ofType))}
${ceiling(scores)}
${confusion(scores)}
${groups(scores)}
${examples(scores)}
</main>
<footer><p>Measured by t2t-ts on ${report.backend}.</p></footer>
</body>
</html>
`.toString();
}

function metrics(title: string, about: string, all: readonly ScoredMetric[]): Html {
  const rows = all.map(
    (metric) =>
      html`<tr><th scope="row">${words(metric.metric)}</th><td>${metric.of}</td><td class="number">${number(metric.value)}</td><td class="number">${interval(metric)}</td><td class="number">${number(metric.chance)}</td><td>${intervalPlot(metric)}</td></tr>`,
  );
  return html`<section><h2>${title}</h2><p class="about">${about}</p><div class="wide"><table><thead><tr><th>metric</th><th>of</th><th>value</th><th>95 %</th><th>chance</th><th></th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

const PLOT_WIDTH = 240;

/** From 0 to 1; differences and kappa, which may be negative, from −1. */
function intervalPlot({ metric, of, value, low, high, chance }: ScoredMetric): Html | undefined {
  if (value === null) return undefined;
  const from = of.includes('−') || metric === 'cohens_kappa' ? -1 : 0;
  const x = (at: number): string => (4 + ((at - from) / (1 - from)) * (PLOT_WIDTH - 8)).toFixed(1);
  const line = low !== null && high !== null && html`<path class="interval" d="M${x(low)} 9H${x(high)}"/>`;
  const guess = chance !== null && html`<path class="guess" d="M${x(chance)} 2V16"/>`;
  const zero = from < 0 && html`<path class="guess" d="M${x(0)} 2V16"/>`;
  return html`<svg class="score" viewBox="0 0 ${PLOT_WIDTH} 18" role="img" aria-label="${number(value)}, 95 % ${interval({ low, high })}"><path class="ground" d="M${x(from)} 9H${x(1)}"/>${zero}${guess}${line}<circle cx="${x(value)}" cy="9" r="4"/></svg>`;
}

function ceiling({ ceiling: people }: Scores): Html | undefined {
  if (people === undefined) return undefined;
  return html`<section><h2>People</h2><p class="about">One annotator agrees with the others in ${number(people.agreementWithOthers)} of the examples; the most frequent vote has ${number(people.majorityVoteShare)} of the votes.</p></section>`;
}

/** More classes than this are no picture. */
const MOST_CLASSES = 40;

function confusion({ confusion: matrix }: Scores): Html | undefined {
  if (matrix === undefined || matrix.classes.length > MOST_CLASSES) return undefined;
  const rows = matrix.counts.map((counts, one) => {
    const total = counts.reduce((sum, each) => sum + each, 0);
    const cells = counts.map((each) => {
      const share = total === 0 ? 0 : each / total;
      return html`<td class="number cell" style="--share: ${(100 * share).toFixed(1)}%">${count(each)}</td>`;
    });
    return html`<tr><th scope="row">${matrix.classes[one]}</th>${cells}</tr>`;
  });
  return html`<section><h2>Confusion</h2><p class="about">A row for each label, a column for each answer; the darker, the larger the share of the row.</p><div class="wide"><table><thead><tr><th></th>${matrix.classes.map((name) => html`<th>${name}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

/** The lowest are shown; the JSON has all. */
const MOST_GROUPS = 30;

function groups({ byGroup, groups: { word } }: Scores): Html | undefined {
  const [first] = byGroup;
  if (first === undefined) return undefined;
  const names = Object.keys(first.values);
  const lead = names[0] as string;
  const sorted = [...byGroup].sort((a, b) => (a.values[lead] ?? 0) - (b.values[lead] ?? 0));
  const rows = sorted
    .slice(0, MOST_GROUPS)
    .map(
      ({ group, rows: all, values }) =>
        html`<tr><th scope="row">${group}</th><td class="number">${count(all)}</td>${names.map((name) => html`<td class="number">${number(values[name] ?? null)}</td>`)}</tr>`,
    );
  return html`<section><h2>By ${word}</h2><p class="about">The model, lowest first${byGroup.length > MOST_GROUPS && html`; ${count(MOST_GROUPS)} of ${count(byGroup.length)}`}.</p><div class="wide"><table><thead><tr><th></th><th>examples</th>${names.map((name) => html`<th>${words(name)}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

function examples({ examples: named }: Scores): Html | undefined {
  if (named === undefined) return undefined;
  const list = (keys: readonly string[]): Html =>
    html`<ul>${keys.map((key) => html`<li><code>${key}</code></li>`)}</ul>`;
  return html`<section><h2>Surest, and wrong</h2><p class="about">Keys of examples that the model is surest of and right, and surest of and wrong.</p><div class="plots"><div class="panel"><h3>right</h3>${list(named.best)}</div><div class="panel"><h3>wrong</h3>${list(named.worst)}</div></div></section>`;
}

function words(metric: string): string {
  return metric.replaceAll('_', ' ');
}

function number(value: number | null): string {
  return value === null || Number.isNaN(value) ? '–' : value.toFixed(3);
}

function interval({ low, high }: Pick<ScoredMetric, 'low' | 'high'>): string {
  return low === null || high === null ? '–' : `${low.toFixed(3)} … ${high.toFixed(3)}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

const EVAL_PAGE_STYLE: Html = Html.fromTemplate(
  [
    `
section { margin-top: 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.35rem 0.9rem 0.35rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: 400; }
thead th { color: var(--soft); font-size: 0.8125rem; }
.number { text-align: right; }
.cell { padding-left: 0.9rem; background: color-mix(in srgb, var(--mark) calc(var(--share) * 0.45), transparent); background-size: 100%; }
.score { width: 15rem; height: 1.1rem; display: block; }
.score path { fill: none; } .score circle { fill: var(--mark); }
.score .ground { stroke: var(--line); } .score .guess { stroke: var(--rejected); stroke-width: 2; }
.score .interval { stroke: var(--mark); stroke-width: 3; stroke-linecap: round; }
ul { list-style: none; padding: 0; }
`,
  ],
  [],
);
