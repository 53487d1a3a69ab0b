import assert from 'node:assert/strict';
import {test} from 'node:test';
import {AXES, axisName} from '../../../src/smoltrace/viewer/static/js/model/axes.js';
import {DEFAULTS, compareReason, filterCount, queryOf, withoutFilters} from '../../../src/smoltrace/viewer/static/js/model/boardstate.js';
import {dateSpan, rankNote, testsOfRuns} from '../../../src/smoltrace/viewer/static/js/model/boardfacts.js';
import {cardWords} from '../../../src/smoltrace/viewer/static/js/model/cardwords.js';
import {cellText, rankText} from '../../../src/smoltrace/viewer/static/js/model/celltext.js';
import {COLUMNS, DEFAULT_COLUMNS, columnsOf, nextSort} from '../../../src/smoltrace/viewer/static/js/model/columns.js';
import {FACETS, dateSummary, facetSummary, facetValues} from '../../../src/smoltrace/viewer/static/js/model/facetwords.js';
import {shortModel, shortName} from '../../../src/smoltrace/viewer/static/js/model/runname.js';

const facet = (name) => FACETS.find((one) => one.name === name);

test('thirteen columns are shown at first, and every name is there once', () => {
  assert.equal(DEFAULT_COLUMNS.length, 13);
  assert.equal(new Set(COLUMNS.map((column) => column.key)).size, COLUMNS.length);
});

test('an address with unknown columns shows the known ones, in one order, and the model always', () => {
  assert.deepEqual(columnsOf(['country', 'no_such_column', '_rank']).map((column) => column.key), ['_rank', 'model', 'country']);
  assert.equal(columnsOf([]).length, 13);
});

test('a press on a head sorts by the better end first, and then turns it round', () => {
  const column = (key) => COLUMNS.find((one) => one.key === key);
  assert.equal(nextSort('-success_rate', column('_cost')), '_cost');
  assert.equal(nextSort('_cost', column('_cost')), '-_cost');
  assert.equal(nextSort('-_cost', column('_cost')), '_cost');
  assert.equal(nextSort('_cost', column('success_rate')), '-success_rate');
  assert.equal(nextSort('_cost', column('model')), 'model');
  assert.equal(nextSort('_cost', column('_interval')), '-success_rate_ci_low');
});

test('an empty state asks for nothing but the order', () => {
  assert.deepEqual(queryOf(DEFAULTS), {sort: '-success_rate'});
  assert.deepEqual(queryOf({...DEFAULTS, model: ['a', 'b'], q: 'x', pins: ['r'], axis: 'energy'}), {model: ['a', 'b'], q: 'x', sort: '-success_rate'});
});

test('filters are counted and emptied without touching the rest', () => {
  const state = {...DEFAULTS, model: ['a'], since: '2026-01-01', until: '2026-01-02', q: 'x', pins: ['r']};
  assert.equal(filterCount(state), 3);
  assert.equal(filterCount({...state, ...withoutFilters()}), 0);
  assert.deepEqual({...state, ...withoutFilters()}.pins, ['r']);
});

test('two to ten pinned runs can be compared, and otherwise it says why not', () => {
  const pins = (n) => Array.from({length: n}, (_, i) => `r${i}`);
  assert.match(compareReason([]), /Pin 2 to 10/);
  assert.match(compareReason(pins(1)), /one more/);
  assert.equal(compareReason(pins(2)), null);
  assert.equal(compareReason(pins(10)), null);
  assert.match(compareReason(pins(12)), /unpin 2/);
});

test('a facet tells what it lets through', () => {
  const models = [{value: 'm/a', count: 3}, {value: 'm/b', count: 1}, {value: 'm/c', count: 1}];
  assert.equal(facetSummary(facet('model'), models, []), 'all 3');
  assert.equal(facetSummary(facet('model'), models, ['m/a']), 'a');
  assert.equal(facetSummary(facet('model'), models, ['m/a', 'm/b']), '2 of 3');
  assert.equal(facetSummary(facet('agent'), [{value: 'tool', count: 1}, {value: 'code', count: 1}], []), 'tool, code');
  assert.equal(facetSummary(facet('price'), [{value: 'known', count: 9}, {value: 'unknown', count: 1}], []), '9 known, 1 unknown');
  assert.deepEqual(facetValues(models, ['gone']).at(-1), {value: 'gone', count: 0});
});

test('dates are told as shortly as they can be', () => {
  const day = (d, month = 10) => new Date(new Date().getFullYear(), month, d).getTime();
  assert.equal(dateSummary({since: '', until: ''}, {first: day(14), last: day(20)}), '14 – 20 Nov');
  assert.equal(dateSummary({since: '', until: ''}, {first: day(28, 9), last: day(2)}), '28 Oct – 2 Nov');
  assert.equal(dateSummary({since: '', until: ''}, null), 'all');
  assert.match(dateSummary({since: '2020-11-14', until: ''}, null), /^since 14 Nov 2020$/);
});

