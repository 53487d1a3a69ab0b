/**
 * What a reader must know of a comparison before its numbers: what was paired, and what was not the same.
 */
import {count} from './format.js';
import {matchedBy} from './match.js';
import {shortName} from './runname.js';

const MANY_NAMES = 3;
/** What the data API calls the checks that a task brings along. */
const OWN_CHECKS = 'documented';

/** @typedef {ReturnType<import('./match.js').matchTests>} Match */

/**
 * @param {Match} match
 * @returns {string} `Paired on 150 tests, 95 % intervals`, `44 pairs of 22 tests, 95 % intervals`
 */
export function pairedText(match) {
  const tests = match.testIds.length;
  const pairs = match.pairs.length;
  if (!pairs) return 'No test in common';
  return `${pairs === tests ? 'Paired on' : `${count(pairs)} pairs of`} ${plural(tests, 'test')}, 95\u00a0% intervals`;
}

/** The facts beside the title. */
export function titleText(runs, match, about) {
  const sets = setsOf(runs);
  const same = about.same_tasks && complete(runs, match);
  const facts = [plural(runs.length, 'run'), list(sets)];
  facts.push(same ? `same ${plural(match.testIds.length, 'test')}` : `${plural(match.testIds.length, 'test')} in common`);
  if (about.same_scorers) facts.push('same scorers');
  return facts.join(' · ');
}

/** The names of the task sets, each once. */
function setsOf(runs) {
  return [...new Set(runs.map((run) => shortName(run.row.dataset_used ?? 'unnamed tasks')))];
}

function complete(runs, match) {
  return runs.every((run, i) => match.matched[i] === run.tests.count);
}

/**
 * @param {import('../screens/comparedata.js').ComparedRun[]} runs
 * @param {Match} match
 * @param {any} about as data.compare() gives it, names without the underscore
 * @returns {string[]} sentences
 */
export function compareNotes(runs, match, about) {
  return [tasksNote(runs, match, about), kindsNote(runs, match), scorersNote(about), partsNote(runs, match, about)].filter(Boolean);
}

function tasksNote(runs, match, about) {
  if (about.same_tasks) return null;
  const sets = setsOf(runs);
  const named = sets.length > 1 ? `The task sets differ (${list(sets)})` : `The task set ${sets[0]} has changed between the runs`;
  if (!match.pairs.length) return `${named}, and no test is in all of them: nothing can be compared.`;
  return `${named}: only the ${plural(match.common, 'test')} in common ${match.common === 1 ? 'is' : 'are'} compared, matched by ${matchedBy(match)}. A test of the same name may ask something else.`;
}

function kindsNote(runs, match) {
  if (match.by === 'agent') return null;
  return `The runs share no kind of agent (${list(match.agents.map((kinds) => kinds.join(' and ') || 'none'), ' against ')}): tests are matched by their id and attempt alone.`;
}

function scorersNote(about) {
  if (about.same_scorers) return null;
  const names = (about.scorers ?? []).map((scorers) => (scorers?.length ? scorers : [OWN_CHECKS]).map((name) => (name === OWN_CHECKS ? 'the task’s own checks' : name)).join(', '));
  const told = [...new Set(names)];
  return `The runs were judged by different scorers${told.length > 1 ? ` (${list(told, ' against ')})` : ''}: their success rates may not mean the same.`;
}

/** Which runs have executions that the others lack, and which lack some. */
function partsNote(runs, match, about) {
  const left = runs.map((run, i) => run.tests.count - match.matched[i]);
  if (!about.same_tasks || !left.some((many) => many > 0)) return null;
  const short = runs.filter((run) => run.status !== 'completed');
  const why = short.map((run) => `${run.name} ${run.status === 'running' ? 'is still running' : 'was interrupted'} (${run.tests.count}${run.planned ? ` of ${run.planned}` : ''} done)`);
  const told = why.length ? `${list(why)}. ` : '';
  if (!match.pairs.length) return `${told}No execution is in all of the runs: nothing can be compared yet.`;
  const counts = runs.map((run) => run.tests.count);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const of = least === most ? count(most) : `${count(least)} to ${count(most)}`;
  return `${told}Compared ${match.pairs.length === 1 ? 'is' : 'are'} the ${plural(match.pairs.length, 'execution')} that all runs have, of ${of} in each, matched by ${matchedBy(match)}.`;
}

function plural(n, word) {
  return `${count(n)} ${word}${n === 1 ? '' : 's'}`;
}

function list(names, last = ', ') {
  const shown = names.slice(0, MANY_NAMES);
  return shown.join(last) + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
}
