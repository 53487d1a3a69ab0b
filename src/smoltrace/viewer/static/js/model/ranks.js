/** Ranks of runs whose success is known only within an interval. */

/**
 * The range of ranks that each run may have: below all runs that are surely better, above all that are surely worse.
 *
 * @param {{success_rate_ci_low: number|null, success_rate_ci_high: number|null}[]} rows of one task set
 * @returns {([number, number]|null)[]} null for a run without an interval
 */
export function ranksOf(rows) {
  const ranked = rows.filter(hasInterval);
  const lows = ranked.map((row) => row.success_rate_ci_low).sort((a, b) => a - b);
  const highs = ranked.map((row) => row.success_rate_ci_high).sort((a, b) => a - b);
  return rows.map((row) => {
    if (!hasInterval(row)) return null;
    const better = lows.length - countUpTo(lows, row.success_rate_ci_high);
    const worse = countBelow(highs, row.success_rate_ci_low);
    return [1 + better, ranked.length - worse];
  });
}

/** @param {object} row @returns {boolean} */
function hasInterval(row) {
  return Number.isFinite(row.success_rate_ci_low) && Number.isFinite(row.success_rate_ci_high);
}

/** How many of sorted values are at most `value`. */
function countUpTo(sorted, value) {
  return partition(sorted, (other) => other <= value);
}

/** How many of sorted values are below `value`. */
function countBelow(sorted, value) {
  return partition(sorted, (other) => other < value);
}

function partition(sorted, isBefore) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(sorted[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
