/**
 * A row of the tree without its bar. Rows are made once and then written over for whichever span comes into sight:
 * while the reader scrolls nothing is made or thrown away, and only what differs is touched.
 *
 * @typedef {object} Scene  what the tree shows
 * @property {import('../model/tracemodel.js').TraceModel} model
 * @property {Int32Array} rows  the nodes in sight when all is scrolled through
 * @property {Uint8Array} open  1 where a node is unfolded
 * @property {number} selected  node, −1 for none
 * @property {'total'|'self'} mode
 * @property {boolean} critical
 * @property {RegExp|null} pattern
 * @property {number} match  the node of the current match, −1 without one
 * @property {{from: number, to: number}} view  ms
 * @property {{from: number, to: number}[]} gaps  those that may be drawn short
 */
import {costWords, durationWords, energyWords, errorWords, exactWords, rowWords, tokenWords} from '../model/spanwords.js';
import {indentOf} from '../layout/treecolumns.js';
import {h} from './dom.js';
import {markedText} from './marked.js';

const MOST_NAME = 400;

/** @param {string} id */
export function makeRow(id) {
  const parts = {
    twist: h('span', {class: 'tr-twist'}),
    mark: h('span', {class: 'kind'}),
    depth: written('span', 'tr-depth'),
    name: written('bdi', 'tr-name'),
    note: written('span', 'tr-note'),
    error: written('span', 'tr-error'),
    tokens: written('div', 'tr-cell tr-tokens', 'gridcell'),
    cost: written('div', 'tr-cell tr-cost', 'gridcell'),
    energy: written('div', 'tr-cell tr-energy', 'gridcell'),
    words: written('span', 'tr-words'),
  };
  const first = h('div', {class: 'tr-cell tr-first', role: 'gridcell'}, parts.twist, parts.mark, parts.depth, parts.name, parts.note, parts.error);
  const time = h('div', {class: 'tr-cell tr-time', role: 'gridcell'}, parts.words);
  const el = h('div', {class: 'tr tr-row', role: 'row', id}, first, parts.tokens, parts.cost, parts.energy, time);
  return {el, first, time, ...parts, index: -1, written: new Map()};
}

/** @typedef {ReturnType<typeof makeRow>} Row */

function written(tag, names, role = null) {
  const element = h(tag, {class: names, role});
  element.append(document.createTextNode(''));
  return element;
}

/**
 * @param {Row} row
 * @param {Scene} scene
 * @param {number} index  of the row
 * @param {ReturnType<import('../layout/treecolumns.js').treeColumns>} columns
 */
export function paintRow(row, scene, index, columns) {
  const node = scene.rows[index];
  paintState(row, scene, node, index);
  paintName(row, scene, node, columns.phone);
  paintFigures(row, scene, node, columns);
}

/** What changes when only the selection does. */
export function paintState(row, scene, node, index) {
  const {tree} = scene.model;
  row.index = index;
  attr(row, row.el, 'aria-rowindex', String(index + 2));
  attr(row, row.el, 'aria-level', String(tree.depth[node] + 1));
  attr(row, row.el, 'aria-selected', node === scene.selected ? 'true' : 'false');
  attr(row, row.el, 'aria-expanded', tree.first[node] < 0 ? null : scene.open[node] ? 'true' : 'false');
  const marks = `tr tr-row${tree.failed[node] ? ' tr-failed' : ''}${node === scene.match ? ' tr-match' : ''}`;
  attr(row, row.el, 'class', marks);
}

