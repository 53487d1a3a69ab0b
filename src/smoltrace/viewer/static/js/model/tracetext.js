/** A trace as text to paste elsewhere: Markdown to read, JSON to work with. */
import {fenced} from './fence.js';
import {duration, grams, money, tokens, wh} from './format.js';
import {arranged, roleTitle, told} from './messages.js';
import {costWords} from './spanwords.js';

const MOST_QUOTED = 4_000;

/** The spans whose contents are worth copying, from top to bottom: calls, tools and what failed. */
export function quotedSpans(model, most) {
  const wanted = [];
  for (const node of model.tree.order) {
    const kind = model.kindOf(node);
    if (kind === 'chat' || kind === 'tool' || (kind !== 'orphans' && model.tree.failed[node])) wanted.push(node);
  }
  return {nodes: wanted.slice(0, most), left: Math.max(0, wanted.length - most)};
}

/**
 * @param {import('./tracemodel.js').TraceModel} model
 * @param {{title: string, address: string, facts: string[]}} head
 * @param {Map<number, any>} details  of the spans whose contents are told
 * @param {number} left  how many spans' contents are left out
 */
export function traceMarkdown(model, head, details, left = 0) {
  const lines = [`# ${head.title}`, '', ...head.facts.map((fact) => `- ${fact}`), `- ${head.address}`, '', '## Spans', ''];
  for (const node of model.tree.order) {
    lines.push(`${'  '.repeat(Math.min(model.tree.depth[node], 20))}- ${spanLine(model, node)}`);
  }
  if (details.size > 0) lines.push('', '## Contents');
  for (const [node, detail] of details) lines.push('', `### ${spanLine(model, node)}`, '', ...contents(detail));
  if (left > 0) lines.push('', `The contents of ${left} more spans are not in this copy.`);
  return lines.join('\n') + '\n';
}

function spanLine(model, node) {
  const {tree, columns, figures} = model;
  if (node === tree.orphans) return 'Orphan spans: their parents are not in the trace';
  const facts = [tree.open[node] ? 'no end recorded' : duration(model.duration(node))];
  const into = tokens(figures.own.tokensIn[node]);
  if (into !== null) facts.push(`${into} / ${tokens(figures.own.tokensOut[node]) ?? '—'} tok`);
  const cost = costWords(figures.own, node);
  if (into !== null) facts.push(cost.est ? `${cost.text} (est.)` : cost.text ?? cost.why);
  if (columns.error[node] != null) facts.push(`✕ ${columns.error[node]}`);
  const kind = model.kindOf(node);
  return `${kind === 'other' || kind === 'step' ? '' : kind + ' '}${oneLine(model.labelOf(node))} (${facts.filter(Boolean).join(', ')})`;
}

const oneLine = (text) => text.replace(/[\r\n]+/g, ' ');

function contents(detail) {
  const lines = [];
  const sorted = arranged(detail.messages);
  for (const {message, blocks} of told([...sorted.fresh, ...sorted.output])) {
    lines.push(`**${roleTitle(message.role)}**`, '');
    for (const block of blocks) lines.push(...blockLines(block), '');
  }
  if (lines.length === 0) {
    for (const [name, value] of [['Input', detail.input], ['Output', detail.output]]) {
      if (value != null) lines.push(`**${name}**`, '', fenced(short(textOf(value))), '');
    }
  }
  if (detail.status_description) lines.push('**Error**', '', fenced(short(textOf(detail.status_description))));
  return lines;
}

function blockLines(block) {
  if (block.type === 'prose' || block.type === 'plain') return [short(block.text)];
  if (block.type === 'code') return [fenced(short(block.code), block.language)];
  if (block.type === 'call') return [`calls \`${block.name}\``, '', fenced(short(block.code), block.language)];
  if (block.type === 'result') return [fenced(short(block.text))];
  return [`(image, ${block.mime})`];
}

const textOf = (value) => (typeof value === 'string' ? value : typeof value?.cut === 'string' ? value.cut : JSON.stringify(value, null, 2));

function short(text) {
  return text.length <= MOST_QUOTED ? text : `${text.slice(0, MOST_QUOTED)}\n… (${text.length} characters in all)`;
}

/** The header's figures as lines. */
export function headFacts(header, model) {
  const row = header?.row ?? {};
  const facts = [
    header?.model ? `model: ${header.model}` : null,
    header?.status ? `status: ${header.status}${header.success == null ? '' : header.success ? ', passed' : ', failed'}` : null,
    `duration: ${duration(model.tree.length)}${model.idle > 0 ? `, of it idle ${duration(model.idle)}` : ''}`,
    `tokens: ${tokens(row['gen_ai.usage.prompt_tokens']) ?? '—'} in, ${tokens(row['gen_ai.usage.completion_tokens']) ?? '—'} out`,
    `cost: ${money(header?._cost?.value) ?? '—'}${header?._cost?.est ? ' (est.)' : ''}`,
    `energy: ${wh(header?._energy?.value) ?? '—'}${header?._energy?.est ? ' (est.)' : ''}`,
    row.co2_emissions_g == null ? null : `CO₂e: ${grams(row.co2_emissions_g)}`,
    `spans: ${model.tree.count}, errors: ${model.failures}`,
  ];
  return facts.filter((fact) => fact !== null);
}

/** One object a span, times in ms since the trace's start. */
export function traceJson(model) {
  const {given, columns, tree} = model;
  const names = Object.keys(columns);
  const spans = Array.from({length: tree.count}, (_, i) => {
    const span = {};
    for (const name of names) span[name] = columns[name][i] ?? null;
    span.parent = columns.parent[i] >= 0 ? columns.id[columns.parent[i]] : null;
    span.start_ms = tree.start[i];
    span.end_ms = tree.open[i] ? null : tree.end[i];
    return span;
  });
  return JSON.stringify({run_id: given.run_id, trace_id: given.trace_id, header: given.header ?? null, spans}, null, 1);
}
