/** Runs side by side, from what was laid down of each alone: what the server says of them together. */
import {refused} from './refused.js';

const MOST = 10;

/**
 * The ids of a comparison, each once. Throws an Error with `status` 400 where there are none or too many.
 *
 * @param {string[]} ids
 * @returns {string[]}
 */
export function comparedIds(ids) {
  const chosen = [...new Set(ids)];
  if (chosen.length < 1 || chosen.length > MOST) throw refused(`${chosen.length} runs cannot be compared: choose 2 to ${MOST}.`);
  return chosen;
}

/**
 * @param {{compare: any, tests: any}[]} each of a run: `/api/compare` of it alone, and all its tests
 * @returns {object} as `/api/compare`
 */
export function comparisonOf(each) {
  const runs = each.map((one) => one.compare.runs[0]);
  const fingerprints = new Set(runs.map((run) => run.row.dataset_fingerprint ?? null));
  const scorers = each.map((one) => one.compare.scorers[0]);
  const finished = each.map((one) => new Set(one.tests.columns.test_id));
  const [first, ...others] = finished;
  return {
    runs,
    same_tasks: fingerprints.size === 1 && !fingerprints.has(null),
    same_scorers: scorers.every((names) => JSON.stringify(names) === JSON.stringify(scorers[0])),
    scorers,
    tests_in_common: [...first].filter((id) => others.every((ids) => ids.has(id))).length,
    tests_total: new Set(finished.flatMap((ids) => [...ids])).size,
    config_names: [...new Set(each.flatMap((one) => one.compare.config_names))],
  };
}