function paintName(row, scene, node, phone) {
  const {model} = scene;
  const {tree} = model;
  const kind = model.kindOf(node);
  const folded = tree.first[node] >= 0 && !scene.open[node];
  const indent = indentOf(tree.depth[node], phone);
  const padding = `${indent.px + (phone ? 0 : 18)}px`;
  if (differs(row, row.first, 'padding', padding)) row.first.style.paddingLeft = padding;
  attr(row, row.twist, 'class', tree.first[node] < 0 ? 'tr-twist' : folded ? 'tr-twist twist-shut' : 'tr-twist twist-open');
  attr(row, row.mark, 'class', `kind kind-${kind}`);
  text(row.depth, indent.told ? `${tree.depth[node] + 1} ` : '');
  attr(row, row.name, 'class', kind === 'agent' || kind === 'step' || kind === 'orphans' ? 'tr-name tr-holder' : 'tr-name');
  paintLabel(row, scene, model.labelOf(node).slice(0, MOST_NAME));
  const below = tree.size[node] - 1;
  text(row.note, folded ? `\u2002${below} ${below === 1 ? 'span' : 'spans'}` : '');
  const wrong = errorWords(model, node);
  text(row.error, wrong === null ? '' : `\u2002✕ ${wrong}`);
}

function paintLabel(row, scene, label) {
  const marked = scene.pattern ? markedText(label, scene.pattern) : [label];
  if (marked.length === 1 && typeof marked[0] === 'string') {
    if (row.name.childNodes.length !== 1 || row.name.firstChild.nodeType !== Node.TEXT_NODE) row.name.replaceChildren(document.createTextNode(marked[0]));
    else text(row.name, marked[0]);
  } else row.name.replaceChildren(...marked);
}

function paintFigures(row, scene, node, columns) {
  const {model} = scene;
  const self = scene.mode === 'self';
  const figures = self ? model.figures.own : model.figures.total;
  if (columns.phone) {
    const parts = [tokenWords(figures, node).text, energyWords(figures, node, true).text];
    text(row.tokens, parts.filter(Boolean).join(' · '));
    text(row.words, durationWords(model, node, self));
    attr(row, row.tokens, 'class', 'tr-cell tr-tokens');
    attr(row, row.tokens, 'aria-label', null);
    return attr(row, row.time, 'aria-label', null);
  }
  if (columns.tokens) words(row, row.tokens, 'tr-cell tr-tokens', tokenWords(figures, node));
  if (columns.cost) words(row, row.cost, 'tr-cell tr-cost', costWords(figures, node));
  if (columns.energy) words(row, row.energy, 'tr-cell tr-energy', energyWords(figures, node));
  text(row.words, '');
  return attr(row, row.time, 'aria-label', rowWords(model, node, self));
}

/** A dash with its reason where nothing is known. @param {import('../model/spanwords.js').Words} said */
function words(row, cell, names, said) {
  attr(row, cell, 'class', said.text === null ? `${names} tr-none` : names);
  text(cell, said.text ?? '—');
  attr(row, cell, 'aria-label', said.why);
}

/** The words that a pointer on a cell brings up; made when they are asked for, which most never are. */
export function tellTitle(row, scene, cell) {
  const node = scene.rows[row.index];
  const {model} = scene;
  const figures = scene.mode === 'self' ? model.figures.own : model.figures.total;
  const name = ['tokens', 'cost', 'energy'].find((one) => row[one] === cell);
  const lost = 'Spans whose parents are not in the trace';
  if (name) cell.title = exactWords(figures, node)[name] ?? cell.getAttribute('aria-label') ?? '';
  else if (cell === row.first) cell.title = node < model.tree.count ? String(model.columns.name[node]).slice(0, MOST_NAME) : lost;
}

function text(element, value) {
  const node = element.firstChild;
  if (node.data !== value) node.data = value;
}

/** What was written is remembered: to ask the document would cost more than to write. */
function differs(row, element, name, value) {
  let known = row.written.get(element);
  if (!known) row.written.set(element, (known = Object.create(null)));
  if (known[name] === value) return false;
  known[name] = value;
  return true;
}

function attr(row, element, name, value) {
  if (!differs(row, element, name, value)) return;
  if (value === null || value === '') element.removeAttribute(name);
  else element.setAttribute(name, value);
}
