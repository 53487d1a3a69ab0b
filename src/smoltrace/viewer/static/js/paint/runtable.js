/** The table of a run's tests: its columns, and a test as two lines on a phone. */

import {count, duration, money, quantity, tokens} from '../model/format.js';
import {classLabel, failureClass} from '../model/failures.js';
import {verdict} from './chip.js';
import {h} from './dom.js';
import {co2Figure, costFigure, energyFigure, figure, unknown} from './number.js';

/** Columns shown until others are chosen; `agent` and `attempt` come in where a run has more than one. */
const FIRST_COLUMNS = ['status', 'test', 'task', 'expected', 'answer', 'steps', 'tokens', 'cost', 'energy', 'duration', 'error'];

/** On a window narrower than this, px, the task itself is left to the test's sheet. */
const NO_TASK_BELOW = 1020;
/** Px of a digit at the table's size. */
const DIGIT = 7.8;

const classOf = (row) => failureClass(row);
const total = 'gen_ai.usage.total_tokens';

/** Why a test gave no answer is told by its error class. */
function answerCell(row) {
  if (row.response === null) return h('span', {class: row.success === false ? 'rt-wrong' : 'rt-none'}, 'no answer');
  return h('span', {class: ['rt-text', row.success === false && 'rt-wrong'], title: row.response}, oneLine(row.response));
}

function text(value, why, className = 'rt-text') {
  return value === null || value === undefined || value === '' ? unknown(why) : h('span', {class: className, title: value}, oneLine(value));
}

/** A cell is one line; line ends are told by a sign. */
function oneLine(value) {
  return String(value).replace(/\s*\n\s*/g, ' ⏎ ');
}

function errorCell(row) {
  const name = classOf(row);
  return name === null ? unknown(row.success === true ? 'passed' : 'not judged') : h('span', {class: 'rt-text', title: row.error ?? classLabel(name)}, classLabel(name));
}

/** @type {Record<string, {label: string, menu?: string, width: string|number, min?: number, align?: 'right', cell: (row: object) => any, head?: () => any, title?: string}>} */
const COLUMNS = {
  status: {label: '', menu: 'Status', title: 'Status', width: 34, cell: (row) => verdict(row.success)},
  test: {label: 'Test', width: '1.3fr', min: 130, cell: (row) => h('span', {class: 'rt-id', title: row.test_case_uid}, row.test_id)},
  agent: {label: 'Agent', width: 52, cell: (row) => text(row.agent_type, 'not told')},
  attempt: {label: 'Try', width: 44, align: 'right', cell: (row) => count(row.attempt)},
  category: {label: 'Category', width: 110, cell: (row) => text(row.category, 'none stated')},
  difficulty: {label: 'Difficulty', width: 84, cell: (row) => text(row.difficulty, 'none stated')},
  task: {label: 'Task', width: '1.5fr', min: 110, cell: (row) => text(row.prompt, 'prompt not recorded', 'rt-text rt-soft')},
  expected: {label: 'Expected', width: '1fr', min: 90, cell: (row) => text(row.expected, 'nothing expected')},
  answer: {label: 'Answer', width: '1.2fr', min: 100, cell: answerCell},
  steps: {label: 'Steps', width: 52, align: 'right', cell: (row) => figure(count(row.steps), {why: 'not told'})},
  calls: {label: 'Calls', width: 52, align: 'right', cell: (row) => figure(count(row.llm_calls), {why: 'not told'})},
  tokens: {label: 'Tokens', width: 66, align: 'right', cell: (row) => figure(tokens(row[total]), {why: 'the model told no usage'})},
  cost: {label: '$', menu: 'Cost', title: 'Cost in US dollars', width: 64, align: 'right', est: '_cost', write: money, cell: (row, options) => costFigure(row._cost, options)},
  energy: {label: 'Wh', menu: 'Energy', title: 'Energy in watt-hours', width: 64, align: 'right', est: '_energy', write: quantity, cell: (row, options) => energyFigure(row._energy, options)},
  co2: {label: 'g CO₂e', width: 72, align: 'right', est: '_co2', write: quantity, cell: (row, options) => co2Figure(row._co2, options)},
  duration: {label: 'Duration', width: 76, align: 'right', cell: (row) => figure(duration(row.execution_time_ms), {why: 'not told'})},
  start: {label: 'Started', width: 76, align: 'right', title: 'After the run began', cell: (row) => figure(duration(row._start_ms), {why: 'not told'})},
  error: {label: 'Error class', width: 146, cell: errorCell},
};

