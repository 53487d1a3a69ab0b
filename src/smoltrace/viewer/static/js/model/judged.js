/** How many tests of a run were judged: of imported traces it may be none. */

/** @param {any} row a row of the leaderboard @returns {number} */
export function judgedTests(row) {
  const {successful_tests: passed, failed_tests: failed} = row;
  return Number.isFinite(passed) && Number.isFinite(failed) ? passed + failed : row.num_tests ?? 0;
}

/** Why a run has no success rate. @param {any} row @returns {string} */
export function whyNoRate(row) {
  return (row.num_tests ?? row._finished) ? 'no test was judged' : 'no test has finished';
}
