/** The search box of the top bar: `/` goes there, arrows choose, Enter opens. */
import {count} from '../model/format.js';
import {href} from '../model/state.js';
import {fill, h, uid} from './dom.js';
import {icon} from './svg.js';

const WAIT = 150;
const WHERE = {id: 'test', prompt: 'task', answer: 'answer', error: 'error'};

/**
 * @param {import('../data/adapter.js').Data|null} data
 * @returns {{el: HTMLElement, focus: () => void}}
 */
export function searchBox(data) {
  const listId = uid('found');
  const list = h('div', {class: 'found-list', role: 'listbox', id: listId, 'aria-label': 'Found'});
  const note = h('div', {class: 'found-note', role: 'status'});
  const popup = h('div', {class: 'found', hidden: true}, list, note);
  const input = /** @type {HTMLInputElement} */ (
    h('input', {
      type: 'search', class: 'search-input', placeholder: 'Search runs and tests', 'aria-label': 'Search runs and tests', autocomplete: 'off', spellcheck: 'false',
      role: 'combobox', 'aria-expanded': 'false', 'aria-controls': listId, 'aria-autocomplete': 'list',
    })
  );
  const opener = h('button', {type: 'button', class: 'icon-button search-open', 'aria-label': 'Search', title: 'Search', on: {click: () => focus()}}, icon('search'));
  const shut = h('button', {type: 'button', class: 'icon-button search-shut', 'aria-label': 'Close search', on: {click: () => leave()}}, icon('close'));
  const field = h('div', {class: 'search-field'}, icon('search'), input, h('kbd', {'aria-hidden': 'true'}, '/'), shut, popup);
  const el = h('div', {class: 'search', role: 'search'}, opener, field);
  let asked = 0;
  let at = -1;
  /** What the options shown were found for. */
  let shownFor = '';
  /** @type {any} */
  let timer = null;

  const options = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role=option]')]);

  function focus() {
    el.classList.add('search-on');
    input.focus();
    input.select();
  }

  function leave() {
    clearTimeout(timer);
    asked += 1; // an answer that is still on its way opens nothing
    close();
    el.classList.remove('search-on');
    if (el.contains(document.activeElement)) opener.offsetParent ? opener.focus() : input.blur();
  }

  function close() {
    popup.hidden = true;
    at = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  async function ask() {
    clearTimeout(timer);
    const q = input.value.trim();
    asked += 1;
    const mine = asked;
    if (!q || !data) return close();
    try {
      const found = await data.search(q, 50);
      if (mine === asked) show(found, q);
    } catch (error) {
      if (mine === asked) show({runs: [], tests: [], q, failed: wrong(error)}, q);
    }
  }

  /** @param {any} found @param {string} q what was asked */
  function show(found, q) {
    at = -1;
    shownFor = q;
    input.removeAttribute('aria-activedescendant');
    fill(list, group('Runs', found.runs.map(runOption)), group('Tests', found.tests.map(testOption)));
    fill(note, noteText(found));
    reveal();
  }

  function reveal() {
    popup.hidden = false;
    input.setAttribute('aria-expanded', String(options().length > 0));
  }

  /** @param {number} next */
  function choose(next) {
    const all = options();
    if (!all.length) return;
    all[at]?.setAttribute('aria-selected', 'false');
    at = (next + all.length) % all.length;
    all[at].setAttribute('aria-selected', 'true');
    all[at].scrollIntoView({block: 'nearest'});
    input.setAttribute('aria-activedescendant', all[at].id);
  }

  /** The option that is marked, else the first; never one that was found for other words. */
  async function open() {
    if (popup.hidden || input.value.trim() !== shownFor) await ask();
    if (!popup.hidden && input.value.trim() === shownFor) options()[Math.max(at, 0)]?.click();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.key === 'ArrowDown') choose(at + 1);
    else if (event.key === 'ArrowUp') choose(at < 0 ? options().length - 1 : at - 1);
    else if (event.key === 'Enter') void open();
    else if (event.key === 'Escape') leave();
    else return;
    event.preventDefault();
  }

  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
  input.addEventListener('keydown', onKey);
  input.addEventListener('focus', () => {
    if (!input.value.trim() || !popup.hidden) return;
    if (input.value.trim() === shownFor) reveal();
    else void ask();
  });
  el.addEventListener('focusout', (event) => {
    if (!el.contains(/** @type {Node|null} */ (event.relatedTarget))) leave();
  });
  popup.addEventListener('pointerdown', (event) => event.preventDefault());
  return {el, focus};
}

/** @param {string} name @param {HTMLElement[]} options */
function group(name, options) {
  if (!options.length) return null;
  const id = uid('group');
  return h('div', {role: 'group', 'aria-labelledby': id}, h('div', {class: 'found-head', id, role: 'presentation'}, name), options);
}

/** @param {string} address @param {...import('./dom.js').Child} children */
function option(address, ...children) {
  return h('div', {role: 'option', class: 'found-item', id: uid('option'), 'aria-selected': 'false', on: {click: () => location.assign(address)}}, children);
}

/** @param {any} run */
function runOption(run) {
  return option(href('run', {id: run.run_id}), h('span', {class: 'found-main'}, run.model ?? run.run_id), h('span', {class: 'found-side mono'}, run.run_id));
}

/** @param {any} test */
function testOption(test) {
  const address = test.trace_id ? href('trace', {run: test.run_id, trace: test.trace_id}) : href('run', {id: test.run_id, test: test.test_case_uid});
  return option(
    address,
    h('span', {class: 'found-main mono'}, test.test_id ?? test.test_case_uid),
    h('span', {class: 'found-side'}, test.model ?? test.run_id),
    test.snippet ? h('span', {class: 'found-snippet'}, h('span', {class: 'found-where'}, (WHERE[test.where] ?? test.where) + ' '), test.snippet) : null,
  );
}

/** What is wrong, and what to do about it. @param {any} error @returns {string} */
function wrong(error) {
  return error instanceof Error ? [error.message, /** @type {any} */ (error).hint].filter(Boolean).join(' ') : String(error);
}

/** What was found, and what was not looked at. @param {any} found @returns {string} */
function noteText(found) {
  if (found.failed) return found.failed;
  return found._beginnings ? `${foundText(found)} Of long texts only the beginning was searched.` : foundText(found);
}

/** @param {any} found */
function foundText(found) {
  const total = found.runs.length + found.tests.length;
  if (!total && !found.truncated) return `Nothing has “${found.q}” in it.`;
  const part = found.searched_runs < found.of_runs ? `; ${count(found.searched_runs)} of ${count(found.of_runs)} runs were searched` : '';
  if (found.truncated) return `The first ${count(total)} are shown, there may be more${part}. A longer word finds fewer.`;
  return `${count(total)} found${part}.`;
}
