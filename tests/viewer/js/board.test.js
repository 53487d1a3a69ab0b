import assert from 'node:assert/strict';
import {test} from 'node:test';
import {leaderboardChart, leaderboardPage} from '../../../src/smoltrace/viewer/static/js/model/board.js';
import {ranksOf} from '../../../src/smoltrace/viewer/static/js/model/ranks.js';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 5, 9);

function run(run_id, success_rate, more = {}) {
  const {cost = 0.001, wh = null, day = 0, ...rest} = more;
  return {
    run_id, model: 'maker/one', agent_type: 'tool', provider: 'litellm', country: null, tags: {}, notes: null, dataset_used: 'basics', dataset_fingerprint: 'f'.repeat(64),
    evaluation_date: START + day * DAY, num_tests: 50, success_rate, success_rate_ci_low: success_rate === null ? null : success_rate - 8,
    success_rate_ci_high: success_rate === null ? null : success_rate + 5, p50_duration_ms: 900, avg_tokens_per_test: 1000, total_gpu_energy_wh: wh === null ? null : wh * 50,
    _status: 'completed', _cost: {value: cost, kind: cost === null ? 'unknown' : 'measured', est: false, reason: cost === null ? 'price unknown' : null, bound: null},
    _energy: {value: wh, est: false, reason: wh === null ? 'no GPU' : null}, _co2: {value: null, est: false, reason: 'no GPU'}, ...rest,
  };
}

const page = (rows, asked = {}) => leaderboardPage({version: 'files', rows}, asked);
const chart = (rows, asked = {}, axis = 'cost') => leaderboardChart({version: 'files', rows}, asked, axis);
const ids = (answer) => answer.rows.map((row) => row.run_id);

test('runs whose intervals overlap share a range of ranks', () => {
  const rows = [[90, 95], [85, 92], [50, 60], [40, 51]].map(([low, high]) => ({success_rate_ci_low: low, success_rate_ci_high: high}));
  assert.deepEqual(ranksOf(rows), [[1, 2], [1, 2], [3, 4], [3, 4]]);
  assert.deepEqual(ranksOf([{success_rate_ci_low: null, success_rate_ci_high: null}]), [null]);
});

test('the task set that most runs are of is shown first; over several there are no ranks', () => {
  const rows = [run('a', 50), run('b', 60), run('c', 70, {dataset_fingerprint: 'e'.repeat(64), dataset_used: 'other'})];
  assert.deepEqual([ids(page(rows)), page(rows).tasks], [['b', 'a'], 'f'.repeat(64)]);
  assert.deepEqual(ids(page(rows, {tasks: 'eeeeeeee'})), ['c']);
  const all = page(rows, {tasks: 'all'});
  assert.deepEqual([all.total, all.rows[0]._rank, all.rows[0]._rank_reason], [3, null, 'several task sets']);
  assert.deepEqual(all.task_sets.map((set) => [set.name, set.runs]), [['basics', 2], ['other', 1]]);
  assert.throws(() => page(rows, {tasks: 'nonesuch'}), {status: 400});
  assert.throws(() => page(rows, {q: 'é'.repeat(201)}), {status: 400, message: /^q has 201 characters/});
  assert.deepEqual(ids(page(rows, {q: `${' '.repeat(300)}${'😀'.repeat(200)}`})), []);
});

test('filters are "or" within one and "and" between two; a facet counts what choosing another value would show', () => {
  const rows = [run('a', 50, {model: 'x'}), run('b', 60, {model: 'y', tags: {team: 'one'}}), run('c', 70, {model: 'z', cost: null})];
  assert.deepEqual(ids(page(rows, {model: ['x', 'y']})), ['b', 'a']);
  assert.deepEqual(ids(page(rows, {model: ['x', 'y'], tag: ['team=one']})), ['b']);
  assert.deepEqual(ids(page(rows, {price: ['unknown']})), ['c']);
  const {facets} = page(rows, {model: ['x']});
  assert.equal(facets.model.length, 3);
  assert.deepEqual(facets.price, [{value: 'known', count: 1}]);
  assert.deepEqual(facets.country, []);
});

