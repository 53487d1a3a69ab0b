/**
 * Data from documents that were laid down beforehand: beside the pages of a site, or in the page itself. It answers as the
 * server does. What the server reckons from the runs, the model's modules reckon here.
 */
import {bucketed} from '../model/gpubuckets.js';
import {comparedIds, comparisonOf} from '../model/comparison.js';
import {SEARCHED, foundIn, newestFirst} from '../model/search.js';
import {leaderboardChart, leaderboardPage} from '../model/board.js';
import {toCsv, toJson} from '../model/csv.js';
import {DataError} from './error.js';

/** More runs than this are not searched: each has a file of its tests to load. */
const MOST_SEARCHED = 50;
const MOST_TESTS = 5000;
const ALL = {offset: 0, limit: Infinity};

/** @typedef {(name: string) => Promise<any>} Read gives a document, or null where there is none */

/**
 * Each document is read once and kept, but for the newest few of those that are large.
 * @param {Read} read
 * @param {number} [most]
 * @returns {Read}
 */
function remembering(read, most = 24) {
  /** @type {Map<string, Promise<any>>} */
  const kept = new Map();
  return (name) => {
    const found = kept.get(name) ?? read(name);
    kept.delete(name);
    kept.set(name, found);
    // What failed is tried again when it is asked for again.
    found.catch(() => kept.delete(name));
    if (kept.size > most) kept.delete(kept.keys().next().value);
    return found;
  };
}

/** @param {string} kind @param {number} number */
function shardName(kind, number) {
  return `${kind}-${String(number).padStart(3, '0')}`;
}

/**
 * @param {'static'|'inline'} kind
 * @param {Read} readDocument
 * @param {((id: string, name: string) => string)|null} parquet address of a data set of a run; null where there are none
 * @returns {import('./adapter.js').Data}
 */
export function dataOfFiles(kind, readDocument, parquet) {
  const read = remembering(readDocument);

  async function found(name, what) {
    const document = await read(name);
    if (document === null) throw new DataError(`${what} is not in this ${kind === 'inline' ? 'page' : 'site'}.`, {status: 404});
    return document;
  }

  const ofRun = (id, name) => found(`runs/${id}/${name}`, `The run '${id}'`);

  /** @type {Promise<{version: string, rows: any[]}>|null} */
  let made = null;

  /** All rows of the leaderboard, made once. */
  function board() {
    made ??= madeBoard();
    made.catch(() => (made = null));
    return made;
  }

  async function madeBoard() {
    const {count, columns} = await found('leaderboard', 'The leaderboard');
    const names = Object.keys(columns);
    const rows = Array.from({length: count}, (_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
    return {version: 'files', rows};
  }

  async function shardOf(id, column, value, what) {
    const {columns} = await ofRun(id, 'tests');
    const at = value === null || value === undefined ? -1 : columns[column].indexOf(value);
    if (at < 0) throw new DataError(`The run '${id}' has no ${what} '${value}'.`, {status: 404});
    return ofRun(id, shardName('tests', columns._shard[at]));
  }

  async function traceOf(id, trace) {
    const known = trace.toLowerCase();
    return (await shardOf(id, 'trace_id', known, 'trace')).traces[known];
  }

  async function span(id, trace, spanId) {
    const {columns, _spans: places} = await traceOf(id, trace);
    const at = columns.id.indexOf(spanId);
    const place = places.findLast(([, first]) => first <= at);
    const shard = at < 0 || !place ? null : await ofRun(id, shardName('spans', place[0]));
    if (shard === null) throw new DataError(`The trace '${trace}' has no span '${spanId}'.`, {status: 404});
    return shard[`${trace.toLowerCase()}/${spanId}`];
  }

  /** @type {Map<string, Promise<any>>} what is searched of the tests of a run, kept: every letter that is typed asks for it */
  const searchable = new Map();

  async function searchableOf(id) {
    const {count, columns} = await ofRun(id, 'tests');
    return {count, columns: Object.fromEntries(['test_index', ...SEARCHED].map((name) => [name, columns[name]]))};
  }

  async function search(q, limit = 50) {
    const rows = newestFirst((await board()).rows);
    const tests = rows.slice(0, MOST_SEARCHED).map(({run_id: id}) => {
      const found = searchable.get(id) ?? searchableOf(id);
      searchable.set(id, found);
      found.catch(() => searchable.delete(id));
      return found;
    });
    return foundIn(q, limit, rows, await Promise.all(tests));
  }

  /** A page of the tests. They are all at hand, so it is no more work to give them as the server does. */
  async function tests(id, start = 0, count = 2000) {
    const whole = await ofRun(id, 'tests');
    const end = start + Math.min(count, MOST_TESTS);
    const columns = Object.fromEntries(Object.entries(whole.columns).map(([name, values]) => [name, values.slice(start, end)]));
    const found = columns.test_case_uid.length;
    return {version: whole.version, start, next: start + found < whole.count ? start + found : null, count: found, columns};
  }

  async function compare(ids) {
    const of = async (id) => ({compare: await ofRun(id, 'compare'), tests: await ofRun(id, 'tests')});
    return comparisonOf(await Promise.all(comparedIds(ids).map(of)));
  }

  async function leaderboardFile(format, query) {
    const {rows} = leaderboardPage(await board(), {...query, ...ALL});
    // The columns of the dataset, without what the screens add to them.
    const names = Object.keys(rows[0] ?? {}).filter((name) => !name.startsWith('_'));
    if (format === 'json') return new Blob([toJson(names, rows)], {type: 'application/json'});
    if (format === 'csv') return new Blob([toCsv(names, rows)], {type: 'text/csv'});
    throw new DataError('Parquet of the leaderboard is not in these files.', {hint: 'CSV and JSON are made here; `smoltrace leaderboard` has the rest.'});
  }

  return {
    kind,
    store: () => found('store', 'The store'),
    leaderboard: async (query = {}) => leaderboardPage(await board(), query),
    chart: async (query = {}, axis = 'cost') => leaderboardChart(await board(), query, axis),
    run: (id) => ofRun(id, 'run'),
    tests,
    test: async (id, uid) => (await shardOf(id, 'test_case_uid', uid, 'test')).tests[uid],
    gpu: async (id, from, to, width) => bucketed(await ofRun(id, 'gpu'), from, to, width),
    trace: traceOf,
    span,
    text: (id, trace, spanId, ref) => ofRun(id, `texts/${ref}`),
    testText: (id, uid, ref) => ofRun(id, `texts/${ref}`),
    compare,
    search,
    watch: () => () => {},
    // What was laid down can be had as it is, and what is reckoned here can be written here.
    downloads: {leaderboard: ['csv', 'json'], run: parquet === null ? [] : ['parquet']},
    downloadUrl: (what) => {
      if (what.kind === 'leaderboard') return leaderboardFile(what.format, what.query);
      if (what.format === 'parquet' && parquet !== null) return parquet(what.id, what.name);
      throw new DataError(`${what.name}.${what.format} is not in these files.`, {hint: `\`smoltrace export ${what.id} --format ${what.format} -o tables/\` writes it where the run is kept.`});
    },
  };
}
