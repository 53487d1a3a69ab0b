/**
 * Asks the server and the files of a site the same things, and prints where the answers differ.
 * node agree.mjs MODULES SERVER SITE SPANS, SPANS: how many spans of a trace are asked for
 * SERVER may be a JSON file, too, with the documents of a page that is one file.
 */
import {readFileSync} from 'node:fs';
import {pathToFileURL} from 'node:url';

const [modules, server, site, spans] = process.argv.slice(2);
const {openLive} = await import(pathToFileURL(`${modules}/data/live.js`));
const {openInline} = await import(pathToFileURL(`${modules}/data/inline.js`));
const {openStatic} = await import(pathToFileURL(`${modules}/data/static.js`));

const TESTS = 2;
/**
 * What may differ, by the name under which it stands:
 * - version: each has its own, to tell what has changed,
 * - hint: the command that fills an empty store; a site is never empty,
 * - _shard, _spans: where the files have what belongs to a test or a span,
 * - calls of a _cost without an unpriced call, and how many calls 5 unpriced ones are of: the leaderboard's server does not
 *   open each run to count them,
 * - _beginnings: the files know only the beginnings of long texts when they search, and say so.
 */
const OWN = ['version', 'hint', '_shard', '_spans', '_beginnings'];

const plainFetch = globalThis.fetch;
let base = server;
globalThis.fetch = (address, options) => plainFetch(new URL(address, base), options);
const live = server.startsWith('http') ? await openLive() : await ofPage(JSON.parse(readFileSync(server, 'utf8')));
const files = await openStatic();
const differing = [];
const kinds = {};

/** Data of a page with these documents, by their names. */
function ofPage(documents) {
  const elements = Object.entries(documents).map(([name, textContent]) => ({textContent, getAttribute: () => name}));
  globalThis.document = {querySelectorAll: () => elements};
  return openInline();
}

/** A refusal is an answer like any other: its status must be the same, its words need not. */
async function from(where, data, ask) {
  base = where;
  try {
    return await ask(data);
  } catch (error) {
    if (error.status === undefined) throw error;
    return {refused: error.status};
  }
}

/** A document with its names in order, as pairs: an object would lose __proto__, and put "2" before "10". */
function plain(value, name = '') {
  // The server's database adds the powers of several GPUs up in an order of its own.
  if (name === '_spark') return value?.map((power) => (power === null ? null : Number(power.toPrecision(12)))) ?? null;
  if (name === 'why' && value !== null) return value.replace(/(?: of \d+)? calls?$/, '');
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => plain(item));
  const names = Object.keys(value).filter((key) => !OWN.includes(key) && !(name === '_cost' && key === 'calls' && !value.unpriced));
  return names.sort().map((key) => [key, plain(value[key], key)]);
}

async function same(kind, what, ask) {
  const [one, other] = [await from(server, live, ask), await from(site, files, ask)];
  kinds[kind] = (kinds[kind] ?? 0) + 1;
  const [left, right] = [one, other].map((answer) => JSON.stringify(plain(answer)));
  if (left === right) return one;
  let at = 0;
  while (left[at] === right[at]) at += 1;
  const around = (text) => text.slice(Math.max(0, at - 150), at + 150);
  differing.push({what: `${kind} ${what}`.slice(0, 200), server: around(left), files: around(right)});
  return one;
}

/** The refs of all texts that were cut in a document. */
function refsIn(value) {
  if (value === null || typeof value !== 'object') return [];
  const inside = Object.values(value).flatMap(refsIn);
  return Object.keys(value).sort().join() === 'chars,cut,ref' ? [value.ref, ...inside] : inside;
}

async function askBoard() {
  const queries = [
    {},
    {tasks: 'all', sort: 'model,-total_tokens', limit: 3, offset: 2},
    {q: 'llama', group: 'model'},
    {q: 'é'.repeat(201)},
    {price: 'unknown'},
    {agent: ['tool', 'code']},
    {sort: 'no_such_column'},
    {status: 'asleep'},
    {since: '2026-02-30'},
    {until: '2026-1-5'},
    {tasks: 'none-of-them'},
    {tag: 'sample'},
    {group: 'agent'},
  ];
  for (const query of queries) await same('leaderboard', JSON.stringify(query), (data) => data.leaderboard(query));
  for (const axis of ['cost', 'energy', 'co2', 'latency', 'tokens', 'beauty']) await same('chart', axis, (data) => data.chart({}, axis));
  const words = [['weather', 5], ['weather', 1], ['LLAMA 8b', 50], ['script', 50], ['xyzzy', 50], ['  ', 5], ['a.c*(', 9], ['zy '.repeat(66), 5], ['zy '.repeat(67), 5]];
  for (const [q, limit] of words) await same('search', `${q} ${limit}`, (data) => data.search(q, limit));
}

async function askSeveral(ids) {
  for (const some of [ids.slice(0, 3), [ids[0], ids[0]], [], ids.slice(0, 1).concat('nobody')]) {
    await same('compare', some.join(), (data) => data.compare(some));
  }
}

async function askRun(id) {
  const run = await same('run', id, (data) => data.run(id));
  const {columns} = await same('tests', id, (data) => data.tests(id));
  await same('tests', `${id} from 1`, (data) => data.tests(id, 1, 2));
  await same('tests', `${id} behind the end`, (data) => data.tests(id, 1e6));
  const end = run.end_ms;
  for (const [begin, until, width] of [[0, end, 50], [end / 3, end / 2, 7], [0, end, 3999], [5, 5, 2], [9, 3, 2]]) {
    await same('gpu', `${id} ${begin} ${until} ${width}`, (data) => data.gpu(id, begin, until, width));
  }
  for (const uid of columns.test_case_uid.slice(0, TESTS)) {
    const test = await same('test', `${uid} of ${id}`, (data) => data.test(id, uid));
    for (const ref of refsIn(test)) await same('text', `${ref} of the test ${uid}`, (data) => data.testText(id, uid, ref));
  }
  await same('test', 'that is not there', (data) => data.test(id, 'nobody:nothing:1'));
  for (const trace of columns.trace_id.filter((one) => one !== null).slice(0, TESTS)) await askTrace(id, trace);
  await same('trace', 'that is not there', (data) => data.trace(id, 'f'.repeat(32)));
}

async function askTrace(id, trace) {
  const {columns} = await same('trace', `${trace} of ${id}`, (data) => data.trace(id, trace));
  for (const span of new Set(columns.id.slice(-Number(spans)))) {
    const detail = await same('span', `${span} of ${trace} of ${id}`, (data) => data.span(id, trace, span));
    for (const ref of new Set(refsIn(detail))) await same('text', `${ref} of ${span}`, (data) => data.text(id, trace, span, ref));
  }
  await same('trace', `${trace} in capitals`, (data) => data.trace(id, trace.toUpperCase()));
  await same('span', 'that is not there', (data) => data.span(id, trace, 'f'.repeat(16)));
}

await same('store', '', (data) => data.store());
await askBoard();
const {rows} = await from(server, live, (data) => data.leaderboard({tasks: 'all'}));
const ids = rows.map((row) => row.run_id);
await askSeveral(ids);
for (const id of [...ids, 'nobody', '..']) {
  if (ids.includes(id)) await askRun(id);
  else await same('run', id, (data) => data.run(id));
}
console.log(JSON.stringify({kinds, differing: differing.slice(0, 5), count: differing.length}));
