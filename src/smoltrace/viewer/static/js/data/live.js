/** Data from the server that sent this page. */
import {DataError} from './error.js';
import {downloadPath} from './names.js';

/** @param {import('./names.js').Query} query @returns {string} with `?`, or '' */
function search(query) {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '') pairs.append(name, String(one));
    }
  }
  const text = pairs.toString();
  return text ? '?' + text : '';
}

/** @param {...(string|number)} parts @returns {string} */
function path(...parts) {
  return parts.map((part) => encodeURIComponent(String(part))).join('/');
}

/** @param {string} address relative to the API */
async function get(address) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch('api/' + address, {headers: {accept: 'application/json'}});
  } catch {
    throw new DataError('The server does not answer.', {hint: 'Is `smoltrace view` still running? Start it again and reload this page.'});
  }
  const told = await response.json().catch(() => null);
  if (response.ok && told !== null) return told;
  throw new DataError(told?.error ?? `The server answered ${response.status}.`, {hint: told?.hint ?? null, status: response.status});
}

/**
 * Tells of changes while the page is in sight: browsers allow few open streams to one server, and hidden tabs need none.
 * @param {string|null} id of a run, or null for the store
 * @param {(change: any) => void} callback
 * @returns {() => void}
 */
function watch(id, callback) {
  /** @type {EventSource|null} */
  let source = null;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource('api/events' + (id ? search({run: id}) : ''));
    source.addEventListener('change', (event) => callback(JSON.parse(/** @type {MessageEvent} */ (event).data)));
  };
  const close = () => {
    source?.close();
    source = null;
  };
  const onVisibility = () => (document.hidden ? close() : open());
  document.addEventListener('visibilitychange', onVisibility);
  addEventListener('pagehide', close);
  addEventListener('pageshow', open);
  open();
  return () => {
    close();
    document.removeEventListener('visibilitychange', onVisibility);
    removeEventListener('pagehide', close);
    removeEventListener('pageshow', open);
  };
}

/** @returns {Promise<any>} */
export async function openLive() {
  return {
    kind: 'live',
    store: () => get('store'),
    leaderboard: (query = {}) => get('leaderboard' + search(query)),
    chart: (query = {}, axis = 'cost') => get('chart' + search({...query, axis})),
    run: (id) => get(path('run', id)),
    tests: (id, start = 0, count = 2000) => get(path('run', id, 'tests') + search({start, count})),
    test: (id, uid) => get(path('run', id, 'test', uid)),
    testText: (id, uid, ref) => get(path('run', id, 'test', uid, 'text', ref)),
    gpu: (id, from, to, width) => get(path('run', id, 'gpu') + search({from, to, width})),
    trace: (id, trace) => get(path('run', id, 'trace', trace)),
    span: (id, trace, span) => get(path('run', id, 'trace', trace, 'span', span)),
    text: (id, trace, span, ref) => get(path('run', id, 'trace', trace, 'span', span, 'text', ref)),
    compare: (ids) => get('compare' + search({runs: ids.join(',')})),
    search: (q, limit = 50) => get('search' + search({q, limit})),
    watch,
    downloads: {leaderboard: ['csv', 'json', 'parquet'], run: ['csv', 'json', 'parquet']},
    downloadUrl: (what) => 'api/download/' + downloadPath(what),
  };
}
