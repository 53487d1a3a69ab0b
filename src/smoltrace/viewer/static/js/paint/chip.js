/** Small labels with a tone. The tone is never the only sign: a word, and where it matters a mark, says the same. */
import {aliveWord} from '../model/alive.js';
import {h} from './dom.js';
import {icon} from './svg.js';

/** @typedef {'plain'|'ok'|'fail'|'warn'|'accent'|'solid'} Tone */

/** @type {Object<string, {text: string, tone: Tone, mark: 'tick'|'cross'|'dot'|'stop'|null}>} */
const STATUS = {
  passed: {text: 'passed', tone: 'ok', mark: 'tick'},
  ok: {text: 'ok', tone: 'ok', mark: 'tick'},
  completed: {text: 'completed', tone: 'plain', mark: null},
  failed: {text: 'failed', tone: 'fail', mark: 'cross'},
  error: {text: 'error', tone: 'fail', mark: 'cross'},
  running: {text: aliveWord(), tone: 'ok', mark: 'dot'},
  live: {text: 'live', tone: 'ok', mark: 'dot'},
  incomplete: {text: 'incomplete', tone: 'warn', mark: 'stop'},
  cancelled: {text: 'cancelled', tone: 'warn', mark: 'stop'},
  timeout: {text: 'timeout', tone: 'fail', mark: 'cross'},
};

/**
 * @param {string|null|undefined} status of a run or a test
 * @param {{text?: string}} [options] other words beside the same mark, such as `live, 113 of 150`
 */
export function statusChip(status, {text} = {}) {
  const known = Object.hasOwn(STATUS, status ?? '') ? STATUS[status ?? ''] : {text: String(status ?? '—'), tone: 'plain', mark: null};
  return h('span', {class: `chip chip-${known.tone}`, 'data-status': status ?? ''}, mark(known.mark), text ?? known.text);
}

/** @param {'tick'|'cross'|'dot'|'stop'|null} name */
function mark(name) {
  if (name === 'dot') return h('span', {class: 'chip-dot', 'aria-hidden': 'true'});
  if (name === 'stop') return h('span', {class: 'chip-stop', 'aria-hidden': 'true'});
  return name ? icon(name, 11) : null;
}

/**
 * @param {import('./dom.js').Child} text
 * @param {Tone} [tone]
 * @param {{title?: string|null}} [options]
 */
export function chip(text, tone = 'plain', {title = null} = {}) {
  return h('span', {class: `chip chip-${tone}`, title}, text);
}

/**
 * The round button that waits for the reader: `3 new`.
 * @param {string} text
 * @param {(event: Event) => void} onClick
 */
export function pill(text, onClick) {
  return h('button', {type: 'button', class: 'pill', on: {click: onClick}}, icon('up', 12), text);
}

/** A tick or a cross for a table's cell, with its word for readers. @param {boolean|null|undefined} success */
export function verdict(success) {
  if (success === null || success === undefined) return h('span', {class: 'verdict', title: 'not judged'}, '—');
  const word = success ? 'passed' : 'failed';
  return h('span', {class: `verdict verdict-${word}`, role: 'img', 'aria-label': word, title: word}, icon(success ? 'tick' : 'cross', 14));
}