test('days are whole and in UTC, and every word of a search must be there', () => {
  const rows = [run('early', 50), run('late', 60, {day: 2, notes: 'Second Try'}), run('undated', 70, {evaluation_date: null})];
  assert.deepEqual(ids(page(rows, {since: '2026-01-06'})), ['late']);
  assert.deepEqual(ids(page(rows, {until: '2026-01-05'})), ['early']);
  assert.deepEqual(ids(page(rows, {q: 'second LATE'})), ['late']);
  assert.deepEqual(ids(page(rows, {q: 'second early'})), []);
});

test('groups stay together across pages, and equal runs are told apart by their date', () => {
  const rows = [run('a', 50, {model: 'x'}), run('b', 90, {model: 'x'}), run('c', 70, {model: 'y'}), run('d', 70, {model: 'y', day: 1})];
  const grouped = page(rows, {group: 'model'});
  assert.deepEqual(ids(grouped), ['b', 'a', 'd', 'c']);
  assert.deepEqual(grouped.rows.map((row) => row._group.first), [true, false, true, false]);
  const second = page(rows, {group: 'model', offset: 1, limit: 2});
  assert.deepEqual([ids(second), second.total, second.rows[1]._group], [['a', 'd'], 4, {model: 'y', runs: 2, first: true}]);
});

test('sorting by what is made of several columns, unknown ones last', () => {
  const rows = [run('free', 50, {cost: 0}), run('dear', 60, {cost: 2}), run('unknown', 70, {cost: null})];
  assert.deepEqual(ids(page(rows, {sort: '_cost'})), ['free', 'dear', 'unknown']);
  assert.deepEqual(ids(page(rows, {sort: '-_cost'})), ['dear', 'free', 'unknown']);
  assert.deepEqual(ids(page(rows, {sort: '_rank,-run_id'})), ['unknown', 'dear', 'free']);
});

test('a chart has the frontier, the best interval, and beside it what has no place on the axis', () => {
  const rows = [run('cheap', 60), run('best', 90, {cost: 0.01}), run('worse', 55, {cost: 0.02}), run('unknown', 70, {cost: null}), run('waiting', null)];
  const made = chart(rows);
  assert.deepEqual([made.frontier, made.best, made.band], [['cheap', 'best'], 'best', [82, 95]]);
  assert.deepEqual(made.points.filter((point) => point.dominated).map((point) => point.run_id), ['worse']);
  assert.deepEqual(made.unplaced.map(({run_id, strip, why}) => [run_id, strip, why]), [['unknown', 'unknown', 'price unknown']]);
  assert.equal(made.no_result, 1);
});

test('a run that is not whole is neither the best nor on the frontier while whole ones are shown', () => {
  const rows = [run('whole', 60), run('lucky', 100, {_status: 'running', cost: 0.0001})];
  const made = chart(rows);
  assert.deepEqual([made.best, made.frontier], ['whole', ['whole']]);
  const lucky = made.points.find((point) => point.run_id === 'lucky');
  assert.deepEqual([lucky.frontier, lucky.dominated], [false, false]);
  assert.equal(chart(rows, {status: ['running']}).best, 'lucky');
});

test('the cheapest is one whose interval reaches that of the best, and measured energy goes before an estimate', () => {
  const rows = [run('best', 90, {cost: 1}), run('near', 80, {cost: 0.1, wh: 3}), run('far', 40, {cost: 0.001}), run('free', 90, {cost: 0})];
  rows.push(run('guess', 85, {_energy: {value: 0.1, est: true}}));
  const {cards} = chart(rows);
  assert.equal(cards.cheapest.run_id, 'guess');
  assert.equal(chart(rows.slice(0, 4)).cards.cheapest.run_id, 'near');
  assert.equal(cards.energy.run_id, 'near');
  assert.deepEqual(chart([]).cards, {best: null, cheapest: null, energy: null});
});

test('of many runs the best are sent, all of the frontier, and how many were not', () => {
  const rows = Array.from({length: 1500}, (_, i) => run(`r${String(i).padStart(4, '0')}`, 20 + (i % 700) / 10, {cost: 0.001 * (i + 1)}));
  const made = chart(rows);
  assert.ok(made.points.length >= 400 && made.points.length < 1500 && made.points.length + made.not_shown === 1500);
  const sent = new Set(made.points.map((point) => point.run_id));
  assert.ok(made.frontier.every((id) => sent.has(id)));
});
