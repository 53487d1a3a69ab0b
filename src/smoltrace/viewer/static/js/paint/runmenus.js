/** The menus of a run: what can be downloaded, and with which runs it can be compared. */

import {date} from '../model/format.js';
import {shortAgent, shortModel} from '../model/runname.js';
import {fill, h} from './dom.js';
import {download, menu} from './menu.js';
import {icon} from './svg.js';

const DATASETS = [['results', 'one row a test'], ['traces', 'one row a trace'], ['spans', 'one row a span'], ['metrics', 'GPU samples'], ['points', 'metric points']];
const FORMATS = {csv: 'CSV', json: 'JSON', parquet: 'Parquet'};

/**
 * @param {{id: string, data: import('../data/adapter.js').Data, shownAs: (format: 'csv'|'json') => {name: string, mime: string, text: string}}} parts
 * @returns {HTMLElement}
 */
export function downloadMenu({id, data, shownAs}) {
  const button = h('button', {type: 'button', class: 'button'}, icon('download', 14), 'Download');
  menu(button, () => h('div', {class: 'downloads'}, shownRow(shownAs), dataSets(id, data)), {label: 'Download'});
  return button;
}

function row(name, what, links) {
  return h('div', {class: 'download-row'}, h('span', null, h('b', null, name), h('span', {class: 'rt-soft'}, what)), h('span', {class: 'download-links'}, links));
}

function shownRow(shownAs) {
  const links = ['csv', 'json'].map((format) => {
    const give = () => {
      const {name, mime, text} = shownAs(format);
      download(name, mime, text);
    };
    return h('button', {type: 'button', class: 'link', 'aria-label': `the table as ${format.toUpperCase()}`, on: {click: give}}, format.toUpperCase());
  });
  return row('the table', 'the tests as shown', links);
}

/** A link to each that there is. Where there is no server some forms, or all, have to be made by the command line. */
function dataSets(id, data) {
  const formats = data.downloads.run;
  const rows = formats.length === 0 ? [] : DATASETS.map(([name, what]) => row(name, what, formats.map((format) => dataSetLink(id, data, name, format))));
  const missing = Object.keys(FORMATS).filter((format) => !formats.includes(/** @type {any} */ (format)));
  if (missing.length === 0) return rows;
  const words = formats.length === 0 ? 'The data sets are not in this page. Where the run is kept, this writes them: ' : 'In other forms, where the run is kept: ';
  return [rows, h('p', {class: 'rt-soft download-note'}, words, h('code', null, `smoltrace export ${id} --format ${missing[0]} -o tables/`))];
}

function dataSetLink(id, data, name, format) {
  const props = {'aria-label': `${name} as ${FORMATS[format]}`, href: data.downloadUrl({kind: 'run', id, name, format}), download: `${id}-${name}.${format}`};
  return h('a', props, FORMATS[format]);
}

/**
 * Runs of the same tasks, newest first, each as a link to the comparison with this one.
 * @param {{run: object, data: object, link: (values: object, page: string) => string}} parts
 * @returns {HTMLElement}
 */
export function compareMenu({run, data, link}) {
  const button = h('button', {type: 'button', class: 'button'}, 'Compare with…');
  menu(button, () => list({run, data, link}), {label: 'Compare with'});
  return button;
}

function list({run, data, link}) {
  const pin = h('a', {class: 'menu-item', href: link({pins: [run.run_id]}, 'index')}, h('span', {class: 'menu-label'}, 'Pin it on the leaderboard'));
  const items = h('div', {class: 'compare-runs'}, h('p', {class: 'rt-soft'}, 'Reading the runs'));
  const box = h('div', {class: 'compare-menu'}, items, pin);
  void others(run, data).then(
    (rows) => fill(items, rows.length ? rows.map((other) => runLink(run, other, link)) : h('p', {class: 'rt-soft'}, 'No other run has the same tasks.')),
    (error) => fill(items, h('p', {class: 'rt-soft'}, error.message)),
  );
  return box;
}

async function others(run, data) {
  const tasks = run.manifest?.tasks?.fingerprint ?? run.row.dataset_fingerprint ?? 'all';
  const {rows} = await data.leaderboard({tasks, sort: '-evaluation_date', limit: 30});
  return rows.filter((row) => row.run_id !== run.run_id);
}

function runLink(run, other, link) {
  const name = `${shortModel(other.model)} · ${shortAgent(other.agent_type)}`;
  return h('a', {class: 'menu-item', href: link({runs: [run.run_id, other.run_id]}, 'compare'), title: other.run_id}, h('span', {class: 'menu-label'}, name), h('span', {class: 'menu-note'}, date(other.evaluation_date)));
}
