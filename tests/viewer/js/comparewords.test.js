import { test } from 'node:test';
import assert from 'node:assert/strict';
import { runNames } from '../../../src/smoltrace/viewer/static/js/model/columnnames.js';
import { compareNotes, pairedText, titleText } from '../../../src/smoltrace/viewer/static/js/model/comparenotes.js';
import { caseTable, compareMarkdown, METRIC_COLUMNS, metricTable } from '../../../src/smoltrace/viewer/static/js/model/compareout.js';
import { asideText, changeWords, differenceText, intervalText, verdictWords, wholeSentence } from '../../../src/smoltrace/viewer/static/js/model/comparewords.js';
import { caseRows } from '../../../src/smoltrace/viewer/static/js/model/cases.js';
import { matchTests } from '../../../src/smoltrace/viewer/static/js/model/match.js';
import { METRICS } from '../../../src/smoltrace/viewer/static/js/model/metrics.js';
import { comparison } from '../../../src/smoltrace/viewer/static/js/model/paired.js';
import { run, twoByTwo } from './support/runs.js';

const metric = (key) => METRICS.find((one) => one.key === key);
const found = (more) => ({ n: 150, pairs: 150, difference: 1, interval: [0.5, 1.5], ratio: null, ratioInterval: null, p: null, verdict: 'none', reason: null, improved: 3, regressed: 2, method: 'm', ...more });

test('differences are signed, ratios bear their sign, and an interval tells its unit once', () => {
  assert.equal(differenceText(metric('success'), found({ difference: 4.66 })), '+4.7 pp');
  assert.equal(differenceText(metric('duration'), found({ difference: -2700 })), '−2.7 s');
  assert.equal(intervalText(metric('duration'), found({ interval: [-3600, -1900] })), '−3.6 to −1.9 s');
  assert.equal(intervalText(metric('duration'), found({ interval: [-90, 1900] })), '−90 ms to +1.9 s');
  assert.equal(differenceText(metric('cost'), found({ ratio: 4.13 })), '× 4.13');
  assert.equal(intervalText(metric('cost'), found({ ratio: 4.13, ratioInterval: [3.8, 4.5] })), '× 3.80–4.50');
  assert.equal(differenceText(metric('cost'), found({ difference: 1.236 })), '+$1.24');
  assert.equal(intervalText(metric('steps'), found({ interval: null })), null);
});

test('the words say what can be told, and only a verdict has a tone', () => {
  const say = (key, more) => verdictWords(metric(key), found(more));
  assert.deepEqual(say('success', { verdict: 'worse' }), { text: 'significantly worse', tone: 'fail', told: true });
  assert.deepEqual(say('cost', { verdict: 'better' }), { text: 'better', tone: 'ok', told: true });
  assert.deepEqual(say('calls', { verdict: 'more' }).tone, 'plain');
  const silent = [['none', 'no significant difference'], ['same', 'the same in every test'], ['mixed', 'no verdict, baseline est.'], ['few', 'no verdict, only 4 tests'], ['unknown', 'no GPU']];
  for (const [verdict, text] of silent) assert.deepEqual(say('energy', { verdict, n: 4, reason: verdict === 'mixed' ? 'baseline est.' : 'no GPU' }), { text, tone: 'none', told: false });
});

test('changes are improvements where that is known, and lower and higher where it is not', () => {
  assert.equal(changeWords(metric('success'), found()), '3 improved · 2 regressed');
  assert.equal(changeWords(metric('cost'), found()), '3 lower · 2 higher');
  assert.equal(changeWords(metric('calls'), found()), '2 lower · 3 higher');
  assert.match(wholeSentence(metric('success'), found({ p: 0.0002 })), /no significant difference\n95 % interval \+0\.5 to \+1\.5 pp\np < 0\.001, exact\n3 improved · 2 regressed\nn 150 tests\nm/);
});

test('beside a value stands its interval, its total or its 95th percentile', () => {
  const value = { value: 1, n: 10, of: 10, est: false, reason: null, bound: null, low: 59.6, high: 98.2, p95: 9, total: 0.14 };
  assert.equal(asideText(metric('success'), value), '59.6–98.2, n 10');
  assert.equal(asideText(metric('cost'), value), '$0.14 in all');
  assert.equal(asideText(metric('steps'), { ...value, n: 8 }), 'p95 9, n 8 of 10');
  assert.equal(asideText(metric('energy'), { ...value, est: true, low: 0.08, high: 0.29 }), 'range 0.08–0.29');
  assert.equal(asideText(metric('cost'), { ...value, value: null, bound: 0.1, n: 7, reason: 'price unknown' }), '3 of 10 unpriced');
});

