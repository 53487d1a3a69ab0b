/** How the numbers of a comparison are made, and all numbers of one metric. */
import {changeWords, differenceText, intervalText, pText, verdictWords} from '../model/comparewords.js';
import {count} from '../model/format.js';
import {dialog} from './dialog.js';
import {h} from './dom.js';
import {valueFigure} from './metricrows.js';

const METHODS = [
  ['Pairs', 'Executions are compared that all runs have: the same test, the same kind of agent, the same attempt. Pairs of one test depend on each other, so all intervals and p values are over tests; n counts tests with both values.'],
  ['Success and errors', 'The interval of the difference is Newcombe’s paired score interval (Statistics in Medicine 17, 1998, method 10); with repeated attempts each rate is taken at its effective number of tests (Rao and Scott, 1992). “Significantly” needs an interval without zero and an exact McNemar p below 0.05; with repeats that is the exact sign-flip test of the tests.'],
  ['Cost, tokens, steps, energy, emissions, tool calls', 'Difference and ratio of means, by a paired bootstrap: 2 000 resamples of whole tests, always the same ones, middle 95 % widened for few tests (Hesterberg, 2015). Above 500 tests: paired t interval.'],
  ['p50 duration', 'Difference of the medians, by the same bootstrap.'],
  ['No verdict', 'An estimate against a measurement, or fewer than 6 tests. Every interval is 95 % by itself: of twenty comparisons without a difference, about one will look like one.'],
];

/** @param {string} matched what was matched, in words */
export function showHow(matched) {
  const parts = METHODS.map(([title, text]) => h('section', null, h('h3', null, title), h('p', null, text)));
  return dialog({ title: 'How the numbers are made', body: h('div', { class: 'cmp-help' }, h('p', null, `Here executions are matched by ${matched}.`), parts) });
}

/**
 * @param {import('../model/metrics.js').Metric} metric
 * @param {{runs: any[], numbers: any}} shown
 */
export function showMetric(metric, { runs, numbers }) {
  const head = ['Run', 'Value', 'Difference', '95 % interval', metric.statistic === 'rate' ? 'p' : null, 'Tests that changed', 'n', 'Verdict'].filter(Boolean);
  const body = h(
    'div',
    { class: 'cmp-help' },
    h('p', null, `${metric.label}: ${metric.about}. ${{ more: 'More is better.', less: 'Less is better.' }[metric.better] ?? 'Neither more nor less is better.'}`),
    h(
      'table',
      { class: 'plain-table', 'aria-label': `${metric.label} of all runs` },
      h('thead', null, h('tr', null, head.map((text) => h('th', { scope: 'col' }, text)))),
      h('tbody', null, runs.map((run, i) => metricLine(metric, numbers, run, i, head.length))),
    ),
    h('p', { class: 'cell-note' }, [...new Set(runs.slice(1).map((_, k) => numbers.difference(metric, k + 1).method))].filter(Boolean).map((text) => `Method: ${text}.`).join(' ')),
  );
  return dialog({ title: metric.label, body, class: 'dialog-wide' });
}

function metricLine(metric, numbers, run, i, cells) {
  const value = h('td', null, valueFigure(metric, numbers.value(metric, i), {}));
  const name = h('th', { scope: 'row' }, run.name);
  if (!i) return h('tr', null, name, value, h('td', { colspan: String(cells - 2) }, `baseline, n ${numbers.value(metric, 0).n} executions`));
  const found = numbers.difference(metric, i);
  const { text, tone } = verdictWords(metric, found);
  const told = [differenceText(metric, found), intervalText(metric, found)];
  if (metric.statistic === 'rate') told.push(found.p === null ? null : pText(found.p));
  told.push(changeWords(metric, found), found.n ? count(found.n) : null);
  return h('tr', null, name, value, told.map((each) => h('td', null, each ?? '—')), h('td', { class: `tone-${tone}` }, text));
}
