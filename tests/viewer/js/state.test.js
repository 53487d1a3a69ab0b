import assert from 'node:assert/strict';
import {afterEach, test} from 'node:test';
import {href, parseQuery, urlState, writeQuery} from '../../../src/smoltrace/viewer/static/js/model/state.js';

/** A window with an address that the history changes. @param {string} search @param {string} [hash] */
function windowAt(search, hash = '') {
  const listeners = {};
  const win = {
    location: {search, hash, pathname: '/run.html'},
    steps: 0,
    addEventListener: (name, fn) => (listeners[name] = fn),
    history: {
      state: null,
      replaceState: (_state, _title, address) => go(address),
      pushState: (_state, _title, address) => ((win.steps += 1), go(address)),
    },
    back: (search) => ((win.location.search = search), listeners.popstate()),
  };
  /** @param {string} address */
  function go(address) {
    if (address.startsWith('#')) win.location.hash = address;
    else win.location.search = address.startsWith('?') ? address : '';
  }
  return win;
}

const DEFAULTS = {id: '', sort: '-success', q: '', from: 0, lanes: ['power', 'memory'], gaps: true, span: null};

afterEach(() => {
  delete globalThis.document;
});

function inOneFile() {
  globalThis.document = {querySelector: () => ({getAttribute: () => 'inline'})};
}

test('what the address does not say is the default', () => {
  assert.deepEqual(urlState(DEFAULTS, windowAt('')).get(), DEFAULTS);
});

test('values have the type of their default', () => {
  const state = urlState(DEFAULTS, windowAt('?id=a%20b&from=12.5&lanes=power,cost&gaps=0&span=0af')).get();
  assert.deepEqual(state, {id: 'a b', sort: '-success', q: '', from: 12.5, lanes: ['power', 'cost'], gaps: false, span: '0af'});
  assert.equal(urlState(DEFAULTS, windowAt('?from=later')).get().from, 0);
});

test('an address keeps only what is not the default, and names that nobody knows', () => {
  const win = windowAt('?id=r1&theirs=5');
  urlState(DEFAULTS, win).set({sort: '-success', q: 'x & y', lanes: ['cost']});
  assert.deepEqual([...parseQuery(win.location.search)], [['theirs', ['5']], ['id', ['r1']], ['q', ['x & y']], ['lanes', ['cost']]]);
});

test('nothing can be chosen where the default is something', () => {
  const win = windowAt('');
  const state = urlState(DEFAULTS, win);
  state.set({lanes: [], sort: ''});
  assert.deepEqual([state.get().lanes, state.get().sort, win.location.search], [[], '', '?sort=&lanes=']);
});

test('names that nobody knows keep all their values', () => {
  const win = windowAt('?x=1&x=2');
  urlState(DEFAULTS, win).set({q: 'a'});
  assert.equal(win.location.search, '?x=1&x=2&q=a');
});

test('null gives the default back', () => {
  const win = windowAt('?id=r1&sort=model');
  const state = urlState(DEFAULTS, win);
  state.set({sort: null});
  assert.equal(win.location.search, '?id=r1');
  assert.equal(state.get().sort, '-success');
});

test('whoever listens hears of every change, also of Back', () => {
  const win = windowAt('');
  const state = urlState(DEFAULTS, win);
  const heard = [];
  const stop = state.onChange((now) => heard.push(now.q));
  state.set({q: 'a'}, {replace: false});
  state.set({q: 'a'});
  win.back('?q=b');
  stop();
  state.set({q: 'c'});
  assert.deepEqual([heard, win.steps], [['a', 'b'], 1]);
});

test('values with commas, and lists of them, come back as they were', () => {
  const win = windowAt('');
  const state = urlState({tags: [], model: ''}, win);
  state.set({tags: ['a,b', 'c\\d', '<é>&=#'], model: 'org/name, "1"'});
  assert.deepEqual(state.get(), {tags: ['a,b', 'c\\d', '<é>&=#'], model: 'org/name, "1"'});
});

test('a name may be repeated in an address: lists take all', () => {
  assert.deepEqual(urlState({model: []}, windowAt('?model=a&model=b,c')).get().model, ['a', 'b', 'c']);
});

test('links are relative, to this page or to another', () => {
  const state = urlState(DEFAULTS, windowAt('?id=r1&q=x'));
  assert.equal(state.link({q: 'y'}), '?id=r1&q=y');
  assert.equal(state.link({run: 'r1', trace: 'ab'}, 'trace'), 'trace.html?run=r1&trace=ab');
  assert.equal(href('run.html', {id: 'a/b'}), 'run.html?id=a/b');
  assert.equal(href('index'), 'index.html');
});

test('in a single file the state is behind the #', () => {
  inOneFile();
  const win = windowAt('', '#trace?run=r1&span=2');
  const state = urlState({run: '', span: null, tab: ''}, win);
  assert.deepEqual(state.get(), {run: 'r1', span: '2', tab: ''});
  state.set({tab: 'raw'});
  assert.equal(win.location.hash, '#trace?run=r1&span=2&tab=raw');
  assert.equal(state.link({tab: null}), '#trace?run=r1&span=2');
  assert.equal(href('run', {id: 'x'}), '#run?id=x');
});

test('nothing is written for nothing', () => {
  assert.equal(writeQuery({a: null, b: undefined, c: '', d: [], e: 0, f: false}), 'e=0&f=0');
});