/** Every column by name, with the label that a menu shows. @returns {[string, string][]} */
export function columnNames() {
  return Object.entries(COLUMNS).map(([key, {menu, label}]) => [key, menu ?? label]);
}

/**
 * What a column of amounts is: all estimated (its head says so), none, or some (then the sign hangs in the cells).
 * @param {(object|null)[]|undefined} values `_cost` or `_energy` of every test @returns {'all'|'none'|'some'}
 */
export function estimated(values = []) {
  let [yes, no] = [0, 0];
  for (const one of values) {
    if (one?.est) yes += 1;
    else if (one && one.value !== null) no += 1;
  }
  return yes === 0 ? 'none' : no === 0 ? 'all' : 'some';
}

/**
 * @param {string[]} shown @param {{columns: object}} tests @returns {object[]} columns for virtualTable, in the table's own order
 */
export function testColumns(shown, tests) {
  return Object.entries(COLUMNS)
    .filter(([key]) => shown.includes(key))
    .map(([key, column]) => ({key, sortable: true, ...(column.est ? amountColumn(column, tests.columns[column.est]) : column)}));
}

/** The longest figure is that of the smallest or of the largest amount; figures are never cut. */
export function longest(values = [], write = money) {
  let [low, high] = [Infinity, 0];
  for (const one of values) {
    const value = one?.value ?? one?.bound ?? 0;
    if (value > 0 && value < low) low = value;
    if (value > high) high = value;
  }
  const bound = values.some((one) => one && one.value === null && one.bound) ? 2 : 0;
  return Math.max(...[low, high].map((value) => (Number.isFinite(value) ? (write(value) ?? '').length : 0))) + bound;
}

function amountColumn(column, values) {
  const est = estimated(values);
  const hang = est === 'some';
  const needed = longest(values, column.write) * DIGIT + 18;
  const plain = (row) => (est === 'all' && row[column.est] ? {...row, [column.est]: {...row[column.est], est: false}} : row);
  const head = est === 'all' ? () => h('span', null, column.label, ' ', h('i', {class: 'est', title: 'all estimated, not measured'}, 'est.')) : undefined;
  return {...column, width: Math.max(column.width, needed) + (hang ? 27 : 0), head, cell: (row) => column.cell(plain(row), {hang})};
}

/** What the columns of amounts depend on: another key, other columns. @param {{columns: object}} tests */
export function amountsKey({columns}) {
  const amounts = [columns._energy, columns._co2].flatMap((values) => [estimated(values), longest(values, quantity)]);
  return [estimated(columns._cost), longest(columns._cost), ...amounts].join();
}

/** @param {{agents: number, attempts: number, width: number}} of the run, and px of the window @returns {string[]} */
export function usualColumns({agents, attempts, width}) {
  const extra = [agents > 1 && 'agent', attempts > 1 && 'attempt'].filter(Boolean);
  const fitting = width < NO_TASK_BELOW ? FIRST_COLUMNS.filter((key) => key !== 'task') : FIRST_COLUMNS;
  return [...fitting, ...extra];
}

/** A test on a phone: verdict, name and duration; below answer or error, tokens and cost. @param {object} row */
export function phoneTest(row) {
  const name = classOf(row);
  return h(
    'div',
    {class: 'phone-test'},
    verdict(row.success),
    h('span', {class: 'rt-id'}, row.test_id, row.agent_type ? h('span', {class: 'rt-soft'}, ` ${row.agent_type}`) : null),
    h('span', {class: 'phone-right'}, figure(duration(row.execution_time_ms), {why: 'not told'})),
    h('span', {class: 'phone-line'}, name !== null && name !== 'wrong_answer' ? h('span', {class: 'rt-wrong'}, classLabel(name)) : answerCell(row)),
    h('span', {class: 'phone-right phone-soft'}, figure(tokens(row[total]), {why: 'no usage told'}), ' tok'),
  );
}
