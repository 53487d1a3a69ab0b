/** The search over runs and tests of files: what the server finds, in the texts that are at hand. */

const AROUND = 40;
/** Where a test is looked into, and the name of that place. */
const PLACES = [['test_id', 'id'], ['prompt', 'prompt'], ['response', 'answer'], ['error', 'error']];

/**
 * Every word must stand in the text, in whatever case.
 *
 * @param {string} text @param {string[]} words in lower case
 */
function holds(text, words) {
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

/** @param {string} text @param {string} word @returns {string} the text around the first place of the word */
function snippet(text, word) {
  const at = Math.max(0, text.toLowerCase().indexOf(word));
  const [from, to] = [Math.max(0, at - AROUND), Math.min(text.length, at + word.length + AROUND)];
  return (from > 0 ? '…' : '') + text.slice(from, to) + (to < text.length ? '…' : '');
}

/**
 * @param {string} q
 * @param {number} limit of runs, and of tests
 * @param {any[]} rows of the leaderboard
 * @param {{row: any, tests: any}[]} searched the runs whose tests are looked into
 * @returns {object} as `/api/search`
 */
export function foundIn(q, limit, rows, searched) {
  const words = q.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const runs = words.length === 0 ? [] : rows.filter((row) => holds(`${row.run_id} ${row.model} ${row.notes ?? ''}`, words));
  const tests = words.length === 0 ? [] : searched.flatMap((one) => testsIn(one, words));
  return {
    q,
    runs: runs.slice(0, limit).map(({run_id: id, model, evaluation_date: date}) => ({run_id: id, model, evaluation_date: date})),
    tests: tests.slice(0, limit),
    truncated: runs.length > limit || tests.length > limit || searched.length < rows.length,
    searched_runs: searched.length,
    of_runs: rows.length,
  };
}

function testsIn({row, tests: {count, columns}}, words) {
  const found = [];
  for (let i = 0; i < count; i += 1) {
    const place = PLACES.find(([column]) => holds(columns[column][i] ?? '', words));
    if (place === undefined) continue;
    const [column, where] = place;
    found.push({
      run_id: row.run_id,
      model: row.model,
      test_case_uid: columns.test_case_uid[i],
      trace_id: columns.trace_id[i],
      where,
      snippet: snippet(columns[column][i], words[0]),
    });
  }
  return found;
}
