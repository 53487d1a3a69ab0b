/**
 * A trace with all that its screen asks of it. What the first picture does not need is worked out when it is asked for.
 *
 * @typedef {import('./tree.js').Tree} Tree
 * @typedef {ReturnType<typeof traceModel>} TraceModel
 */
import {criticalPath, criticalStops} from './critical.js';
import {finder, spanLabel} from './find.js';
import {idleGaps, idleTotal} from './gaps.js';
import {anyKnown, rollUps} from './rollup.js';
import {selfTimes} from './selftime.js';
import {buildTree} from './tree.js';

const KINDS = new Set(['agent', 'step', 'chat', 'tool']);

/** @param {{count: number, columns: Object<string, Array>, header?: any, gpu?: any}} given as the data API gives it */
export function traceModel(given) {
  const {count, columns} = given;
  const tree = buildTree(given);
  const kinds = Array.from({length: count}, (_, i) => (KINDS.has(columns.kind[i]) ? columns.kind[i] : 'other'));
  const named = new Array(count);
  const label = (i) => (named[i] ??= spanLabel(columns.name[i], kinds[i], columns.tool?.[i], columns.model?.[i]));
  const isElectricity = given.header?._cost?.kind === 'electricity';
  const figures = rollUps(tree, columns, isElectricity);
  const nodes = once(() => firstNodes(columns.id, count));
  const critical = once(() => criticalPath(tree));
  const gaps = idleGaps(tree, kinds);
  return {
    given,
    columns,
    tree,
    kinds,
    figures,
    gaps,
    idle: idleTotal(gaps),
    /** The spans that failed themselves. */
    failures: tree.failed.reduce((sum, one) => sum + one, 0),
    /** Where every price was declared 0 there is nothing to compare. */
    hasCost: figures.own.cost.some((cost) => cost > 0) || figures.own.unpriced.some(Boolean),
    isElectricity,
    hasEnergy: anyKnown(figures.own.energy),
    hasTokens: anyKnown(figures.own.tokensIn) || anyKnown(figures.own.tokensOut),
    critical,
    stops: once(() => criticalStops(tree, critical())),
    self: once(() => selfTimes(tree)),
    search: finder(tree, label, columns),
    /** The span of an id; of several with the same id the first. −1: none has it. */
    nodeOf: (id) => (id ? nodes().get(id) ?? -1 : -1),
    idOf: (node) => (node >= 0 && node < count ? String(columns.id[node]) : null),
    kindOf: (node) => (node === tree.orphans ? 'orphans' : kinds[node]),
    labelOf: (node) => (node === tree.orphans ? 'Orphan spans' : label(node)),
    duration: (node) => tree.end[node] - tree.start[node],
    /** Whether another span bears this span's id: what is asked by id is then the first one's. */
    doubled: (node) => nodes().get(columns.id[node]) !== node,
  };
}

function firstNodes(ids, count) {
  const nodes = new Map();
  for (let i = 0; i < count; i++) if (!nodes.has(ids[i])) nodes.set(ids[i], i);
  return nodes;
}

function once(make) {
  let made = null;
  return () => (made ??= {value: make()}).value;
}

/** The span that the panel begins with: the first agent, which holds the task and the answer; else the first root. */
export function openingSpan(model) {
  const agent = model.tree.order.find((node) => model.kindOf(node) === 'agent');
  return agent ?? (model.tree.count > 0 ? model.tree.order[0] : -1);
}

/** The next failed span from top to bottom, around the end; −1 where there is none. */
export function nextError(model, node, step = 1) {
  const {tree} = model;
  const at = node >= 0 ? tree.rank[node] : step > 0 ? -1 : tree.nodes;
  for (let k = 1; k <= tree.nodes; k++) {
    const place = (((at + step * k) % tree.nodes) + tree.nodes) % tree.nodes;
    if (tree.failed[tree.order[place]]) return tree.order[place];
  }
  return -1;
}

/** The next span on the critical path by time, around the end; −1 without one. */
export function nextStop(model, node, step = 1) {
  const stops = model.stops();
  if (stops.length === 0) return -1;
  const at = stops.indexOf(node);
  if (at >= 0) return stops[(at + step + stops.length) % stops.length];
  const from = node >= 0 ? model.tree.start[node] : -Infinity;
  const after = stops.findIndex((other) => model.tree.start[other] >= from);
  return stops[after < 0 ? 0 : after];
}
