/** Two texts side by side with their differences; in a narrow place one above the other. */
import {folded, diffTexts} from '../model/diff.js';
import {count} from '../model/format.js';
import {fill, h, hiddenText} from './dom.js';

/** Rows that are painted at once; more come by a button. */
const ROWS = 200;
const SIGNS = { same: ['', ''], changed: ['−', '+'], removed: ['−', ''], added: ['', '+'] };
const WORDS = { changed: 'changed', removed: 'removed', added: 'added' };

/**
 * @param {string} left @param {string} right
 * @param {{label: string, names: [string, string], unified?: boolean, result?: ReturnType<typeof diffTexts>}} options
 *   `result` where it was made already
 * @returns {HTMLElement}
 */
export function diffView(left, right, { label, names, unified = false, result = diffTexts(left, right) }) {
  const body = h('tbody');
  const more = h('div', { class: 'diff-more' });
  let rows = folded(result.rows);
  let shown = ROWS;

  function paint() {
    fill(body, rows.slice(0, shown).map((row, i) => (row.kind === 'fold' ? foldRow(row, () => unfold(i, row), unified) : lineRows(row, unified))));
    const rest = rows.length - shown;
    fill(more, rest > 0 ? h('button', { type: 'button', class: 'link', on: { click: showMore } }, `Show ${count(Math.min(ROWS * 5, rest))} more of ${count(rest)} lines`) : null);
  }

  function showMore() {
    shown += ROWS * 5;
    paint();
  }

  function unfold(i, { from, to }) {
    rows = [...rows.slice(0, i), ...result.rows.slice(from, to), ...rows.slice(i + 1)];
    shown = Math.max(shown, Math.min(i + to - from, i + ROWS * 5));
    paint();
    const first = body.rows[i]?.cells[0];
    first?.setAttribute('tabindex', '-1');
    first?.focus({ preventScroll: true });
  }

  paint();
  const head = h('thead', { class: 'sr' }, h('tr', null, unified ? [th('Line'), th('Text')] : names.flatMap((name) => [th(`Line, ${name}`), th(`Text, ${name}`)])));
  return h('div', { class: 'diff-box' }, cutNotes(result, names), h('table', { class: unified ? 'diff diff-unified' : 'diff', 'aria-label': label }, widths(unified), head, body), more);
}

/** The first row may span columns, so widths are told apart from the rows. */
function widths(unified) {
  return h('colgroup', null, (unified ? [0] : [0, 1]).map(() => [h('col', { class: 'diff-col' }), h('col')]));
}

function th(text) {
  return h('th', { scope: 'col' }, text);
}

function lineRows(row, unified) {
  if (!unified) return h('tr', { class: `diff-${row.kind}` }, side(row, 'left', 0, false), side(row, 'right', 1, false));
  if (row.kind === 'same') return h('tr', { class: 'diff-same' }, side(row, 'right', 1, true));
  const one = row.left ? h('tr', { class: 'diff-removed' }, side(row, 'left', 0, true)) : null;
  const two = row.right ? h('tr', { class: 'diff-added' }, side(row, 'right', 1, true)) : null;
  return [one, two];
}

function side(row, name, at, unified) {
  const given = row[name];
  const middle = at && !unified ? 'diff-mid' : '';
  if (!given) return h('td', { class: `diff-none ${middle}`, colspan: '2' }, hiddenText('no such line'));
  const state = row.kind === 'same' ? '' : at ? 'diff-new' : 'diff-old';
  return [
    h('td', { class: `diff-no ${state} ${middle}` }, String(given.number)),
    h('td', { class: `diff-text ${state}` }, h('span', { class: 'diff-sign', 'aria-hidden': 'true' }, SIGNS[row.kind][at]), WORDS[row.kind] ? hiddenText(`${WORDS[row.kind]}: `) : null, content(given)),
  ];
}

function content({ text, parts }) {
  if (!parts || !parts.some(([, changed]) => changed)) return text;
  return parts.map(([part, changed]) => (changed ? h('span', { class: 'diff-word' }, part) : part));
}

function foldRow({ from, to }, open, unified) {
  const button = h('button', { type: 'button', class: 'diff-unfold', on: { click: open } }, `${count(to - from)} equal lines`);
  return h('tr', { class: 'diff-fold' }, h('td', { colspan: unified ? '2' : '4' }, button));
}

/** What is not compared is always told. */
function cutNotes({ cut, aligned }, names) {
  const told = cut.map((one, i) => (one ? `${names[i]}: the first ${count(one.shown)} of ${count(one.of)} ${one.unit} are compared.` : null)).filter(Boolean);
  if (!aligned) told.push('The texts differ too much to be matched line by line.');
  return told.length ? h('p', { class: 'diff-note' }, told.join(' ')) : null;
}
