/** The steps of two executions side by side, matched by tool and arguments; each opens what differs in it. */
import {duration} from '../model/format.js';
import {diffView} from './diff.js';
import {fill, h, hiddenText, uid} from './dom.js';
import {s} from './svg.js';

/** Steps that are painted at once. */
const MOST = 200;
/** The shapes of the kinds in a 12 × 12 box; the colours are those of the traces. */
const SHAPES = {
  agent: 'M6 1.2L10.8 6L6 10.8L1.2 6Z',
  step: 'M2.25 2.25H9.75V9.75H2.25Z',
  chat: 'M6 1.6A4.4 4.4 0 1 1 6 10.4A4.4 4.4 0 1 1 6 1.6Z',
  tool: 'M6 1.6L11 10.4H1Z',
};
const KINDS = { tool: 'tool', code: 'step', final: 'chat', planning: 'agent', step: 'step' };
const NAMES = { final: 'final answer', code: 'run code' };
const RELATIONS = {
  same: 'the same in both',
  output: 'same call, another result',
  changed: 'other arguments',
  left: 'only in the baseline',
  right: 'only here',
};

/**
 * @param {import('../model/align.js').Aligned[]} pairs
 * @param {{names: [string, string], unified: boolean, open: 'first' | 'all' | 'none'}} options which of those that
 *   differ begin opened
 */
export function alignedSteps(pairs, { names, unified, open }) {
  // The final answers stand above the steps already.
  const first = pairs.findIndex((pair) => differs(pair) && pair.left.kind !== 'final');
  const rows = pairs.slice(0, MOST).map((pair, i) => stepRow(pair, { names, unified, opened: differs(pair) && (open === 'all' ? i < 50 : open === 'first' && i === first) }));
  const rest = pairs.length - MOST;
  return h('div', { class: 'steps', role: 'list', 'aria-label': 'Steps, aligned' }, rows, rest > 0 ? h('p', { class: 'diff-note' }, `${rest} more steps are in the traces.`) : null);
}

/** Steps on one side only have nothing to be compared with, but are worth a look. */
function differs(pair) {
  return pair.relation === 'changed' || pair.relation === 'output';
}

function stepRow(pair, { names, unified, opened }) {
  const id = uid('step');
  const body = h('div', { class: 'step-body', id, hidden: true });
  const button = h('button', { type: 'button', class: `step-row step-${pair.relation}`, 'aria-expanded': 'false', 'aria-controls': id, title: RELATIONS[pair.relation], on: { click: () => toggle() } });
  fill(button, stepSide(pair.left, pair, 'left'), hiddenText(`, ${RELATIONS[pair.relation]}, `), stepSide(pair.right, pair, 'right'));

  function toggle(to = body.hidden) {
    if (to && !body.firstChild) fill(body, stepBody(pair, names, unified));
    body.hidden = !to;
    button.setAttribute('aria-expanded', String(to));
  }

  if (opened) toggle(true);
  return h('div', { role: 'listitem' }, button, body);
}

function stepSide(action, pair, side) {
  if (!action) return h('span', { class: 'step-side step-none' }, 'no such step');
  const kind = KINDS[action.kind];
  const mark = s('svg', { class: `step-kind step-kind-${kind}`, viewBox: '0 0 12 12', width: 11, height: 11, 'aria-hidden': 'true' }, s('path', { d: SHAPES[kind], class: kind === 'step' ? 'step-outline' : 'step-filled' }));
  const note = side === 'right' && pair.relation === 'output' ? (action.kind === 'final' ? 'other answer' : 'other result') : side === 'right' && pair.relation === 'changed' ? 'other arguments' : null;
  return h(
    'span',
    { class: 'step-side' },
    mark,
    h('span', { class: action.error ? 'step-name step-failed' : 'step-name' }, action.error ? '✕ ' : '', NAMES[action.kind] ?? action.name, shortInput(action)),
    note ? h('span', { class: 'step-note' }, note) : null,
    h('span', { class: 'step-time' }, duration(action.duration) ?? ''),
  );
}

function shortInput({ kind, input }) {
  const line = kind === 'code' || kind === 'final' ? '' : input.replace(/\s+/g, ' ').slice(0, 80);
  return line && line !== '{}' ? h('span', { class: 'step-input' }, line) : null;
}

function stepBody({ left, right }, names, unified) {
  const of = (action, name) => action?.[name] ?? '';
  const part = (title, name) => {
    const [one, two] = [of(left, name), of(right, name)];
    if (!one && !two) return null;
    return [h('h4', { class: 'step-part' }, title), diffView(one, two, { label: title, names, unified })];
  };
  const code = (left ?? right).kind === 'code';
  const final = (left ?? right).kind === 'final';
  const called = final && (left ?? right).output ? null : part(final ? 'Answer' : code ? 'Code' : 'Arguments', 'input');
  const made = [part('The model wrote', 'said'), called, part(final ? 'Answer' : 'Result', 'output'), part('Error', 'error')].filter(Boolean);
  return made.length ? made : h('p', { class: 'diff-note' }, 'Nothing was recorded of this step.');
}
