/** A span's figures in words, and where there is none, why. */
import {duration, money, quantity, tokens, wh} from './format.js';

/**
 * @typedef {import('./tracemodel.js').TraceModel} TraceModel
 * @typedef {{text: string|null, why: string|null, title: string|null}} Words
 */

/** How long a span took, or of `self` its own time. Spans without an end say so instead. @param {TraceModel} model */
export function durationWords(model, node, self = false) {
  if (node === model.tree.orphans) return '';
  if (model.tree.open[node]) return 'no end recorded';
  return duration(self ? model.self()[node] : model.duration(node)) ?? '';
}

/** "5.1k / 402". @returns {Words} */
export function tokenWords(figures, node) {
  const into = tokens(figures.tokensIn[node]);
  const out = tokens(figures.tokensOut[node]);
  if (into === null && out === null) return {text: null, why: 'no model call', title: null};
  return {text: `${into ?? '—'} / ${out ?? '—'}`, why: null, title: null};
}

/** What is known, marked as a lower bound where calls have no price; `est` where it is reckoned from the energy. @returns {Words & {est: boolean}} */
export function costWords(figures, node) {
  const unpriced = figures.unpriced[node];
  const calls = unpriced + figures.priced[node];
  const value = figures.cost[node];
  const est = figures.isElectricity;
  const nothing = est ? 'not measured' : unpriced ? 'price unknown' : 'no model call';
  if (Number.isNaN(value)) return {text: null, why: nothing, title: null, est: false};
  if (!unpriced) return {text: money(value), why: null, title: null, est};
  return {text: `≥ ${money(value)}`, why: null, title: `at least: ${unpriced} of ${calls} calls have no price`, est};
}

/** @returns {Words} */
export function energyWords(figures, node, unit = false) {
  const value = figures.energy[node];
  if (Number.isNaN(value)) return {text: null, why: 'not measured', title: null};
  return {text: unit ? wh(value) : quantity(value), why: null, title: null};
}

/** Output tokens a second over the whole call; null where one of both is unknown. */
export function speedWords(model, node) {
  const out = model.figures.own.tokensOut[node];
  const ms = model.duration(node);
  if (model.kindOf(node) !== 'chat' || Number.isNaN(out) || model.tree.open[node] || !(ms > 0) || out <= 0) return null;
  return `${tokens((out / ms) * 1000)} tok/s`;
}

/** What ✕ says in a row: the class of a failed span, or the number of failures where there are more below it. */
export function errorWords(model, node) {
  const {tree, columns} = model;
  const all = tree.errors[node];
  if (all === 0) return null;
  if (tree.failed[node] && all === 1) return String(columns.error[node]);
  return String(all);
}

/** All digits of a span's figures. */
export function exactWords(figures, node) {
  const whole = (value, unit) => (Number.isNaN(value) ? null : `${Number(value.toPrecision(12))} ${unit}`);
  const tok = [whole(figures.tokensIn[node], 'tokens in'), whole(figures.tokensOut[node], 'out')].filter(Boolean).join(', ');
  const usd = figures.isElectricity ? 'USD of electricity, estimated' : 'USD';
  return {tokens: tok || null, cost: costWords(figures, node).title ?? whole(figures.cost[node], usd), energy: whole(figures.energy[node], 'Wh')};
}

/** A row for those who cannot see it. */
export function rowWords(model, node, self) {
  const parts = [model.kindOf(node) === 'orphans' ? '' : model.kindOf(node), durationWords(model, node, self)];
  if (model.tree.failed[node]) parts.push(`error ${model.columns.error[node]}`);
  const below = model.tree.errors[node] - model.tree.failed[node];
  if (below > 0) parts.push(`${below} ${below === 1 ? 'error' : 'errors'} below`);
  return parts.filter(Boolean).join(', ');
}
