/** Reads what the Compare screen shows: the runs with all their tests, and what differs in how they were made. */
import {runNames} from '../model/columnnames.js';
import {addPage, noTests} from '../model/tests.js';

/** Runs that are compared at most. */
export const MOST_RUNS = 10;

/**
 * @typedef {object} ComparedRun
 * @property {string} id
 * @property {string} name short, different from the others'
 * @property {string} model
 * @property {any} row of the leaderboard
 * @property {Record<string, any>} config flat
 * @property {string} status completed, incomplete or running
 * @property {number | null} planned executions
 * @property {import('../model/match.js').Tests} tests
 */

/**
 * @param {import('../data/adapter.js').Data} data
 * @param {string[]} ids
 * @returns {Promise<{runs: ComparedRun[], about: any}>} in the order of the ids
 */
export async function readRuns(data, ids) {
  const [about, tests] = await Promise.all([data.compare(ids), Promise.all(ids.map((id) => readTests(data, id)))]);
  const found = ids.map((id) => about.runs.find((run) => run.run_id === id));
  const names = runNames(found);
  const runs = found.map((run, i) => ({
    id: run.run_id,
    name: names[i],
    model: run.row.model ?? 'unnamed',
    row: run.row,
    config: run.config ?? {},
    status: run._status ?? run.row._status,
    planned: run.row._planned ?? null,
    tests: tests[i],
  }));
  return { runs, about };
}

async function readTests(data, id) {
  const made = noTests();
  for (let start = 0; start !== null; ) {
    const page = await data.tests(id, start);
    addPage(made, page);
    start = page.next ?? null;
  }
  return made;
}

/**
 * One execution whole, as a side of the panel.
 * @param {import('../data/adapter.js').Data} data
 * @param {ComparedRun} run
 * @param {number[] | undefined} at indexes of the executions, of which the first is shown
 * @returns {Promise<import('../paint/cellpanel.js').Side>}
 */
export async function readSide(data, run, at) {
  const side = { run: run.id, name: run.name, test: null, why: 'not in this run' };
  if (!at?.length) return { ...side, whole: () => Promise.reject(new Error('There is no such test.')) };
  const uid = run.tests.columns.test_case_uid[at[0]];
  const test = await data.test(run.id, uid);
  return { ...side, test, why: null, whole: async (ref) => (await data.testText(run.id, uid, ref)).text };
}
