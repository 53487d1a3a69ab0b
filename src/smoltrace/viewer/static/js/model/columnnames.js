/** Names of compared runs that fit a column's head. */
import {shortModel} from './runname.js';

/**
 * Short names that differ: of two runs of one model each bears its place.
 * @param {{row: any, run_id: string}[]} runs
 * @returns {string[]}
 */
export function runNames(runs) {
  const names = runs.map((run) => shortModel(run.row.model, 28));
  return names.map((name, i) => {
    const twins = names.map((other, k) => (other === name ? k : -1)).filter((k) => k >= 0);
    return twins.length === 1 ? name : `${name} #${twins.indexOf(i) + 1}`;
  });
}
