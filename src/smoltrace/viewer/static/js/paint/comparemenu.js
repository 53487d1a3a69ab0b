/** A comparison to take away: files made in the browser, and text for the clipboard. */
import {caseTable, compareMarkdown, METRIC_COLUMNS, metricTable} from '../model/compareout.js';
import {toCsv, toJson} from '../model/csv.js';
import {h} from './dom.js';
import {copy, download, menu} from './menu.js';
import {icon} from './svg.js';

/** @typedef {{runs: any[], numbers: any, rows: () => any[], paired: string, banner: string[]}} Shown */

/** @param {Shown} shown @param {import('./shell.js').Shell} shell */
export function downloadMenu(shown, shell) {
  const button = h('button', { type: 'button', class: 'button' }, icon('download', 14), 'Download');
  menu(button, () => [
    { label: 'Metrics, CSV', run: () => download(name(shown, 'metrics', 'csv'), 'text/csv', toCsv(METRIC_COLUMNS, metricTable(shown.runs, shown.numbers))) },
    { label: 'Tests as shown, CSV', run: () => downloadTests(shown) },
    { label: 'Both, JSON', run: () => download(name(shown, 'comparison', 'json'), 'application/json', wholeJson(shown)) },
    { label: 'Copy as Markdown', note: 'm', run: () => void copyMarkdown(shown, shell) },
  ], { label: 'Download' });
  return button;
}

function name(shown, what, ending) {
  return `compare-${shown.runs[0].id}-${what}.${ending}`.replace(/[^\w.-]+/g, '_');
}

function downloadTests(shown) {
  const { names, rows } = caseTable(shown.rows(), shown.runs);
  download(name(shown, 'tests', 'csv'), 'text/csv', toCsv(names, rows));
}

function wholeJson(shown) {
  const { names, rows } = caseTable(shown.rows(), shown.runs);
  const metrics = toJson(METRIC_COLUMNS, metricTable(shown.runs, shown.numbers)).trim();
  return `{"runs": ${JSON.stringify(shown.runs.map((run) => run.id))},\n"paired": ${JSON.stringify(shown.paired)},\n"metrics": ${metrics},\n"tests": ${toJson(names, rows).trim()}}\n`;
}

/** @param {Shown} shown @param {import('./shell.js').Shell} shell */
export async function copyMarkdown(shown, shell) {
  const done = await copy(compareMarkdown({ ...shown, rows: shown.rows() }));
  shell.toast(done ? 'The comparison is in the clipboard, as Markdown.' : 'Copying was refused.');
}
