/** The menus of a run: what can be downloaded, and with which runs it can be compared. */

import {date} from '../model/format.js';
import {shortAgent, shortModel} from '../model/runname.js';
import {fill, h} from './dom.js';
import {download, menu} from './menu.js';
import {icon} from './svg.js';

const DATASETS = [['results', 'one row a test'], ['traces', 'one row a trace'], ['spans', 'one row a span'], ['metrics', 'GPU samples'], ['points', 'metric points']];
const FORMATS = ['csv', 'json', 'parquet'];

/**
 * @param {{id: string, data: object, shownAs: (format: 'csv'|'json') => {name: string, mime: string, text: string}, shell: object}} parts
 * @returns {HTMLElement}
 */
export function downloadMenu({id, data, shownAs, shell}) {
  const button = h('button', {type: 'button', class: 'button'}, icon('download', 14), 'Download');
  menu(button, () => h('div', {class: 'downloads'}, shownRow(shownAs), DATASETS.map(([name, what]) => datasetRow({id, data, shell}, name, what))), {label: 'Download'});
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

function datasetRow({id, data, shell}, name, what) {
  const links = FORMATS.map((format) => {
    const label = {'aria-label': `${name} as ${format === 'parquet' ? 'Parquet' : format.toUpperCase()}`};
    const words = format === 'parquet' ? 'Parquet' : format.toUpperCase();
    const wanted = {kind: 'run', id, name, format};
    if (data.kind === 'live') return h('a', {...label, href: data.downloadUrl(wanted), download: `${id}-${name}.${format}`}, words);
    return h('button', {...label, type: 'button', class: 'link', on: {click: () => void give(data, shell, wanted)}}, words);
  });
  return row(name, what, links);
}

/** Where there is no server the file is made here, and whatever is not in the pages is refused in words. */
async function give(data, shell, wanted) {
  try {
    const made = await data.downloadUrl(wanted);
    const name = `${wanted.id}-${wanted.name}.${wanted.format}`;
    if (made instanceof Blob) download(name, made.type, made);
    else download(name, '', await (await fetch(made)).blob());
  } catch (error) {
    shell.toast(error.message);
  }
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
