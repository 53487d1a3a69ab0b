/**
 * The steps of two executions side by side: which step of the one answers to which of the other.
 */
import {commonPairs} from './myers.js';
import {wordsOf} from './words.js';

/** More actions than this are matched only where tool and arguments are the same. */
const MOST_MATCHED = 400;
const MOST_EDITS = 2_000;
const MOST_WORDS = 400;

/**
 * @typedef {object} Action  a tool call, or a step without one
 * @property {'tool' | 'code' | 'final' | 'planning' | 'step'} kind
 * @property {string} name
 * @property {string} input arguments as text, one form for equal arguments
 * @property {string} output result of the call
 * @property {string} said what the model wrote in this step
 * @property {string | null} error
 * @property {number | null} step number
 * @property {number | null} duration ms
 * @typedef {{left: Action | null, right: Action | null, relation: 'same' | 'output' | 'changed' | 'left' | 'right'}} Aligned
 *   `same` in all; `output`: same call, another result; `changed`: same tool, other arguments; only on one side
 */

const CODE_TOOLS = new Set(['python_interpreter', 'python', 'run_code', 'execute_code']);

/**
 * The steps that the data API gives, as actions: a step with several tool calls is several.
 * @param {any[]} steps
 * @returns {Action[]}
 */
export function actionsOf(steps) {
  return (steps ?? []).flatMap((step) => {
    const calls = step.tool_calls ?? [];
    if (!calls.length) return [bareStep(step)];
    const alone = calls.length === 1;
    return calls.map((call, i) => ({
      kind: call.name === 'final_answer' ? 'final' : CODE_TOOLS.has(call.name) ? 'code' : 'tool',
      name: call.name ?? 'unknown tool',
      input: call.name === 'final_answer' ? answerText(call.arguments) : inputText(call.arguments),
      output: plainText(call.result),
      said: i === 0 ? plainText(step.output) : '',
      error: (i === calls.length - 1 ? plainText(step.error) : '') || (call.ok === false ? 'the call failed' : null),
      step: step.number ?? null,
      duration: alone ? span(step) ?? call.duration_ms ?? null : call.duration_ms ?? null,
    }));
  });
}

/** A step without a tool call: what the model wrote is all that there is of it, or the code that it ran. */
function bareStep(step) {
  const text = plainText(step.output);
  const code = codeIn(text);
  const kind = step.kind === 'planning' || step.kind === 'final' ? step.kind : code ? 'code' : 'step';
  const name = { planning: 'planning', final: 'final answer', code: 'run code', step: step.title || 'step' }[kind];
  const own = kind === 'code' ? { input: code, output: '', said: text } : { input: '', output: text, said: '' };
  return { kind, name, ...own, error: plainText(step.error) || null, step: step.number ?? null, duration: span(step) };
}

/** The code that a code agent wrote into its answer, without the words around it. */
function codeIn(text) {
  const found = /<code>\s*([\s\S]*?)\s*<\/code>|```(?:py|python)?\n([\s\S]*?)\n?```/.exec(text);
  return found ? found[1] ?? found[2] : '';
}

function span(step) {
  return Number.isFinite(step.start_ms) && Number.isFinite(step.end_ms) ? step.end_ms - step.start_ms : null;
}

/** The answer itself, without the argument's name. */
function answerText(value) {
  const alone = value && typeof value === 'object' && Object.keys(value).length === 1;
  return alone && 'answer' in value ? plainText(value.answer) : inputText(value);
}

/** One string argument is shown as it is, so that code reads as code; else JSON with its names in order. */
export function inputText(value) {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return plainText(value);
  if ('cut' in value && 'chars' in value) return plainText(value);
  const names = Object.keys(value);
  if (names.length === 1 && typeof value[names[0]] === 'string' && /\n|^\S*code$/.test(names[0] + value[names[0]])) return value[names[0]];
  return JSON.stringify(sorted(value, 0), null, names.length > 1 ? 2 : 0);
}

function sorted(value, depth) {
  if (Array.isArray(value) || value === null || typeof value !== 'object' || depth > 50) return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name], depth + 1)]));
}

/** Any value as the text that is compared. A cut text is its beginning. */
export function plainText(value) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && typeof value.cut === 'string') return value.cut;
  return typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value);
}

/**
 * @param {Action[]} left
 * @param {Action[]} right
 * @returns {Aligned[]} in the order of both
 */
export function alignActions(left, right) {
  const pairs = Math.max(left.length, right.length) > MOST_MATCHED ? exactPairs(left, right) : bestPairs(left, right);
  const made = [];
  let [i, j] = [0, 0];
  for (const [a, b] of [...pairs, [left.length, right.length]]) {
    for (; i < a; i += 1) made.push({ left: left[i], right: null, relation: 'left' });
    for (; j < b; j += 1) made.push({ left: null, right: right[j], relation: 'right' });
    if (a < left.length && b < right.length) made.push(pairOf(left[a], right[b]));
    [i, j] = [a + 1, b + 1];
  }
  return made;
}

function pairOf(left, right) {
  if (left.kind === 'final') return { left, right, relation: left.input === right.input && left.output === right.output ? 'same' : 'output' };
  if (left.input !== right.input) return { left, right, relation: 'changed' };
  const alike = left.output === right.output && left.error === right.error;
  return { left, right, relation: alike ? 'same' : 'output' };
}

function exactPairs(left, right) {
  const ids = new Map();
  const number = (action) => {
    const text = `${nameOf(action)}\0${action.input}`;
    return ids.get(text) ?? ids.set(text, ids.size).get(text);
  };
  return commonPairs(left.map(number), right.map(number), MOST_EDITS).pairs;
}

/**
 * Needleman and Wunsch's alignment (J. Mol. Biol. 48, 1970): the same call 3; the same tool up to 1.3, as its
 * arguments are like, so that no two of these outweigh one of the same.
 */
function bestPairs(left, right) {
  const [n, m] = [left.length, right.length];
  const words = [left, right].map((actions) => actions.map((action) => new Set(wordsOf(action.input).slice(0, MOST_WORDS))));
  const worth = (x, y) => {
    if (nameOf(left[x]) !== nameOf(right[y])) return -Infinity;
    return left[x].input === right[y].input ? 3 : 0.4 + 0.9 * overlap(words[0][x], words[1][y]);
  };
  const best = Array.from({ length: n + 1 }, () => new Float64Array(m + 1));
  const paired = Array.from({ length: n }, () => new Uint8Array(m));
  for (let x = n - 1; x >= 0; x -= 1) {
    for (let y = m - 1; y >= 0; y -= 1) {
      const apart = Math.max(best[x + 1][y], best[x][y + 1]);
      const together = best[x + 1][y + 1] + worth(x, y);
      paired[x][y] = together >= apart ? 1 : 0;
      best[x][y] = Math.max(apart, together);
    }
  }
  const pairs = [];
  for (let x = 0, y = 0; x < n && y < m; ) {
    if (paired[x][y]) pairs.push([x++, y++]);
    else if (best[x + 1][y] >= best[x][y + 1]) x += 1;
    else y += 1;
  }
  return pairs;
}

function nameOf(action) {
  return action.kind === 'planning' || action.kind === 'final' || action.kind === 'step' ? action.kind : action.name;
}

/** Dice's coefficient of two sets, 0 to 1. */
function overlap(a, b) {
  if (!a.size || !b.size) return a.size === b.size ? 1 : 0;
  let both = 0;
  for (const word of a) if (b.has(word)) both += 1;
  return (2 * both) / (a.size + b.size);
}
