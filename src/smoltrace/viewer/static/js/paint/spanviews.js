/** The four views of a span in the panel: its messages, what went in and out, its attributes and events, the raw record. */
import {parsedJson, pretty} from '../model/pretty.js';
import {count, duration} from '../model/format.js';
import {chatsOf} from '../model/pairing.js';
import {arranged, callBlock, resultBlock} from '../model/messages.js';
import {durationWords} from '../model/spanwords.js';
import {codeBlock} from './blocks.js';
import {codeText, copyButton, longText, plainText, proseText} from './code.js';
import {h} from './dom.js';
import {kindMark} from './kind.js';
import {conversation, errorText, toolMessages} from './messages.js';
import {markedText} from './marked.js';

const MOST_CHILDREN = 40;
const MOST_CHATS = 4;

/** @typedef {import('./messages.js').PanelReader} PanelReader */

/** @param {PanelReader} reader */
export function messagesView(reader, detail) {
  const {model, node} = reader;
  const kind = model.kindOf(node);
  const said = detail.messages && Object.values(arranged(detail.messages)).some((list) => list.length > 0);
  if (said) return conversation(reader, detail);
  if (kind === 'tool') return toolMessages(reader, detail);
  const chats = kind === 'step' ? chatsOf(model.tree, model.kinds, node).slice(0, MOST_CHATS) : [];
  if (chats.length > 0) return chats.map((chat) => chatBox(reader, chat));
  if (isTest(reader)) return [testBox(reader), childList(reader)];
  return [h('p', {class: 'panel-note'}, kind === 'chat' ? 'The contents of this call were not recorded.' : 'This span itself says nothing.'), childList(reader)];
}

/** The span that stands for the test itself. */
function isTest({model, node}) {
  return model.kindOf(node) === 'other' && model.tree.parent[node] < 0 && Boolean(model.given.header?.row);
}

/** What was asked, what was expected, what came. */
function testBox(reader) {
  const box = h('div', {class: 'chat-box'});
  const part = (title, value, paint) => {
    if (value === null || value === undefined || value === '') return null;
    const {text, more} = resultBlock({result: value});
    const body = longText({...reader, whole: reader.wholeOfTest}, {text, more, paint: (piece) => paint(piece, reader.pattern)});
    return h('section', {class: 'msg'}, h('div', {class: 'msg-head'}, h('b', null, title)), body);
  };
  // what was expected is told in words by the light row, by the whole one as its parts
  const {expected} = reader.model.given.header.row;
  reader.testOf().then((row) => {
    const parts = [part('Task', row.prompt, proseText), part('Expected', expected, plainText), part('Answer', row.response, proseText), part('Error', row.error, plainText)];
    box.replaceChildren(...parts.filter(Boolean));
  });
  return box;
}

/** The conversation of a call that stands for the step that holds it. */
function chatBox(reader, chat) {
  const box = h('div', {class: 'chat-box'});
  reader.detailOf(chat).then(
    (detail) => box.replaceChildren(...conversation(reader.at(chat), detail)),
    (error) => box.replaceChildren(h('p', {class: 'panel-note'}, error.message)),
  );
  return box;
}

/** The spans right below, to go on with. */
function childList(reader) {
  const {model, node} = reader;
  const {tree} = model;
  const items = [];
  let more = 0;
  for (let child = tree.first[node]; child >= 0; child = tree.next[child]) {
    if (items.length >= MOST_CHILDREN) more += 1;
    else items.push(child);
  }
  if (items.length === 0) return null;
  const line = (child) => {
    const parts = [kindMark(model.kindOf(child)), h('bdi', null, model.labelOf(child)), h('span', {class: 'note'}, durationWords(model, child))];
    return h('li', null, h('button', {type: 'button', class: 'child', on: {click: () => reader.select(child)}}, parts));
  };
  return h('div', {class: 'panel-part'}, h('h3', null, 'In it'), h('ul', {class: 'children'}, items.map(line)), more > 0 ? h('p', {class: 'nothing'}, `and ${count(more)} more, in the tree`) : null);
}

/** A value as text: JSON in colours where it is JSON. */
function valueView(reader, value) {
  if (value === null || value === undefined) return h('p', {class: 'nothing'}, 'not recorded');
  const code = callBlock({arguments: value});
  if (code.language === 'python') return codeBlock(reader, code);
  const {text, more} = resultBlock({result: value});
  const json = typeof value === 'object' ? (more ? null : {value}) : parsedJson(text);
  const shown = json ? pretty(json.value) : text;
  const paint = json ? (part) => codeText(part, 'json', reader.pattern) : (part) => plainText(part, reader.pattern);
  return h('div', {class: 'code-box'}, longText(reader, {text: shown, more, paint}), more ? null : copyButton(() => text));
}

/** @param {PanelReader} reader */
export function inOutView(reader, detail) {
  const part = (title, value) => h('section', {class: 'panel-part'}, h('h3', null, title), valueView(reader, value));
  return [part('Input', detail.input), part('Output', detail.output)];
}

/** @param {PanelReader} reader */
export function attributesView(reader, detail) {
  const names = Object.keys(detail.attributes ?? {}).sort();
  const parts = [h('section', {class: 'panel-part'}, h('h3', null, 'Attributes'), names.length > 0 ? pairs(reader, detail.attributes, names) : h('p', {class: 'nothing'}, 'none'))];
  const events = detail.events ?? [];
  if (events.length > 0) parts.push(h('section', {class: 'panel-part'}, h('h3', null, 'Events'), events.map((event) => eventView(reader, event))));
  return parts;
}

function eventView(reader, event) {
  const {tree} = reader.model;
  const at = event.time_ms == null ? null : duration(Math.max(0, event.time_ms - tree.zero - tree.start[reader.node]));
  const names = Object.keys(event.attributes ?? {});
  const head = h('p', {class: 'event-head'}, h('bdi', {class: 'mono'}, markedText(String(event.name), reader.pattern)), at ? h('span', {class: 'note'}, `${at} after the start`) : null);
  return h('div', {class: 'event'}, head, names.length > 0 ? pairs(reader, event.attributes, names) : null);
}

function pairs(reader, values, names) {
  const row = (name) => h('tr', null, h('th', {scope: 'row'}, h('bdi', null, markedText(name, reader.pattern))), h('td', null, attribute(reader, values[name])));
  return h('table', {class: 'pairs'}, h('tbody', null, names.map(row)));
}

function attribute(reader, value) {
  const {text, more} = resultBlock({result: value});
  const json = more ? null : typeof value === 'object' && value !== null ? {value} : parsedJson(text);
  const paint = json ? (part) => codeText(part, 'json', reader.pattern) : (part) => plainText(part, reader.pattern);
  return longText(reader, {text: json ? pretty(json.value) : text === '' ? String(value ?? '') : text, more, paint});
}

/** The record as it came. @param {PanelReader} reader */
export function rawView(reader, detail) {
  const text = pretty(detail);
  return [h('section', {class: 'panel-part'}, h('div', {class: 'code-box'}, longText(reader, {text, unfolded: true, paint: (part) => codeText(part, 'json', reader.pattern)}), copyButton(() => text, 'Copy the record')))];
}

/** What went wrong, above every view. */
export function errorBanner(reader, detail) {
  if (!reader.model.tree.failed[reader.node]) return null;
  const {text, more} = resultBlock({result: errorText(detail)});
  const name = String(reader.model.columns.error[reader.node]);
  return h('section', {class: 'error-banner'}, h('b', null, `✕ ${name}`), text === name ? null : longText(reader, {text, more, paint: (part) => plainText(part, reader.pattern)}));
}
