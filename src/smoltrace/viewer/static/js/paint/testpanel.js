/** Everything about one test: what was asked, what was expected, what came, who judged it, which tools it used. */

import {count, duration, tokens} from '../model/format.js';
import {classLabel, failureClass} from '../model/failures.js';
import {chip, statusChip} from './chip.js';
import {h} from './dom.js';
import {longText} from './runtext.js';
import {costFigure, energyFigure, figure} from './number.js';

/**
 * @param {object} test as data.test() gives it @param {{traceHref: string|null, whole: (ref: string) => Promise<string>}} links
 * @returns {HTMLElement}
 */
export function testBody(test, {traceHref, whole}) {
  const {row} = test;
  const text = (value, options) => longText(value, {whole, ...options});
  const wrong = row.success === false;
  const none = row.error_type ? `no answer: ${classLabel(row.error_type).toLowerCase()}` : 'no answer';
  return h(
    'div',
    {class: 'test-panel'},
    summary(row, test),
    traceHref ? h('p', {class: 'test-trace'}, h('a', {class: 'button', href: traceHref}, 'Open the trace', h('kbd', null, 't'))) : h('p', {class: 'test-trace rt-soft'}, 'No trace was recorded.'),
    section('Prompt', told(row.prompt) ? text(row.prompt) : missing('not recorded')),
    h('div', {class: 'test-pair'}, section('Expected', expectedBody(row.expected, text)), section('Answer', told(row.response) ? text(row.response, {class: wrong ? 'rt-wrong' : ''}) : missing(none))),
    row.error ? section('Error', h('p', {class: 'test-error'}, classLabel(failureClass(row)) ?? ''), text(row.error, {mono: true, class: 'rt-wrong'})) : null,
    section('Verdicts', verdicts(row)),
    test.steps?.length ? section(`Steps ${count(test.steps.length)}`, h('ol', {class: 'test-steps'}, test.steps.map((step) => stepItem(step, text)))) : toolsOf(row),
  );
}

/** Of what a task expects: the answer itself; the rest says how it is judged. */
const ANSWERS = ['expected_answer', 'expected_keywords'];

const told = (value) => value !== null && value !== undefined && value !== '';
const missing = (why) => h('p', {class: 'rt-none'}, why);
const section = (title, ...content) => h('section', {class: 'test-section'}, h('h3', null, title), content);

function summary(row, test) {
  const name = failureClass(row);
  const facts = [
    ['Steps', figure(count(row.steps), {why: 'not told'})],
    ['Calls', figure(count(row.llm_calls), {why: 'not told'})],
    ['Tokens', figure(tokens(row['gen_ai.usage.total_tokens']), {why: 'the model told no usage'})],
    ['Cost', costFigure(test._cost)],
    ['Energy', energyFigure(test._energy, {unit: true})],
    ['Duration', figure(duration(row.execution_time_ms), {why: 'not told'})],
    ['Retries', figure(count(row.retries), {why: 'not told'})],
  ];
  const outcome = row.success === true ? statusChip('passed') : row.success === false ? statusChip('failed') : chip('not judged');
  const about = [row.agent_type && `${row.agent_type} agent`, row.category?.replaceAll('_', ' '), row.difficulty, row.attempt > 1 ? `attempt ${row.attempt}` : null].filter(Boolean);
  return [
    h('p', {class: 'test-outcome'}, outcome, name ? chip(classLabel(name), 'fail') : null, h('span', {class: 'rt-soft'}, about.join(' · '))),
    h('dl', {class: 'test-facts'}, facts.map(([title, value]) => h('div', null, h('dt', null, title), h('dd', null, value)))),
  ];
}

/** What a task expects is an object of a few named things; each is shown by its name. */
function expectedBody(expected, text) {
  if (!told(expected)) return missing('nothing expected');
  if (typeof expected !== 'object' || Array.isArray(expected) || told(expected.cut)) return text(asText(expected));
  const pairs = Object.entries(expected).filter(([, value]) => told(value));
  const answers = pairs.filter(([name]) => ANSWERS.includes(name));
  const rest = pairs.filter(([name]) => !ANSWERS.includes(name));
  return [
    answers.map(([, value]) => text(asText(value))),
    rest.length ? h('dl', {class: 'run-pairs'}, rest.map(([name, value]) => h('div', null, h('dt', null, name.replace(/^expected_/, '').replaceAll('_', ' ')), h('dd', null, isShort(asText(value)) ? asText(value) : text(asText(value)))))) : null,
  ];
}

function asText(value) {
  if (typeof value === 'string' || told(value?.cut)) return value;
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) return value.join(', ');
  const line = JSON.stringify(value);
  return line.length <= 90 ? line : JSON.stringify(value, null, 2);
}

const isShort = (value) => typeof value === 'string' && value.length <= 60 && !value.includes('\n');

/** Scorers first, then what was checked about tools and the answer. */
function verdicts(row) {
  const checks = [
    ['a tool was called', row.tool_called],
    ['the expected tool was called', row.correct_tool],
    ['the agent gave a final answer', row.final_answer_called],
    ['the answer is right', row.response_correct],
  ];
  const all = [...Object.entries(row.scores ?? {}), ...checks.filter(([, value]) => told(value))];
  if (!all.length) return missing('nothing was judged');
  return h('ul', {class: 'verdicts'}, all.map(([name, value]) => h('li', null, h('span', null, name), verdictOf(value))));
}

function verdictOf(value) {
  if (value === true) return statusChip('passed', {text: 'yes'});
  if (value === false) return statusChip('failed', {text: 'no'});
  return h('span', {class: 'mono'}, typeof value === 'object' ? JSON.stringify(value) : String(value));
}

function stepItem(step, text) {
  const facts = [told(step.tokens_in) ? `${tokens(step.tokens_in)} in` : null, told(step.tokens_out) ? `${tokens(step.tokens_out)} out` : null, told(step.end_ms) && told(step.start_ms) ? duration(step.end_ms - step.start_ms) : null];
  return h(
    'li',
    null,
    h('p', {class: 'step-head'}, h('b', null, step.title ?? `Step ${step.number}`), h('span', {class: 'rt-soft'}, facts.filter(Boolean).join(' · '))),
    (step.tool_calls ?? []).map((call) => toolCall(call, text)),
    step.error ? text(step.error, {mono: true, class: 'rt-wrong'}) : null,
    !step.tool_calls?.length && told(step.output) ? text(step.output) : null,
  );
}

function toolCall(call, text) {
  const head = h('p', {class: 'tool-head'}, h('span', {class: 'tool-mark', 'aria-hidden': 'true'}), h('code', null, call.name), call.ok === false ? chip('failed', 'fail') : null, h('span', {class: 'rt-soft'}, duration(call.duration_ms)));
  return h('div', {class: 'tool-call'}, head, told(call.arguments) ? text(asText(call.arguments), {mono: true}) : null, told(call.result) ? text(asText(call.result), {mono: true, class: 'tool-result'}) : null);
}

function toolsOf(row) {
  const calls = Array.isArray(row.tool_calls) ? row.tool_calls : [];
  if (!calls.length) return section('Tools', missing('no tool was called'));
  return section('Tools', calls.map((call) => toolCall(call, longText)));
}
