/** Facts about all the runs of a leaderboard, from what its answers hold. */

/**
 * The least and the most tests that a run of the chart has.
 *
 * @param {{points: {n: number|null}[], unplaced: {n: number|null}[]}|null} chart
 * @returns {[number, number]|null}
 */
export function testsOfRuns(chart) {
  if (chart === null) return null;
  const counts = [...chart.points, ...chart.unplaced].map((run) => run.n).filter((n) => Number.isFinite(n));
  return counts.length === 0 ? null : [counts.reduce((a, b) => Math.min(a, b)), counts.reduce((a, b) => Math.max(a, b))];
}

/**
 * From when to when the runs started; null unless every one of them is at hand.
 *
 * @param {{evaluation_date: number|null}[]} rows
 * @param {number} total
 * @returns {{first: number, last: number}|null}
 */
export function dateSpan(rows, total) {
  const dates = rows.map((row) => row.evaluation_date).filter((date) => Number.isFinite(date));
  if (rows.length < total || dates.length === 0) return null;
  return {first: dates.reduce((a, b) => Math.min(a, b)), last: dates.reduce((a, b) => Math.max(a, b))};
}

/**
 * What stands beside the table of its ranks.
 *
 * @param {{_rank: [number, number]|null, _rank_reason: string|null}[]} rows
 * @returns {string|null}
 */
export function rankNote(rows) {
  if (rows.some((row) => row._rank_reason === 'several task sets')) return 'No ranks over several task sets';
  return rows.some((row) => row._rank && row._rank[0] !== row._rank[1]) ? 'Overlapping intervals share ranks' : null;
}