test('facts of all runs are told only when all of them are at hand', () => {
  assert.deepEqual(testsOfRuns({points: [{n: 44}], unplaced: [{n: 22}, {n: null}]}), [22, 44]);
  assert.equal(testsOfRuns({points: [], unplaced: []}), null);
  assert.equal(dateSpan([{evaluation_date: 5}], 2), null);
  assert.deepEqual(dateSpan([{evaluation_date: 5}, {evaluation_date: null}], 2), {first: 5, last: 5});
  assert.match(rankNote([{_rank: null, _rank_reason: 'several task sets'}]), /several task sets/);
  assert.equal(rankNote([{_rank: [1, 1], _rank_reason: null}]), null);
});

test('cells tell every kind of value, and unknown is null', () => {
  assert.equal(cellText('count', 12345), '12\u2009345');
  assert.equal(cellText('share', 0.25), '0.25');
  assert.equal(cellText('s', 1.5), '1.5 s');
  assert.equal(cellText('tags', {team: 'a', sample: 'yes'}), 'team=a, sample=yes');
  assert.equal(cellText('counts', {}), null);
  assert.equal(cellText('tokens', null), null);
  assert.equal(rankText([1, 4]), '1–4');
  assert.equal(rankText([3, 3]), '3');
  assert.equal(rankText(null), null);
});

test('long names are cut, and how a model was tuned is no part of its short name', () => {
  assert.equal(shortModel('meta-llama/Llama-3.1-8B-Instruct'), 'Llama-3.1-8B');
  assert.equal(shortModel('a-very-long-name-of-a-model', 10), 'a-very-lo…');
  assert.equal(shortModel(null), 'unnamed');
  assert.equal(shortName('🙂'.repeat(61)), '🙂'.repeat(59) + '…', 'no letter is cut in half');
});

test('an axis has short round ticks', () => {
  assert.equal(AXES.cost.tick(0.00005), '$0.00005');
  assert.equal(AXES.cost.tick(20), '$20');
  assert.equal(AXES.energy.tick(0.2), '0.2');
  assert.equal(AXES.energy.tick(100), '100');
  assert.equal(AXES.latency.tick(20_000), '20 s');
  assert.equal(AXES.latency.tick(120_000), '2 min');
  assert.equal(AXES.tokens.tick(5000), '5k');
  assert.equal(axisName('no such'), 'cost');
  assert.equal(axisName('toString'), 'cost');
});

function row(more) {
  return {
    run_id: 'r', model: 'm', agent_type: 'tool', success_rate: 90, success_rate_ci_low: 80, success_rate_ci_high: 95, num_tests: 50, p50_duration_ms: 900,
    avg_tokens_per_test: 1000, carbon_intensity: 56, country: 'FRA', hardware: 'Linux, 1 × NVIDIA L4',
    _cost: {value: 0.004, kind: 'measured', est: false, reason: null}, _energy: {value: 0.3, est: true}, _co2: {value: 0.1, est: true}, ...more,
  };
}

test('the cards say what the best costs, what is saved, and what was measured', () => {
  const best = row();
  const cheap = row({run_id: 'c', success_rate: 85.3, _cost: {value: 0.001, kind: 'measured', est: false}});
  const words = cardWords({best: {row: best}, cheapest: {row: cheap}, energy: {row: row({_energy: {value: 0.09, est: false}, _co2: {value: 0.03}})}});
  assert.deepEqual(words.map((card) => card.value), ['90.0', '$0.0010', '0.09']);
  assert.equal(words[0].aside, '80.0 – 95.0 %, n 50');
  assert.equal(words[1].notes[0].text, '4.0× cheaper than the best, 4.7 points lower');
  assert.deepEqual(words[2].notes.map((note) => note.text), ['0.03 g CO₂e', '56 g/kWh FRA', 'NVIDIA L4']);
});

test('a card without a run says why, and an unknown price is no ratio', () => {
  const none = cardWords({best: null, cheapest: null, energy: null});
  assert.ok(none.every((card) => card.value === null && card.none.length > 0));
  const unpriced = row({_cost: {value: null, kind: 'unknown', est: false, reason: 'price unknown'}});
  const [, card] = cardWords({best: {row: unpriced}, cheapest: {row: row({run_id: 'c'})}, energy: null});
  assert.match(card.notes[0].text, /price is unknown/);
  const [, same] = cardWords({best: {row: row()}, cheapest: {row: row()}, energy: null});
  assert.match(same.notes[0].text, /best run itself/);
});

test('an interval is said with the number of tests that it is of: those that were judged', () => {
  const partly = row({successful_tests: 36, failed_tests: 4});
  assert.equal(cardWords({best: {row: partly}, cheapest: null, energy: null})[0].aside, '80.0 – 95.0 %, n 40');
});
