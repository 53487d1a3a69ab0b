import { test } from 'node:test';
import assert from 'node:assert/strict';
import { actionsOf, alignActions, inputText, plainText } from '../../../src/smoltrace/viewer/static/js/model/align.js';
import { compareMarkdownOfCell } from '../../../src/smoltrace/viewer/static/js/model/cellout.js';
import { random } from './support/traces.js';

const call = (name, args = {}, result = 'ok', more = {}) => ({ number: 1, kind: 'action', title: name, tool_calls: [{ name, arguments: args, ok: true, duration_ms: 5, result }], output: null, error: null, start_ms: 0, end_ms: 20, ...more });
const align = (left, right) => alignActions(actionsOf(left), actionsOf(right)).map((pair) => [pair.left?.name ?? null, pair.right?.name ?? null, pair.relation]);

test('steps are matched by tool and arguments, and what is only on one side stands alone', () => {
  const left = [call('rates'), call('load', { file: 'a' }), call('final_answer', { answer: 1 })];
  const right = [call('rates'), call('load', { file: 'b' }), call('check'), call('final_answer', { answer: 1 })];
  assert.deepEqual(align(left, right), [['rates', 'rates', 'same'], ['load', 'load', 'changed'], [null, 'check', 'right'], ['final_answer', 'final_answer', 'same']]);
});

test('the same call with another result is told apart from another call', () => {
  assert.deepEqual(align([call('a', {}, '1')], [call('a', {}, '2')]), [['a', 'a', 'output']]);
  assert.deepEqual(align([call('a', {}, '1')], [call('a', {}, '1', { error: 'broken' })]), [['a', 'a', 'output']]);
});

test('of several calls of one tool those with the same arguments go together', () => {
  const left = [call('calc', { e: '1 + 1' }), call('calc', { e: '2 + 2' })];
  const right = [call('calc', { e: '2 + 2' }), call('calc', { e: '9 * 9' })];
  assert.deepEqual(align(left, right), [['calc', null, 'left'], ['calc', 'calc', 'same'], [null, 'calc', 'right']]);
});

test('the order of argument names means nothing', () => {
  assert.equal(inputText({ b: { d: 1, c: 2 }, a: 3 }), inputText({ a: 3, b: { c: 2, d: 1 } }));
  assert.equal(inputText({ code: 'x = 1\ny = 2' }), 'x = 1\ny = 2');
  assert.deepEqual([inputText(null), inputText('text'), inputText({ location: 'Paris' })], ['', 'text', '{"location":"Paris"}']);
});

test('steps without a tool call are planning, code or words', () => {
  const bare = (kind, output) => ({ number: 2, kind, title: 'step 2', tool_calls: [], output, error: null, start_ms: 5, end_ms: null });
  const [plan, code, words, last] = actionsOf([bare('planning', 'first this'), bare('action', 'Thought\n<code>\nx = 1\n</code>'), bare('action', 'hm'), bare('final', '42')]);
  assert.deepEqual([plan.kind, code.kind, words.kind, last.kind], ['planning', 'code', 'step', 'final']);
  assert.deepEqual([code.input, words.name, last.output, last.duration], ['x = 1', 'step 2', '42', null]);
});

test('a step with several tool calls is several actions, and its error is the last one’s', () => {
  const step = { number: 3, kind: 'action', tool_calls: [{ name: 'a', arguments: {}, ok: true, duration_ms: 1 }, { name: 'b', arguments: {}, ok: false, duration_ms: 2 }], output: 'said', error: 'broken' };
  const actions = actionsOf([step]);
  assert.deepEqual(actions.map(({ name, error, said, duration }) => [name, error, said, duration]), [['a', null, 'said', 1], ['b', 'broken', '', 2]]);
  assert.deepEqual(actionsOf(null), []);
});

test('cut texts and values of any kind are compared as the text that there is', () => {
  assert.deepEqual([plainText({ cut: 'begin', chars: 9, ref: 'r' }), plainText(null), plainText(0), plainText([1])], ['begin', '', '0', '[\n  1\n]']);
});

test('every action stands once and in order, however long the runs are', () => {
  const next = random(6);
  for (const most of [5, 30, 900]) {
    const [left, right] = [0, 1].map(() => actionsOf(Array.from({ length: Math.floor(next() * most) }, () => call('abc'[Math.floor(next() * 3)], { x: Math.floor(next() * 3) }))));
    const pairs = alignActions(left, right);
    assert.deepEqual(pairs.map((pair) => pair.left).filter(Boolean), left);
    assert.deepEqual(pairs.map((pair) => pair.right).filter(Boolean), right);
    for (const { left: a, right: b } of pairs) if (a && b) assert.equal(a.name, b.name);
  }
});

const side = (name, response) => ({ name, test: { row: { success: true, response }, steps: [call('a', { q: 'x' })] } });

test('as Markdown, no answer can end the block that it stands in', () => {
  const text = compareMarkdownOfCell({ testId: 't', agent: 'tool' }, [side('one', '```\n# Heading\n```'), side('two', 'plain')]);
  assert.match(text, /^## t, tool/);
  assert.match(text, /\n````diff\n--- one\n\+\+\+ two\n/);
  assert.match(text, /\n {2}a \{"q":"x"\}\n/);
});

test('an answer with any number of backticks is put into a fence', () => {
  const text = compareMarkdownOfCell({testId: 't', agent: null}, [side('one', '` '.repeat(200_000)), side('two', 'plain')]);
  assert.match(text, /\n```diff\n/);
});
