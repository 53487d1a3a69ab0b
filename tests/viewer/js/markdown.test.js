import assert from 'node:assert/strict';
import {test} from 'node:test';
import {inlines, markdown} from '../../../src/smoltrace/viewer/static/js/model/markdown.js';

test('paragraphs, lists, headings and code', () => {
  const blocks = markdown('# Task\n\nSum **all** in `a.csv`,\nplease.\n- one\n  - two\n3. three\n```py\nx = 1\n\ny = 2\n```\nDone.');
  assert.deepEqual(blocks.map((block) => block.type), ['heading', 'paragraph', 'item', 'item', 'item', 'code', 'paragraph']);
  assert.deepEqual(blocks[1].inlines.map((piece) => [piece.type, piece.text]), [['text', 'Sum '], ['strong', 'all'], ['text', ' in '], ['code', 'a.csv'], ['text', ',\nplease.']]);
  assert.deepEqual([blocks[3].level, blocks[4].mark], [1, '3.']);
  assert.deepEqual([blocks[5].code, blocks[5].language], ['x = 1\n\ny = 2', 'python']);
});

test('code that is never closed goes to the end', () => {
  assert.deepEqual(markdown('a\n```\nb\nc'), [
    {type: 'paragraph', inlines: [{type: 'text', text: 'a'}]},
    {type: 'code', code: 'b\nc', language: ''},
  ]);
});

test('a longer fence may hold a shorter one', () => {
  assert.equal(markdown('````\n```\nx\n```\n````')[0].code, '```\nx\n```');
});

test('markup and links stay text', () => {
  const text = '<img src=x onerror=alert(1)> [click](javascript:alert(1))';
  assert.deepEqual(markdown(text), [{type: 'paragraph', inlines: [{type: 'text', text}]}]);
});

test('stars and ticks that close nothing stay as they are', () => {
  assert.deepEqual(inlines('2 ** 3 ` x'), [{type: 'text', text: '2 ** 3 ` x'}]);
});

test('texts made to keep a reader busy are read in one go', () => {
  const blanks = ' '.repeat(100_000);
  for (const text of [blanks + 'x', '#' + blanks + 'x', '```' + blanks + '`', '-' + blanks + '\u2028', '*'.repeat(100_000), '`'.repeat(99_999), '**a'.repeat(30_000)]) {
    assert.ok(Array.isArray(markdown(text)));
  }
});
