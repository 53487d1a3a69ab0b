import assert from 'node:assert/strict';
import {test} from 'node:test';
import {nextError, nextStop, openingSpan, traceModel} from '../../../src/smoltrace/viewer/static/js/model/tracemodel.js';
import {costWords, durationWords, energyWords, errorWords, rowWords, speedWords, tokenWords} from '../../../src/smoltrace/viewer/static/js/model/spanwords.js';
import {headFacts, quotedSpans, traceJson, traceMarkdown} from '../../../src/smoltrace/viewer/static/js/model/tracetext.js';
import {DEFAULTS, TraceView} from '../../../src/smoltrace/viewer/static/js/model/traceview.js';
import {indentOf, treeColumns} from '../../../src/smoltrace/viewer/static/js/layout/treecolumns.js';
import {spansOf} from './support/traces.js';

/** test > agent > 2 steps, each with a call and a tool; the second tool fails and has no end. */
function traced(more = {}, header = {}) {
  const spans = spansOf([[-1, 0, 1000], [0, 0, 1000], [1, 0, 400], [2, 0, 300], [2, 300, 400], [1, 600, 1000], [5, 600, 900], [5, 900, null]], {
    kind: ['weird', 'agent', 'step', 'chat', 'tool', 'step', 'chat', 'tool'],
    name: ['test t', 'invoke_agent A', 'step 1', 'chat org/m', 'execute_tool add', 'step 2', 'chat org/m', 'execute_tool add'],
    error: [null, null, null, null, null, null, null, 'ValueError'],
    tokens_in: [null, null, null, 100, null, null, 2000, null],
    tokens_out: [null, null, null, 30, null, null, 0, null],
    cost: [null, null, null, 0.5, null, null, null, null],
    unpriced: [false, false, false, false, false, false, true, false],
    tool: [null, null, null, null, 'add', null, null, 'add'],
    ...more,
  });
  return traceModel({run_id: 'r', trace_id: 't', ...spans, header: {test_id: 'a test', status: 'completed', success: false, row: {}, ...header}});
}

test('a model knows its kinds, labels, gaps and failures', () => {
  const model = traced();
  assert.deepEqual([0, 1, 3, 4].map((node) => [model.kindOf(node), model.labelOf(node)]), [['other', 'test t'], ['agent', 'A'], ['chat', 'm'], ['tool', 'add']]);
  assert.deepEqual([model.idle, model.failures, model.hasCost, model.hasEnergy], [200, 1, true, false]);
  assert.equal(openingSpan(model), 1);
  assert.equal(model.nodeOf(model.idOf(6)), 6);
  assert.deepEqual([model.nodeOf(''), model.nodeOf('nobody'), model.idOf(-1)], [-1, -1, null]);
});

test('a price of 0 for all is no column', () => {
  const none = new Array(8).fill(false);
  assert.equal(traced({cost: new Array(8).fill(0), unpriced: none}).hasCost, false);
});

test('of spans with one id the first is found by it', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'd', 'h'];
  const model = traced({id: ids});
  assert.deepEqual([model.nodeOf('d'), model.doubled(3), model.doubled(6)], [3, false, true]);
});

test('errors and stops of the critical path go round', () => {
  const model = traced();
  assert.deepEqual([nextError(model, -1), nextError(model, 7), nextError(model, 3, -1)], [7, 7, 7]);
  assert.equal(nextError(traced({error: new Array(8).fill(null)}), 2), -1);
  assert.deepEqual(model.stops(), [3, 4, 1, 6, 7]);
  assert.deepEqual([nextStop(model, 3), nextStop(model, 7), nextStop(model, 3, -1), nextStop(model, 5)], [4, 3, 7, 6]);
});

test('figures say what is known, at least, or why not', () => {
  const {figures} = traced();
  assert.deepEqual([tokenWords(figures.total, 0).text, tokenWords(figures.own, 0).why], ['2.1k / 30', 'no model call']);
  assert.deepEqual([costWords(figures.total, 0).text, costWords(figures.total, 3).text, costWords(figures.own, 6).why, costWords(figures.own, 4).why], ['≥ $0.50', '$0.50', 'price unknown', 'no model call']);
  assert.match(costWords(figures.total, 0).title, /1 of 2 calls/);
  assert.equal(energyWords(figures.total, 0).why, 'not measured');
});

test('where electricity is the cost, it is an estimate of every span that used some', () => {
  const cost = [null, 0.1, null, 0.2, 0.3, null, null, null];
  const {figures, isElectricity} = traced({cost, unpriced: new Array(8).fill(false)}, {_cost: {value: 0.6, kind: 'electricity', est: true}});
  assert.equal(isElectricity, true);
  assert.deepEqual(costWords(figures.total, 0), {text: '$0.60', why: null, title: null, est: true});
  assert.deepEqual([costWords(figures.own, 4).text, costWords(figures.own, 5).why, costWords(figures.own, 5).est], ['$0.30', 'not measured', false]);
});

