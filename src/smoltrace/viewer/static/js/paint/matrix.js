/** The pass/fail matrix: tests × runs, disagreements first. */
import {matrixColumns} from '../layout/matrix.js';
import {cellWords} from '../model/cases.js';
import {h, hiddenText} from './dom.js';
import {icon} from './svg.js';
import {virtualTable} from './virtual.js';

const ROW = 26;

/**
 * @typedef {object} MatrixOptions
 * @property {(row: import('../model/cases.js').CaseRow, run: number) => void} onOpen a cell; run 0 is the baseline
 * @property {(run: number) => void} onChoose the head of a column
 * @property {(first: number, last: number) => void} onSight rows in sight
 * @property {(row: import('../model/cases.js').CaseRow) => void} [onActive]
 */

/** @param {MatrixOptions} options */
export function caseMatrix({ onOpen, onChoose, onSight, onActive }) {
  let now = { rows: [], runs: [], column: 1, open: null, width: 0, agents: false };
  const table = virtualTable({
    label: 'Tests by run',
    role: 'grid',
    columns: [],
    rowHeight: ROW,
    phoneRowHeight: ROW,
    count: 0,
    rowAt: (i) => now.rows[i],
    keyOf: (row) => row.key,
    onOpen: (row, _, event) => onOpen(row, runAt(event) ?? now.column),
    onWindow: () => {
      const { first, last } = table.range();
      onSight(first, Math.min(last, now.rows.length));
    },
    onActive,
  });
  table.el.classList.add('matrix');

  function runAt(event) {
    const cell = event.target?.closest?.('[data-run]');
    return cell ? Number(cell.getAttribute('data-run')) : null;
  }

  /** @param {Partial<typeof now>} patch @param {Node} [empty] */
  function paint(patch, empty) {
    now = { ...now, ...patch };
    const open = now.open;
    table.update({ columns: columnsOf(now, onChoose), count: now.rows.length, selected: open ? open.key : null, ...(empty ? { empty } : {}) });
  }

  new ResizeObserver(() => {
    const width = Math.round(table.el.clientWidth);
    if (!width || Math.abs(width - now.width) < 8) return;
    paint({ width });
  }).observe(table.el);

  const indexOf = (key) => now.rows.findIndex((row) => row.key === key);
  return {
    el: table.el,
    paint,
    indexOf,
    rowAt: (i) => now.rows[i],
    count: () => now.rows.length,
    focus: (key) => indexOf(key) >= 0 && table.focus(indexOf(key)),
    scrollTo: (i) => table.scrollTo(i),
    move: (by) => table.move(by),
  };
}

function columnsOf(now, onChoose) {
  const plan = matrixColumns(now.width || 1000, now.runs.length, now.agents);
  const text = (key, label, width, read, more = {}) => ({ key, label, width, class: `mx-${key}`, cell: (row) => titled(read(row)), ...more });
  return [
    text('test', 'Test', plan.task ? `${plan.test}px` : `minmax(${plan.test}px, 1fr)`, (row) => row.testId),
    plan.agent ? text('agent', 'Agent', plan.agent, (row) => row.agent) : null,
    plan.task ? text('task', 'Task', 'minmax(120px, 1fr)', (row) => row.prompt) : null,
    plan.category ? text('category', 'Category', plan.category, (row) => row.category?.replaceAll('_', ' ')) : null,
    ...now.runs.map((run, r) => ({
      key: `run-${r}`,
      label: run.name,
      title: r ? `${run.name}: the column that the keys act on` : `${run.name}: the baseline`,
      width: plan.run,
      class: `mx-run${r === now.column ? ' mx-active' : ''}`,
      head: () => runButton(run, r, now, onChoose),
      cell: (row) => verdictCell(row, r, now, run),
    })),
  ].filter(Boolean);
}

function titled(text) {
  return text === null || text === undefined ? '' : h('span', { title: text }, text);
}

function runButton(run, r, now, onChoose) {
  if (r === 0) return h('span', { class: 'mx-head', title: `${run.name}, baseline` }, run.name, hiddenText(', baseline'));
  const pressed = String(r === now.column);
  return h('button', { type: 'button', class: 'mx-head', 'aria-pressed': pressed, title: `${run.name}: open its cells with Enter`, on: { click: () => onChoose(r) } }, run.name);
}

function verdictCell(row, r, now, run) {
  const cell = row.cells[r];
  const open = now.open && now.open.key === row.key && now.open.run === r;
  const words = cellWords(cell);
  const sign = { passed: icon('tick', 12), failed: icon('cross', 12), mixed: `${cell.passed}/${cell.of}`, unknown: '?', missing: '·' }[cell.state];
  return h('span', { class: ['mx-cell', `mx-${cell.state}`, open && 'mx-open'], 'data-run': String(r), title: `${run.name}: ${words}` }, h('span', { 'aria-hidden': 'true' }, sign), hiddenText(words));
}
