/** Runs side by side, from what was laid down of each alone: what the server says of them together. */

const MOST = 10;

/**
 * @param {{compare: any, tests: any}[]} each of a run: `/api/compare` of it alone, and all its tests
 * @returns {object} as `/api/compare`
 */
export function comparisonOf(each) {
  const chosen = [...new Map(each.map((one) => [one.compare.runs[0].run_id, one])).values()].slice(0, MOST);
  const runs = chosen.map((one) => one.compare.runs[0]);
  const fingerprints = new Set(runs.map((run) => run.row.dataset_fingerprint ?? null));
  const scorers = chosen.map((one) => one.compare.scorers[0]);
  const finished = chosen.map((one) => new Set(one.tests.columns.test_id));
  const [first, ...others] = finished;
  return {
    runs,
    same_tasks: fingerprints.size === 1 && !fingerprints.has(null),
    same_scorers: scorers.every((names) => JSON.stringify(names) === JSON.stringify(scorers[0])),
    scorers,
    tests_in_common: [...(first ?? [])].filter((id) => others.every((ids) => ids.has(id))).length,
    tests_total: new Set(finished.flatMap((ids) => [...ids])).size,
    config_names: [...new Set(chosen.flatMap((one) => one.compare.config_names))],
  };
}
