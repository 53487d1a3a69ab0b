/**
 * All that a screen shows is in its address: a copied address shows the same thing. In a page that is one file (`file://` has no
 * server and no second page) the address is kept after the `#`: `#run?id=…`.
 */

/** @typedef {string|number|boolean|string[]} Value */

/**
 * Whether this page is a single file.
 * @returns {boolean}
 */
export function singleFile() {
  const document = /** @type {any} */ (globalThis).document;
  return document?.querySelector?.('meta[name="smoltrace-data"]')?.getAttribute('content') === 'inline';
}

/**
 * The names and values of an address' query. Of a name that occurs more than once every value is kept.
 * @param {string} query with or without `?`
 * @returns {Map<string, string[]>}
 */
export function parseQuery(query) {
  const found = new Map();
  for (const [name, value] of new URLSearchParams(query)) {
    if (found.has(name)) found.get(name).push(value);
    else found.set(name, [value]);
  }
  return found;
}

/**
 * @param {Object<string, Value|null|undefined>} values nothing, '' and [] are left out; a list is joined by commas
 * @returns {string} without `?`
 */
export function writeQuery(values) {
  return written(Object.keys(values).map((name) => /** @type {[string, string]} */ ([name, toText(values[name])])).filter(([, text]) => text !== ''));
}

/** @param {[string, string][]} pairs */
function written(pairs) {
  return pairs.map(([name, text]) => `${encodeURIComponent(name)}=${readable(text)}`).join('&');
}

/** Commas, colons and slashes mean nothing in a query and are kept readable. @param {string} text */
function readable(text) {
  return encodeURIComponent(text).replace(/%(?:2C|3A|2F|7E|40)/g, decodeURIComponent);
}

/** @param {Value|null|undefined} value */
function toText(value) {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map((one) => String(one).replaceAll('\\', '\\\\').replaceAll(',', '\\,')).join(',');
  if (typeof value === 'boolean') return value ? '1' : '0';
  return String(value);
}

/** A comma within a value is written `\,`. @param {string} text @returns {string[]} */
function splitList(text) {
  const parts = [];
  let part = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\' && at + 1 < text.length) part += text[(at += 1)];
    else if (text[at] === ',') parts.push(part), (part = '');
    else part += text[at];
  }
  parts.push(part);
  return parts.filter((one) => one !== '');
}

/**
 * A value in the type of its default.
 * @param {string[]} texts
 * @param {Value|null} fallback
 * @returns {any}
 */
function fromText(texts, fallback) {
  const last = texts[texts.length - 1];
  if (Array.isArray(fallback)) return texts.flatMap(splitList);
  if (typeof fallback === 'boolean') return last === '1' || last === 'true';
  if (typeof fallback === 'number') return last !== '' && Number.isFinite(Number(last)) ? Number(last) : fallback;
  return last;
}

/** @param {any} left @param {any} right */
function same(left, right) {
  return left === right || (Array.isArray(left) && Array.isArray(right) && toText(left) === toText(right));
}

/**
 * The address of a page with these values; relative, so that it holds wherever the site lies.
 * @param {string} page `run`, `run.html`
 * @param {Object<string, Value|null|undefined>} [values]
 * @returns {string}
 */
export function href(page, values = {}) {
  const query = writeQuery(values);
  const name = page.replace(/\.html$/, '');
  const tail = query ? '?' + query : '';
  return singleFile() ? `#${name}${tail}` : `${name}.html${tail}`;
}

/**
 * @param {any} win
 * @returns {{page: string, query: string}} the page's name (only a single file has one) and its query
 */
export function whereAmI(win = globalThis) {
  if (!singleFile()) return {page: '', query: win.location.search.replace(/^\?/, '')};
  const hash = win.location.hash.replace(/^#/, '');
  const mark = hash.indexOf('?');
  return mark < 0 ? {page: hash, query: ''} : {page: hash.slice(0, mark), query: hash.slice(mark + 1)};
}

/**
 * A screen's state in its address.
 * @template {Object<string, Value|null>} T
 * @param {T} defaults name to default; its type is the value's (string, number, boolean, list of strings; null: string or null)
 * @param {any} [win] for tests
 */
export function urlState(defaults, win = globalThis) {
  /** @type {Set<(state: T) => void>} */
  const listeners = new Set();

  /** @returns {T} */
  function get() {
    const found = parseQuery(whereAmI(win).query);
    /** @type {any} */
    const state = {};
    for (const name of Object.keys(defaults)) {
      const texts = found.get(name);
      state[name] = texts ? fromText(texts, defaults[name]) : copyOf(defaults[name]);
    }
    return state;
  }

  /** What the address would hold after the patch: defaults are left out, unknown names kept. @param {Partial<T>} patch */
  function queryAfter(patch) {
    const state = {...get(), ...patch};
    /** @type {[string, string][]} */
    const pairs = [];
    for (const [name, texts] of parseQuery(whereAmI(win).query)) {
      if (!Object.hasOwn(defaults, name)) pairs.push(...texts.map((text) => /** @type {[string, string]} */ ([name, text])));
    }
    for (const name of Object.keys(defaults)) {
      const value = state[name] ?? defaults[name];
      if (!same(value, defaults[name])) pairs.push([name, toText(value)]);
    }
    return written(pairs);
  }

  /**
   * @param {Partial<T>} patch null gives the default back
   * @param {{replace?: boolean}} [options] `replace: false` makes a step that Back undoes
   */
  function set(patch, {replace = true} = {}) {
    const query = queryAfter(patch);
    const {page, query: before} = whereAmI(win);
    if (query === before) return;
    const tail = query ? '?' + query : '';
    const address = singleFile() ? `#${page}${tail}` : tail || win.location.pathname;
    win.history[replace ? 'replaceState' : 'pushState'](win.history.state, '', address);
    notify();
  }

  function notify() {
    const state = get();
    for (const listener of [...listeners]) listener(state);
  }

  win.addEventListener?.('popstate', notify);

  return {
    get,
    set,
    /**
     * The address after a patch, or of another page with these values only.
     * @param {Object<string, any>} patch
     * @param {string} [page]
     */
    link(patch, page) {
      if (page) return href(page, patch);
      const query = queryAfter(/** @type {any} */ (patch));
      return (singleFile() ? '#' + whereAmI(win).page : '') + '?' + query;
    },
    /** @param {(state: T) => void} fn @returns {() => void} */
    onChange(fn) {
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
  };
}

/** @param {any} value */
function copyOf(value) {
  return Array.isArray(value) ? [...value] : value;
}
