import assert from 'node:assert/strict';
import {test} from 'node:test';
import {arranged, blocksOf, characters, imageBlock, roleNote, roleTitle, tellsError, told} from '../../../src/smoltrace/viewer/static/js/model/messages.js';
import {answersOf, chatsOf, nextChat, pairedCalls} from '../../../src/smoltrace/viewer/static/js/model/pairing.js';
import {parsedJson, pretty, textIn} from '../../../src/smoltrace/viewer/static/js/model/pretty.js';
import {pythonLiteral} from '../../../src/smoltrace/viewer/static/js/model/pyliteral.js';
import {buildTree} from '../../../src/smoltrace/viewer/static/js/model/tree.js';
import {spansOf} from './support/traces.js';

const says = (role, text, seen = false) => ({role, parts: [{type: 'text', text}], seen});

test('the system prompt and what was sent before stand apart', () => {
  const sorted = arranged({system: null, input: [says('system', 'rules', true), says('user', 'task', true), says('tool', 'result')], output: [says('assistant', 'answer')]});
  assert.deepEqual([sorted.system.length, sorted.seen.length, sorted.fresh.length, sorted.output.length], [1, 1, 1, 1]);
  assert.deepEqual(arranged(null), {system: [], seen: [], own: 0, fresh: [], output: []});
  assert.equal(arranged({system: [says('system', 'a')], input: [says('system', 'a')]}).system.length, 1);
});

test('from the second call on the words of the model itself are no news', () => {
  const first = arranged({input: [says('user', 'task'), says('assistant', 'an example'), says('user', 'go on')]});
  assert.deepEqual([first.fresh.length, first.own], [3, 0]);
  const second = arranged({input: [says('user', 'task', true), says('assistant', 'I add.'), says('tool', 'Observation:\n2')]});
  assert.deepEqual([second.fresh.length, second.seen.length, second.own], [1, 2, 1]);
});

test('code that is retold as a call is shown once', () => {
  const call = `Calling tools:\n[{'id': 'c', 'type': 'function', 'function': {'name': 'python_interpreter', 'arguments': 'x = 1\\nprint(x)'}}]`;
  const [one, ...others] = told([says('assistant', 'I try.\n<code>\nx = 1\nprint(x)\n</code>'), says('assistant', call)]);
  assert.deepEqual([one.blocks.map((block) => block.type), others.length], [['prose', 'call'], 0]);
  assert.equal(told([says('assistant', 'I try.'), says('assistant', call)]).length, 2);
});

test('code between <code> tags is code, a word about them is prose', () => {
  const blocks = blocksOf(says('assistant', 'Thought: I add.\n<code>\nprint(1 + 1)\n</code>'));
  assert.deepEqual(blocks.map((block) => [block.type, block.text ?? block.code]), [['prose', 'Thought: I add.'], ['code', 'print(1 + 1)']]);
  assert.deepEqual(blocksOf(says('system', 'Write between <code> and </code>, always.')).map((block) => block.type), ['prose']);
  assert.equal(blocksOf(says('assistant', '<code>\nx = 1'))[0].code, 'x = 1');
});

test('calls that smolagents retells as Python are calls again', () => {
  const text = `Calling tools:\n[{'id': 'call_1', 'type': 'function', 'function': {'name': 'python_interpreter', 'arguments': "x = 'a'\\nprint(x)"}}, {'id': 'c2', 'type': 'function', 'function': {'name': 'add', 'arguments': {'a': 1, 'ok': True, 'n': None}}}]`;
  const [first, second] = blocksOf(says('assistant', text));
  assert.deepEqual([first.type, first.name, first.code, first.language], ['call', 'python_interpreter', "x = 'a'\nprint(x)", 'python']);
  assert.deepEqual([second.name, second.code, second.language], ['add', '{\n  "a": 1,\n  "ok": true,\n  "n": null\n}', 'json']);
  assert.equal(blocksOf(says('assistant', 'Calling tools:\n[oops'))[0].type, 'prose');
});

test('Python literals are read, other text is not', () => {
  assert.deepEqual(pythonLiteral("[1, -2.5, (3,), {'k': '\\u00e9\\x41'}, [], {}, True, None, r'\\n']")?.value, [1, -2.5, [3], {k: 'éA'}, [], {}, true, null, '\\n']);
  for (const text of ['', '[', '[1,,2]', '[1 2]', 'print(1)', '{1: 2', "['a]", '['.repeat(500)]) assert.equal(pythonLiteral(text), null, text);
});

