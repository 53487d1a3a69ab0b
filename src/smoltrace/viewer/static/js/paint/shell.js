/** What surrounds every screen: top bar, title row, messages, and what stands in a screen's place when it fails. */
import {href} from '../model/state.js';
import {fill, h, keepingFocus} from './dom.js';
import {keys, showKeys} from './keys.js';
import {copy} from './menu.js';
import {searchBox} from './search.js';
import {icon} from './svg.js';
import {themeButton} from './theme.js';

const SCREENS = {
  leaderboard: {label: 'Leaderboard', page: 'index', under: 'leaderboard'},
  compare: {label: 'Compare', page: 'compare', under: 'compare'},
  runs: {label: 'Runs', page: 'runs', under: 'runs'},
  run: {label: 'Run', page: 'run', under: 'runs'},
  traces: {label: 'Traces', page: 'traces', under: 'traces'},
  trace: {label: 'Trace', page: 'trace', under: 'traces'},
};
const KINDS = {live: 'local, offline', static: 'exported', inline: 'one file'};

/**
 * @typedef {object} Shell
 * @property {HTMLElement} main the screen's place
 * @property {(text: string, options?: TitleOptions) => void} setTitle
 * @property {(...nodes: import('./dom.js').Child[]) => void} setToolbar right end of the title row
 * @property {(text: string) => void} toast a short message, also for readers
 * @property {(text: string|null, onClick?: () => void) => void} pill a round button under the top bar; null takes it away
 * @property {(on: boolean) => void} setFill the screen fills the window and its parts scroll, not the page
 */

/**
 * @typedef {object} TitleOptions
 * @property {{label: string, href: string}[]} [crumbs] before the title
 * @property {import('./dom.js').Child} [after] chips and facts behind the title
 * @property {string} [page] title of the window, where it should be another
 */

/**
 * @param {{screen: string, title: string, data: import('../data/adapter.js').Data|null}} given
 * @returns {Shell}
 */
export function shell({screen, title, data}) {
  const search = searchBox(data);
  const store = h('div', {class: 'store'});
  const main = h('div', {class: `screen screen-${screen}`});
  const titleRow = h('div', {class: 'title'});
  const toolbar = h('div', {class: 'title-tools'});
  const notes = h('div', {class: 'toasts', role: 'status', 'aria-live': 'polite'});
  const pillBox = h('div', {class: 'pill-box', 'aria-live': 'polite'});
  document.body.replaceChildren(
    h('a', {class: 'skip', href: '#main', on: {click: skip}}, 'Skip to content'),
    topBar(screen, store, search.el, data),
    h('main', {id: 'main', tabindex: '-1'}, h('div', {class: 'title-row'}, titleRow, toolbar), main, pillBox),
    notes,
  );
  keys([
    {keys: '/', label: 'Search', run: () => search.focus()},
    {keys: '?', label: 'This list', run: () => void showKeys()},
  ]);
  if (data) void tellStore(data, store);

  /** @param {string} text @param {TitleOptions} [options] */
  function setTitle(text, {crumbs = [], after = null, page} = {}) {
    document.title = `${page ?? text} · smoltrace`;
    const steps = crumbs.map(({label, href: address}) => [h('a', {href: address, class: 'crumb'}, label), icon('right', 12)]);
    const paint = () => fill(titleRow, steps.length ? h('div', {class: 'crumbs'}, steps) : null, h('h1', null, text), after ? h('div', {class: 'title-after'}, after) : null);
    keepingFocus(titleRow, paint);
  }

  setTitle(title);
  return {
    main,
    setTitle,
    setToolbar: (...nodes) => void fill(toolbar, nodes),
    toast(text) {
      const note = h('div', {class: 'toast'}, text);
      notes.appendChild(note);
      setTimeout(() => note.remove(), 5000);
    },
    pill(text, onClick) {
      // Whoever pressed it by key goes on from the screen's top, not from the page's.
      if (text === null && pillBox.contains(document.activeElement)) document.getElementById('main')?.focus({preventScroll: true});
      const paint = () => fill(pillBox, text === null ? null : h('button', {type: 'button', class: 'pill', on: {click: () => onClick?.()}}, icon('up', 12), text));
      keepingFocus(pillBox, paint);
    },
    setFill: (on) => void document.body.classList.toggle('fills', on),
  };
}

/** Without a change of the address, which belongs to the screen. @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/** @param {string} screen @param {HTMLElement} store @param {HTMLElement} search @param {any} data */
function topBar(screen, store, search, data) {
  const names = data?.kind === 'inline' ? ['runs', 'traces'] : ['leaderboard', 'compare', 'runs', 'traces'];
  const links = names.map((name) =>
    h('a', {class: 'nav-link', href: href(SCREENS[name].page), 'aria-current': SCREENS[screen]?.under === name ? (screen === name ? 'page' : 'true') : null}, SCREENS[name].label),
  );
  return h(
    'header',
    {class: 'top'},
    h('a', {class: 'brand', href: href(data?.kind === 'inline' ? 'runs' : 'index')}, icon('brand', 18), h('b', null, 'smoltrace'), h('span', {class: 'brand-by'}, 'TraceMind')),
    h('nav', {class: 'nav', 'aria-label': 'Screens'}, links),
    store,
    search,
    themeButton(),
    h('button', {type: 'button', class: 'key-button', 'aria-label': 'Keys', title: 'Keys', on: {click: () => void showKeys()}}, h('kbd', null, '?')),
  );
}

/** @param {import('../data/adapter.js').Data} data @param {HTMLElement} place */
async function tellStore(data, place) {
  try {
    const info = await data.store();
    const sample = info.sample ? h('span', {class: 'chip chip-warn', title: 'Made-up runs: no model was asked and no device was read.'}, 'sample') : null;
    fill(place, h('span', {class: 'store-name', title: info.name}, info.name), h('span', null, ' · ' + (KINDS[data.kind] ?? '')), sample);
    if (info.refused?.length) place.appendChild(h('span', {class: 'chip chip-fail', title: info.refused.map((one) => `${one.path}: ${one.error}`).join('\n')}, `${info.refused.length} unreadable`));
  } catch {
    fill(place);  // the screen tells what is wrong
  }
}

/**
 * What stands in a screen's place when it cannot be shown: what is wrong and what to do.
 * @param {any} error
 * @returns {HTMLElement}
 */
export function failPanel(error) {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error?.hint ?? (error?.status === undefined ? 'This is a fault of the viewer. The console tells where.' : null);
  return h(
    'section',
    {class: 'fail-panel', role: 'alert'},
    h('h2', null, icon('cross', 14), error?.status === 404 ? 'Not found' : 'This cannot be shown'),
    h('p', null, message),
    hint ? h('p', {class: 'fail-hint'}, hint) : null,
    h('p', null, h('button', {type: 'button', class: 'button', on: {click: () => location.reload()}}, 'Try again')),
  );
}

/**
 * An empty place with the command that fills it.
 * @param {string} text
 * @param {string|null} [command]
 */
export function emptyPanel(text, command = null) {
  const button = command ? h('button', {type: 'button', class: 'icon-button', 'aria-label': 'Copy the command', title: 'Copy', on: {click: () => void copy(command, /** @type {any} */ (button))}}, icon('copy')) : null;
  return h('div', {class: 'empty'}, h('p', null, text), command ? h('p', {class: 'command'}, h('code', null, command), button) : null);
}
