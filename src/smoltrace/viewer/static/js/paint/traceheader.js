/** The trace's title row: where it belongs, what it used, how to go on and how to take it along. */
import {shortModel} from '../model/runname.js';
import {count, duration, grams, quantity, tokens} from '../model/format.js';
import {href} from '../model/state.js';
import {statusChip} from './chip.js';
import {h} from './dom.js';
import {costFigure, energyFigure, figure} from './number.js';
import {icon} from './svg.js';

/**
 * @param {any} shell
 * @param {import('../model/tracemodel.js').TraceModel} model
 * @param {{onError: () => void, onMarkdown: (button: HTMLElement) => void, onJson: (button: HTMLElement) => void, linkTo: (trace: string) => string}} asked
 */
export function traceHeader(shell, model, asked) {
  const {run_id: run, trace_id: trace, header} = model.given;
  const title = header?.test_id ?? `trace ${String(trace).slice(0, 8)}`;
  const kind = header?.row?.agent_type;
  const name = [header?.model ? shortModel(header.model) : run, kind].filter(Boolean).join(' · ');
  shell.setTitle(title, {crumbs: [{label: name, href: href('run', {id: run})}], after: [verdictChip(header), h('div', {class: 'facts'}, facts(model, header, asked.onError))], page: `${title}, trace`});
  const markdown = h('button', {type: 'button', class: 'button', title: 'Copy the trace as Markdown', on: {click: () => asked.onMarkdown(markdown)}}, icon('copy', 14), 'Copy as Markdown');
  const json = h('button', {type: 'button', class: 'button', title: 'Copy the trace as JSON', on: {click: () => asked.onJson(json)}}, 'JSON');
  shell.setToolbar(neighbour(asked, header?.previous, 'left', 'Previous test'), neighbour(asked, header?.next, 'right', 'Next test'), markdown, json);
}

function neighbour(asked, trace, name, label) {
  if (!trace) return h('span', {class: 'icon-button neighbour-none', 'aria-hidden': 'true'}, icon(name));
  return h('a', {class: 'icon-button neighbour', href: asked.linkTo(trace), 'aria-label': label, title: `${label} (${name === 'left' ? '[' : ']'})`}, icon(name));
}

function verdictChip(header) {
  if (header?.success === true) return statusChip('passed');
  if (header?.status && header.status !== 'completed') return statusChip(header.status);
  return header?.success === false ? statusChip('failed') : null;
}

function facts(model, header, onError) {
  const row = header?.row ?? {};
  const {total} = model.figures;
  const fact = (children, className = '') => h('span', {class: ['fact', className]}, children);
  const failed = model.failures;
  const used = (name, own) => tokens(row[name] ?? rootSum(model, own));
  const into = used('gen_ai.usage.prompt_tokens', total.tokensIn);
  const out = used('gen_ai.usage.completion_tokens', total.tokensOut);
  const idle = duration(model.idle);
  const share = model.idle >= 0.005 * model.tree.length && model.idle > 0;
  return [
    fact([h('b', null, duration(model.tree.length)), share ? h('span', {class: 'fact-idle', title: 'neither a model nor a tool nor a step was at work'}, ` ${idle} idle`) : null]),
    into === null && out === null ? null : fact([h('b', null, `${into ?? '—'} / ${out ?? '—'}`), ' tok']),
    header?._cost ? fact(h('b', null, costFigure(header._cost, {showWhy: true}))) : null,
    header?._energy ? fact(h('b', null, energyFigure(header._energy, {unit: true, showWhy: true}))) : null,
    co2(row, header),
    fact([h('b', null, count(model.tree.count)), model.tree.count === 1 ? ' span' : ' spans'], 'fact-spans'),
    failed > 0 ? h('button', {type: 'button', class: 'fact fact-error', title: 'Go to the next error (e)', on: {click: onError}}, `✕ ${count(failed)} ${failed === 1 ? 'error' : 'errors'}`) : null,
  ];
}

function co2(row, header) {
  const measured = grams(row.co2_emissions_g);
  if (measured !== null) return h('span', {class: 'fact fact-co2'}, h('b', null, quantity(row.co2_emissions_g)), ' g CO₂e');
  const given = header?._co2;
  if (!given || given.value == null) return null; // its reason is that of the energy, which stands beside it
  return h('span', {class: 'fact fact-co2'}, figure(quantity(given.value), {est: Boolean(given.est), unit: 'g CO₂e'}));
}

function rootSum(model, values) {
  let sum = NaN;
  for (let root = model.tree.root; root >= 0; root = model.tree.next[root]) {
    if (!Number.isNaN(values[root])) sum = Number.isNaN(sum) ? values[root] : sum + values[root];
  }
  return sum;
}
