/** The leaderboard of a site of files: what the server answers, reckoned from all rows in the browser. */

import {chartOf} from './boardchart.js';
import {FILTER_VALUES, matching, ordersOf, parseBoardQuery} from './boardquery.js';
import {compareText} from './pareto.js';
import {ranksOf} from './ranks.js';
import {refused, told} from './refused.js';
import {counted, grouped, sortedRows} from './table.js';

/** Names of the facets and of their filters. */
const FACETS = {
  ...{model: 'model', agent_type: 'agent', provider: 'provider', price: 'price'},
  ...{status: 'status', country: 'country', tags: 'tag'},
};
const MOST_VALUES = 1000;
const SHORTEST_PREFIX = 8;

/** @typedef {{version: string, rows: object[]}} Board all rows, with what the server adds to each */

/**
 * @param {Board} board
 * @param {object} asked the query, as in the server's address
 * @returns {object} as `/api/leaderboard`
 */
export function leaderboardPage({version, rows}, asked) {
  const query = parseBoardQuery(asked, rows[0] ?? null);
  const {taskSets, tasks, inSet} = chosenRows(rows, query);
  const found = ranked(matching(inSet, query), tasks);
  const sorted = sortedRows(found, ordersOf(query.sort));
  const page = (query.group ? withGroups(sorted) : sorted).slice(query.offset, query.offset + query.limit);
  return {version, total: found.length, offset: query.offset, rows: page, ...facetsOf(inSet, query), task_sets: taskSets, tasks};
}

/**
 * @param {Board} board
 * @param {object} asked
 * @param {string} axis
 * @returns {object} as `/api/chart`
 */
export function leaderboardChart({version, rows}, asked, axis) {
  const query = parseBoardQuery(asked, rows[0] ?? null);
  const {tasks, inSet} = chosenRows(rows, query);
  return {...chartOf(ranked(matching(inSet, query), tasks), axis), version};
}

function chosenRows(rows, query) {
  const taskSets = taskSetsOf(rows);
  const tasks = chosenTasks(taskSets, query.tasks);
  const every = tasks === 'all' || tasks === null;
  return {taskSets, tasks, inSet: every ? rows : rows.filter((row) => row.dataset_fingerprint === tasks)};
}

/**
 * Task sets by their number of runs, then the newest; each is called what its newest run calls it.
 *
 * @param {object[]} rows
 * @returns {{fingerprint: string, name: string, runs: number, newest_unix_ms: number|null}[]}
 */
function taskSetsOf(rows) {
  const sets = new Map();
  for (const row of rows) {
    const {dataset_fingerprint: fingerprint, dataset_used: name, evaluation_date: date} = row;
    if (fingerprint === null || fingerprint === undefined) continue;
    const set = sets.get(fingerprint) ?? {fingerprint, name, runs: 0, newest_unix_ms: null};
    sets.set(fingerprint, set);
    set.runs += 1;
    if (date !== null && (set.newest_unix_ms === null || date > set.newest_unix_ms)) {
      set.newest_unix_ms = date;
      set.name = name ?? set.name;
    }
  }
  const newest = (set) => set.newest_unix_ms ?? -Infinity;
  return [...sets.values()].sort(
    (a, b) => b.runs - a.runs || newest(b) - newest(a) || compareText(a.fingerprint, b.fingerprint),
  );
}

/** Throws an Error with `status` 400 for a task set that no run has. */
function chosenTasks(taskSets, asked) {
  const prints = taskSets.map((set) => set.fingerprint);
  if (asked === null) return prints[0] ?? null;
  if (asked === 'all' || prints.includes(asked)) return asked;
  const fitting = asked.length < SHORTEST_PREFIX ? [] : prints.filter((print) => print.startsWith(asked));
  if (fitting.length === 1) return fitting[0];
  const some = taskSets.slice(0, 5).map(({fingerprint, name}) => `${fingerprint.slice(0, 8)} (${name})`).join(', ');
  throw refused(`tasks=${told(asked)}: no run has these tasks. There are: ${some || 'none'}; or write 'all'.`);
}

function ranked(rows, tasks) {
  const reason = noRanks(rows, tasks);
  if (reason !== null) return rows.map((row) => ({...row, _rank: null, _rank_reason: reason}));
  const ranks = ranksOf(rows);
  return rows.map((row, i) => ({...row, _rank: ranks[i], _rank_reason: ranks[i] === null ? 'no test finished' : null}));
}

/** Why runs have no ranks: between different questions there are none. */
function noRanks(rows, tasks) {
  if (tasks !== 'all' && tasks !== null) return null;
  const sets = new Set(rows.map((row) => row.dataset_fingerprint ?? null));
  const unknown = sets.delete(null);
  if (sets.size > 1 || (sets.size === 1 && unknown)) return 'several task sets';
  return unknown ? 'task set unknown' : null;
}

function withGroups(rows) {
  return grouped(rows, (row) => row.model).map(({row, group, runs, first}) => ({...row, _group: {model: group, runs, first}}));
}

function facetsOf(rows, query) {
  const facets = {};
  const more = {};
  for (const [key, name] of Object.entries(FACETS)) {
    const found = counted(matching(rows, query, name), FILTER_VALUES[name]);
    facets[key] = found.slice(0, MOST_VALUES);
    if (found.length > MOST_VALUES) more[key] = found.length - MOST_VALUES;
  }
  return {facets, facets_more: more};
}