test('durations, speeds and errors in words', () => {
  const model = traced();
  assert.deepEqual([durationWords(model, 7), durationWords(model, 1), durationWords(model, 1, true)], ['no end recorded', '1.0 s', '200 ms']);
  assert.deepEqual([speedWords(model, 3), speedWords(model, 6), speedWords(model, 4)], ['100 tok/s', null, null]);
  assert.deepEqual([errorWords(model, 7), errorWords(model, 0), errorWords(model, 3)], ['ValueError', '1', null]);
  assert.equal(rowWords(model, 5, false), 'step, 400 ms, 1 error below');
});

test('a view comes back from its address as it went', () => {
  const model = traced();
  const view = new TraceView(model);
  view.fold(2);
  view.select(4);
  view.setZoom({from: 100, to: 500});
  view.find('add');
  Object.assign(view, {tab: 'raw', mode: 'self', short: false, critical: false});
  const again = new TraceView(model);
  again.read({...DEFAULTS, ...view.write()});
  assert.deepEqual(again.write(), view.write());
  assert.deepEqual([...again.rows], [...view.rows]);
  assert.deepEqual([again.selected, again.at, again.found], [4, 0, [4, 7]]);
});

test('an address that makes no sense shows the trace', () => {
  const view = new TraceView(traced());
  view.read({...DEFAULTS, span: 'x', tab: 'x', from: 'x', to: '-5', mode: 'x', fold: 'x,,9', q: '('});
  assert.deepEqual([view.selected, view.tab, view.mode, view.rows.length, view.found.length], [-1, 'messages', 'total', 8, 0]);
  assert.ok(view.scene().view.to > view.scene().view.from);
});

test('a zoom stays within the trace, and all of it is no zoom', () => {
  const view = new TraceView(traced());
  view.setZoom({from: -50, to: 5000});
  assert.equal(view.zoom, null);
  view.setZoom({from: 900, to: 5000});
  assert.deepEqual(view.zoom, {from: 900, to: 1000});
  view.setZoom({from: 500, to: 500});
  assert.ok(view.zoom && view.zoom.to > view.zoom.from);
});

test('what a reader selects is unfolded, what they fold stays so', () => {
  const view = new TraceView(traced());
  view.setLevel(1);
  assert.equal(view.rows.length, 2);
  assert.equal(view.select(4), true);
  assert.deepEqual([...view.rows], [0, 1, 2, 3, 4, 5]);
  assert.equal(view.fold(3), false);
  assert.deepEqual([view.fold(2), view.deepest()], [true, 2]);
});

test('columns give way to the bars when the room is short', () => {
  const all = {tokens: true, cost: true, energy: true, phone: false};
  const wide = treeColumns(900, all);
  assert.ok(wide.cost > 0 && wide.bars >= 180);
  assert.equal(wide.left + wide.bars + 14, 900);
  const tight = treeColumns(500, all);
  assert.deepEqual([tight.energy, tight.cost], [0, 0]);
  assert.equal(treeColumns(390, {...all, phone: true}).bars, 358);
  assert.deepEqual([indentOf(3, false), indentOf(5_000, false).told, indentOf(5_000, false).px], [{px: 48, told: false}, true, 192]);
});

test('as Markdown a trace is an outline with what was said, and nothing in it ends its fences', () => {
  const model = traced();
  const {nodes, left} = quotedSpans(model, 3);
  assert.deepEqual([nodes, left], [[3, 4, 6], 1]);
  const detail = {messages: {input: [], output: [{role: 'assistant', parts: [{type: 'text', text: 'I add.\n<code>\nx = "```"\ny\n</code>'}]}]}};
  const text = traceMarkdown(model, {title: 'a test', address: 'http://here', facts: headFacts(model.given.header, model)}, new Map([[3, detail], [4, {input: '{"a": 1}', output: 3}]]), left);
  assert.match(text, /^# a test\n\n- status: completed, failed\n/);
  assert.match(text, /\n {4}- Step 1 \(400 ms\)\n {6}- chat m \(300 ms, 100 \/ 30 tok, \$0\.50\)\n/);
  assert.match(text, /````python\nx = "```"\ny\n````/);
  assert.match(text, /- tool add \(no end recorded, ✕ ValueError\)/);
  assert.match(text, /contents of 1 more spans/);
});

test('as JSON a trace is its spans, parents by id', () => {
  const model = traced();
  const {spans, run_id: run} = JSON.parse(traceJson(model));
  assert.deepEqual([run, spans.length, spans[3].parent, spans[7].end_ms, spans[0].parent], ['r', 8, model.idOf(2), null, null]);
});