test('arguments that are JSON are shown as JSON, code as Python', () => {
  const call = (args, name = 'tool') => blocksOf({role: 'assistant', parts: [{type: 'tool_call', id: '1', name, arguments: args}]})[0];
  assert.deepEqual([call('{"city":"Paris"}').language, call({city: 'Paris'}).code], ['json', '{\n  "city": "Paris"\n}']);
  assert.deepEqual([call('{"code":"x = 1"}').language, call('{"code":"x = 1"}').code], ['python', 'x = 1']);
  assert.equal(call('x = 1', 'python_interpreter').language, 'python');
  assert.equal(call(null).code, '');
});

test('observations lose their label and keep whether they tell of an error', () => {
  const error = says('tool', 'Call id: call_1\nError:\nKeyError: x');
  assert.ok(tellsError(error) && !tellsError(says('tool', 'Observation:\nError: none')));
  assert.deepEqual(blocksOf(error).map((block) => [block.type, block.text, block.failed]), [['result', 'KeyError: x', true]]);
  assert.equal(blocksOf(says('tool-response', 'Observation:\n42'))[0].text, '42');
  assert.deepEqual([roleTitle('tool-response'), roleTitle('USER'), roleTitle(''), roleNote(says('user', 'New task:\nx'))], ['Observation', 'User', 'Message', 'task']);
});

test('a cut text says so and counts whole', () => {
  const cut = {cut: 'abc', chars: 9000, ref: 'r1'};
  const [block] = blocksOf({role: 'user', parts: [{type: 'text', text: cut}]});
  assert.deepEqual([block.text, block.more], ['abc', cut]);
  assert.equal(characters([{role: 'user', parts: [{type: 'text', text: cut}]}, says('user', 'ab')]), 9002);
});

test('only pictures that run nothing are shown', () => {
  assert.equal(imageBlock({mime: 'image/png', data: 'aGk='}).source, 'data:image/png;base64,aGk=');
  for (const part of [{mime: 'image/svg+xml', data: 'aGk='}, {mime: 'image/png', data: '"><script>'}, {mime: 'text/html', data: 'aGk='}, {mime: 'image/png'}, {}]) {
    const block = imageBlock(part);
    assert.equal(block.source, null);
    assert.ok(block.why);
  }
  assert.equal(imageBlock({mime: 'image/png', data: ' '.repeat(300_000) + '!'}).source, null);
});

test('parts of kinds that nobody knows are shown as they are', () => {
  assert.equal(blocksOf({role: 'user', parts: [{type: 'other', value: {a: 1}}]})[0].code, '{\n  "a": 1\n}');
  assert.deepEqual(blocksOf({role: 'user', parts: null}), []);
  assert.equal(blocksOf({role: 'assistant', parts: [{type: 'other', value: {type: 'reasoning', content: 'hm'}}]})[0].text, 'hm');
});

test('values of any depth and length are written without end or overflow', () => {
  let deep = 1;
  for (let k = 0; k < 100_000; k++) deep = [deep];
  assert.match(pretty(deep), /deeper than/);
  assert.match(pretty(Array.from({length: 500_000}, (_, i) => i)), /longer than/);
  assert.equal(pretty({a: [1, 2], b: {}}), '{\n  "a": [1, 2],\n  "b": {}\n}');
  assert.equal(parsedJson('[12:30] hello'), null);
  assert.deepEqual(parsedJson(' {"a":1}'), {value: {a: 1}});
  assert.equal(textIn(deep), '1');
  assert.ok(textIn(['x'.repeat(500)], 100).length <= 100);
});

test('a call finds the tools that it asked for and the call that was told', () => {
  const kinds = ['agent', 'step', 'chat', 'tool', 'tool', 'step', 'chat', 'tool'];
  const tree = buildTree(spansOf([[-1, 0, 99], [0, 1, 20], [1, 1, 5], [1, 6, 8], [1, 9, 12], [0, 21, 40], [5, 22, 30], [5, 31, 33]]));
  assert.deepEqual(answersOf(tree, kinds, 2), [3, 4]);
  assert.equal(nextChat(tree, kinds, 2), 6);
  assert.equal(nextChat(tree, kinds, 6), -1);
  assert.deepEqual(chatsOf(tree, kinds, 1), [2]);
  const names = {3: 'add', 4: 'get'};
  assert.deepEqual(pairedCalls([{name: 'get'}, {name: 'add'}, {name: 'add'}], [3, 4], (node) => names[node]), [4, 3, null]);
});