const shown = (runs, about = {}) => {
  const match = matchTests(runs.map((each) => each.tests));
  return { runs, match, about: { same_tasks: true, same_scorers: true, scorers: [], ...about } };
};
const named = (name, tests, more = {}) => ({ id: `id-${name}`, name, status: 'completed', planned: tests.count, tests, row: { model: name, agent_type: 'tool', dataset_used: 'basics' }, config: {}, ...more });
const notes = ({ runs, match, about }) => compareNotes(runs, match, about);

test('the same tests by the same scorers need no note', () => {
  const all = shown(twoByTwo(3, 1, 1, 1).map((tests, i) => named(`m${i}`, tests)));
  assert.deepEqual(notes(all), []);
  assert.equal(titleText(all.runs, all.match, all.about), '2 runs · basics · same 6 tests · same scorers');
  assert.equal(pairedText(all.match), 'Paired on 6 tests, 95\u00a0% intervals');
});

test('other task sets, scorers and kinds of agent are told', () => {
  const tests = (agent) => run([{ id: 'a', agent }, { id: `only-${agent}`, agent }]);
  const all = shown([named('one', tests('tool')), named('two', tests('code'), { row: { dataset_used: 'hard' } })], { same_tasks: false, same_scorers: false, scorers: [['documented'], ['judge']] });
  const [tasks, kinds, scorers] = notes(all);
  assert.match(tasks, /^The task sets differ \(basics, hard\): only the 1 test in common is compared, matched by test\./);
  assert.match(kinds, /share no kind of agent \(tool against code\)/);
  assert.match(scorers, /judged by different scorers \(the task’s own checks against judge\)/);
  assert.equal(pairedText(all.match), 'Paired on 1 test, 95\u00a0% intervals');
});

test('a run that is not finished says how much of it is compared', () => {
  const live = named('live', run([{ id: 'a' }]), { status: 'running', planned: 3 });
  const [note] = notes(shown([named('done', run([{ id: 'a' }, { id: 'b' }])), live]));
  assert.match(note, /^live is still running \(1 of 3 done\)\. Compared is the 1 execution that all runs have/);
  const empty = named('live', run([]), { status: 'running', planned: 3 });
  assert.match(notes(shown([named('done', run([{ id: 'a' }])), empty]))[0], /nothing can be compared yet/);
});

test('the metrics go out with every number, one row a metric and run', () => {
  const all = shown(twoByTwo(36, 12, 2, 0).map((tests, i) => named(`m${i}`, tests)));
  const numbers = comparison(all.runs.map((each) => each.tests), all.match);
  const rows = metricTable(all.runs, numbers);
  assert.equal(rows.length, METRICS.length * 2);
  const [base, other] = rows;
  assert.deepEqual([base.metric, base.baseline, base.value, base.n_tests], ['success', true, 96, undefined]);
  assert.deepEqual([other.run_id, other.n_tests, Number(other.difference.toFixed(6)), other.verdict, other.regressed], ['id-m1', 50, -20, 'worse', 12]);
  for (const row of rows) for (const name of Object.keys(row)) assert.ok(METRIC_COLUMNS.includes(name), name);
});

test('tests go out by run, and as Markdown no name can break the table', () => {
  const tests = twoByTwo(1, 1, 0, 0);
  tests[0].columns.test_id[1] = tests[1].columns.test_id[1] = 'a|b\n<img>';
  const all = shown(tests.map((each, i) => named(i ? 'm|1' : 'm0', each)));
  const rows = caseRows(all.match, tests);
  const numbers = comparison(tests, all.match);
  assert.deepEqual(caseTable(rows, all.runs).rows[0]['id-m0'], 'passed');
  const text = compareMarkdown({ runs: all.runs, numbers, rows, paired: pairedText(all.match), banner: ['Beware.'] });
  assert.match(text, /\| Test \| m0 \| m\\\|1 \|/);
  assert.match(text, /\| a\\\|b \\<img\\>, tool \| passed \| failed \|/);
  assert.match(text, /1 of 2 tests disagree\./);
});

test('runs of one model are told apart by their place', () => {
  assert.deepEqual(runNames([{ row: { model: 'x/m' } }, { row: { model: 'n' } }, { row: { model: 'm' } }, { row: { model: null } }]), ['m #1', 'n', 'm #2', 'unnamed']);
});
