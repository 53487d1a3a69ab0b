/** One test in two runs: both outputs with their differences, and the steps of both side by side. */
import {actionsOf, alignActions, plainText} from '../model/align.js';
import {diffTexts, diffWords} from '../model/diff.js';
import {count} from '../model/format.js';
import {href} from '../model/state.js';
import {chip, statusChip} from './chip.js';
import {diffView} from './diff.js';
import {fill, h, hiddenText} from './dom.js';
import {figure} from './number.js';
import {alignedSteps} from './stepsaligned.js';

export const TABS = ['output', 'steps', 'raw'];
const LABELS = { output: 'Output', steps: 'Steps', raw: 'Raw' };

/**
 * @typedef {object} Side
 * @property {string} run id
 * @property {string} name
 * @property {any} test as data.test() gives it, null where this run has no such test
 * @property {string | null} why there is none
 * @property {(ref: string) => Promise<string>} whole
 */

/**
 * The body of the panel.
 * @param {Side[]} sides the baseline and the run
 * @param {{tab: string, unified: boolean, expected: string | null, prompt: string | null}} options
 */
export function cellBody(sides, { tab, unified, expected, prompt }) {
  const names = /** @type {[string, string]} */ (sides.map((side) => side.name));
  const place = h('div', { class: 'cell-place' });
  const texts = sides.map((side) => answerOf(side.test));
  const options = { names, unified };
  const paint = () => fill(place, tab === 'raw' ? rawPart(sides, options) : tab === 'steps' ? stepsPart(sides, options, 'all') : outputPart(sides, texts, options, paint));
  paint();
  return h(
    'div',
    { class: 'cell-body' },
    h('div', { class: 'cell-sides' }, sides.map((side, i) => sideHead(side, texts[i]))),
    prompt ? h('p', { class: 'cell-task' }, h('span', { class: 'cell-label' }, 'Task'), prompt) : null,
    expected ? h('p', { class: 'cell-task' }, h('span', { class: 'cell-label' }, 'Expected'), h('span', { class: 'mono' }, expected)) : null,
    place,
    h('p', { class: 'cell-links' }, sides.map(traceLink)),
  );
}

/** The buttons that change what the panel shows. @param {string} tab @param {(tab: string) => void} onTab */
export function tabButtons(tab, onTab) {
  return h('div', { class: 'segment', role: 'group', 'aria-label': 'Show' }, TABS.map((name) => h('button', { type: 'button', 'aria-pressed': String(name === tab), on: { click: () => onTab(name) } }, LABELS[name])));
}

function sideHead({ name, test, why }, { text }) {
  const row = test?.row;
  const status = !row ? null : row.success === true ? 'passed' : row.success === false ? 'failed' : row.status;
  const lines = text.trim().split('\n');
  const short = lines.length > 1 ? `${count(lines.length)} lines` : lines[0];
  return h(
    'div',
    { class: 'cell-side' },
    row ? statusChip(status) : chip('not here'),
    h('span', { class: 'cell-name', title: name }, name),
    row?.error_type ? h('span', { class: 'chip chip-fail cell-error', title: row.error_type }, row.error_type.replaceAll('_', ' ')) : null,
    h('span', { class: 'cell-answer mono', title: short.slice(0, 500) }, row ? short.slice(0, 120) || figure(null, { why: 'no answer' }) : why),
  );
}

/** The final answer, or in its place what went wrong. */
function answerOf(test) {
  const response = test?.row?.response ?? null;
  const cut = response && typeof response === 'object' ? response : null;
  return { text: plainText(response), ref: cut?.ref ?? null, chars: cut?.chars ?? null, error: plainText(test?.row?.error) };
}

function outputPart(sides, texts, options, repaint) {
  const result = diffTexts(texts[0].text, texts[1].text);
  const missing = sides.some((side) => !side.test);
  const none = texts.every(({ text }) => !text);
  return [
    sectionHead('Answer', missing ? null : none ? 'no answer in either' : diffWords(result)),
    cutAnswers(sides, texts, repaint),
    none ? null : diffView(texts[0].text, texts[1].text, { ...options, label: 'Answers', result }),
    errorPart(texts, options),
    stepsPart(sides, options, 'first'),
  ];
}

function errorPart(texts, options) {
  if (texts.every(({ error }) => !error)) return null;
  return [sectionHead('Error', null), diffView(texts[0].error, texts[1].error, { ...options, label: 'Errors' })];
}

/** A very long answer came as its beginning: that is told, and the rest is one press away. */
function cutAnswers(sides, texts, repaint) {
  const made = texts.map((text, i) => {
    if (!text.ref) return null;
    const note = h('p', { class: 'diff-note' }, `${sides[i].name}: the first ${count(text.text.length)} of ${count(text.chars)} characters. `);
    const button = h('button', { type: 'button', class: 'link', on: { click: () => void fetchWhole(sides[i], text, button, repaint) } }, 'Get the whole answer');
    note.appendChild(button);
    return note;
  });
  return made.filter(Boolean);
}

async function fetchWhole(side, text, button, repaint) {
  button.disabled = true;
  try {
    text.text = await side.whole(text.ref);
    text.ref = null;
    repaint();
  } catch (error) {
    button.replaceWith(h('span', { role: 'alert' }, error.message));
  }
}

function stepsPart(sides, options, open) {
  const actions = sides.map((side) => actionsOf(side.test?.steps));
  if (actions.every((list) => !list.length)) return [sectionHead('Steps, aligned', null), h('p', { class: 'diff-note' }, 'No step was recorded in either run.')];
  const pairs = alignActions(actions[0], actions[1]);
  return [sectionHead('Steps, aligned', stepWords(pairs)), alignedSteps(pairs, { ...options, open })];
}

function stepWords(pairs) {
  const many = (...names) => pairs.filter((pair) => names.includes(pair.relation)).length;
  const told = [[many('same'), 'the same'], [many('output'), 'with another outcome'], [many('changed'), 'with other arguments'], [many('left'), 'only in the baseline'], [many('right'), 'only here']];
  return told.filter(([n]) => n).map(([n, words]) => `${n} ${words}`).join(', ');
}

function rawPart(sides, options) {
  const [one, two] = sides.map((side) => (side.test ? JSON.stringify(side.test.row, null, 2) : ''));
  const result = diffTexts(one, two);
  return [sectionHead('Rows of results', diffWords(result)), diffView(one, two, { ...options, label: 'Rows of results', result })];
}

function sectionHead(title, note) {
  return h('div', { class: 'cell-section' }, h('h3', null, title), note ? h('span', { class: 'cell-note' }, note) : null);
}

function traceLink({ run, name, test }) {
  const trace = test?.row?.trace_id;
  if (!trace) return null;
  return h('a', { href: href('trace', { run, trace }) }, 'Trace of ', name, hiddenText(', opens the trace'));
}
