/**
 * Asks the server and the files of a site the same things, and prints where the answers differ.
 * node agree.mjs MODULES SERVER SITE
 */
import {pathToFileURL} from 'node:url';

const [modules, server, site] = process.argv.slice(2);
const {openLive} = await import(pathToFileURL(`${modules}/data/live.js`));
const {openStatic} = await import(pathToFileURL(`${modules}/data/static.js`));

const plainFetch = globalThis.fetch;
let base = server;
globalThis.fetch = (address, options) => plainFetch(new URL(address, base), options);

const live = await openLive();
const files = await openStatic();
const differing = [];
let compared = 0;

async function from(where, data, ask) {
  base = where;
  try {
    return await ask(data);
  } catch (error) {
    return {refused: error.status ?? String(error)};
  }
}

/** JSON with sorted names, numbers as they are; `but` are names whose values are each one's own affair. */
function plain(value, but) {
  return JSON.stringify(value, (name, item) => {
    if (but.includes(name)) return undefined;
    if (item === null || typeof item !== 'object' || Array.isArray(item)) return item;
    return Object.fromEntries(Object.keys(item).sort().map((key) => [key, item[key]]));
  });
}

async function same(what, ask, but = []) {
  const [one, other] = [await from(server, live, ask), await from(site, files, ask)];
  compared += 1;
  const [left, right] = [plain(one, but), plain(other, but)];
  if (left === right) return one;
  let at = 0;
  while (left[at] === right[at]) at += 1;
  differing.push({what, server: left.slice(Math.max(0, at - 150), at + 150), files: right.slice(Math.max(0, at - 150), at + 150)});
  return one;
}

const OWN = ['version', '_shard', '_spans'];
await same('store', (data) => data.store(), [...OWN, 'hint']);
const queries = [{}, {tasks: 'all', sort: 'model,-total_tokens', limit: 3, offset: 2}, {q: 'llama', group: 'model'}, {price: 'unknown'}, {agent: ['tool', 'code']}];
for (const query of queries) await same(`leaderboard ${JSON.stringify(query)}`, (data) => data.leaderboard(query), OWN);
for (const axis of ['cost', 'energy', 'co2', 'latency', 'tokens']) await same(`chart ${axis}`, (data) => data.chart({}, axis), OWN);
const {rows} = await from(server, live, (data) => data.leaderboard({tasks: 'all'}));
const ids = rows.map((row) => row.run_id);
await same('compare', (data) => data.compare(ids.slice(0, 3)), OWN);
await same('search', (data) => data.search('weather', 5), OWN.concat('snippet'));
for (const id of ids) {
  const run = await same(`run ${id}`, (data) => data.run(id), OWN);
  const {columns} = await same(`tests ${id}`, (data) => data.tests(id), OWN);
  for (const [from_, to, width] of [[0, run.end_ms, 50], [run.end_ms / 3, run.end_ms / 2, 7]]) {
    await same(`gpu ${id}`, (data) => data.gpu(id, from_, to, width), OWN);
  }
  for (const uid of columns.test_case_uid.slice(0, 3)) await same(`test ${uid} of ${id}`, (data) => data.test(id, uid), OWN);
  for (const trace of columns.trace_id.filter((trace) => trace !== null).slice(0, 3)) {
    const spans = await same(`trace ${trace} of ${id}`, (data) => data.trace(id, trace), OWN);
    for (const span of spans.columns.id) await same(`span ${span} of ${id}`, (data) => data.span(id, trace, span), OWN);
  }
  await same('a test that is not there', (data) => data.test(id, 'nobody:nothing:1').catch(() => 'refused'));
}
console.log(JSON.stringify({compared, differing: differing.slice(0, 5), count: differing.length}));
