/**
 * The search over runs and tests of files: what the server finds, in the texts that are at hand. Of a long prompt, answer
 * or error that is the beginning.
 */
import {LAST, matching, parseBoardQuery, wordsOf} from './boardquery.js';
import {refused} from './refused.js';
import {sortedRows} from './table.js';

const BESIDE = 60;
const MOST = 200;
/** Characters of a text that a light row has, an ellipsis behind them where there is more. */
const SHORT = 200;
/** Where a test is looked into, and the name of that place. */
const PLACES = [
  ['test_case_uid', 'id'],
  ['trace_id', 'id'],
  ['prompt', 'prompt'],
  ['response', 'answer'],
  ['error', 'error'],
  ['error_type', 'error'],
];
export const SEARCHED = PLACES.map(([column]) => column);

/** @param {object[]} rows of the leaderboard @returns {any[]} the newest first, as they are searched */
export function newestFirst(rows) {
  return sortedRows(rows, LAST);
}

/**
 * Throws an Error with `status` 400 where there is no word to search for, or too much.
 *
 * @param {string} q
 * @param {number} limit of runs, and of tests
 * @param {any[]} rows of the leaderboard, the newest first
 * @param {{count: number, columns: Object<string, any[]>}[]} tests the columns `SEARCHED` of the first of these runs
 * @returns {object} as `/api/search`; `_beginnings`: of some texts only the beginning was looked into
 */
export function foundIn(q, limit, rows, tests) {
  const words = wordsOf(q);
  if (words.length === 0) throw refused('There is nothing to search for. Write q= and some words.');
  const most = Math.max(1, Math.min(limit, MOST));
  const runs = matching(rows, {...parseBoardQuery({}), words});
  const {found, searched, beginnings} = lookedThrough(words, most, rows, tests);
  return {
    q,
    runs: runs.slice(0, most).map(({run_id: id, model, evaluation_date: date}) => ({run_id: id, model, evaluation_date: date})),
    tests: found.slice(0, most),
    truncated: Math.max(runs.length, found.length) > most || searched < rows.length,
    searched_runs: searched,
    of_runs: rows.length,
    _beginnings: beginnings,
  };
}

/** Run by run, until more is found than is wanted: the run where that happens was not looked through whole. */
function lookedThrough(words, most, rows, tests) {
  const found = [];
  let searched = 0;
  let beginnings = false;
  for (const of of tests) {
    found.push(...testsIn(rows[searched], of, words));
    beginnings ||= SEARCHED.some((column) => of.columns[column].some(isBeginning));
    if (found.length > most) break;
    searched += 1;
  }
  return {found, searched, beginnings};
}

/** In the order of the plan, whichever test was finished first. */
function testsIn(row, {count, columns}, words) {
  const found = [];
  for (let i = 0; i < count; i += 1) {
    const place = PLACES.find(([column]) => holds(columns[column][i], words));
    if (place === undefined) continue;
    const [column, where] = place;
    found.push({
      at: columns.test_index[i],
      test: {
        run_id: row.run_id,
        test_case_uid: columns.test_case_uid[i],
        trace_id: columns.trace_id[i],
        where,
        snippet: snippet(columns[column][i], words),
        model: row.model,
      },
    });
  }
  return found.sort((a, b) => a.at - b.at).map(({test}) => test);
}

/** Every word must stand in the text, in whatever case. */
function holds(text, words) {
  if (typeof text !== 'string') return false;
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

function isBeginning(text) {
  return typeof text === 'string' && text.length > SHORT && text.endsWith('…');
}

/** The text around the words where they stand one after the other, else around the first of them. */
function snippet(text, words) {
  const [together, first] = [words.map(escaped).join('\\s+'), escaped(words[0])].map((each) => new RegExp(each, 'iu').exec(text));
  const found = together ?? first;
  const [before, behind] = found === null ? ['', text] : [text.slice(0, found.index), text.slice(found.index + found[0].length)];
  // By characters: half of one cannot be shown.
  const [left, right] = [[...before], [...behind]];
  const around = left.slice(-BESIDE).join('') + (found === null ? '' : found[0]) + right.slice(0, BESIDE).join('');
  return (left.length > BESIDE ? '…' : '') + around.split(/\s+/).filter((word) => word !== '').join(' ') + (right.length > BESIDE ? '…' : '');
}

function escaped(word) {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
