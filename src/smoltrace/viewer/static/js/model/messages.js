/**
 * What was said in a model call, made ready for reading: the system prompt apart, what earlier calls sent already apart,
 * and each message as blocks of prose, code, tool calls, results and images.
 *
 * @typedef {{role: string, parts: object[], seen?: boolean}} Message
 * @typedef {{cut: string, chars: number, ref: string}} Cut
 * @typedef {{type: 'prose'|'plain', text: string, more: Cut|null}
 *   |{type: 'code', code: string, language: string, more: Cut|null}
 *   |{type: 'call', name: string, id: string|null, code: string, language: string, more: Cut|null}
 *   |{type: 'result', name: string|null, id: string|null, text: string, failed: boolean, more: Cut|null}
 *   |{type: 'image', source: string|null, mime: string, why: string|null, more: Cut|null}} Block
 */
import {languageOf} from './highlight.js';
import {isCut, parsedJson, pretty} from './pretty.js';
import {pythonLiteral} from './pyliteral.js';

const SYSTEM = new Set(['system', 'developer']);
const RESULTS = new Set(['tool', 'tool-response', 'function']);
const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const OWN = new Set(['assistant', 'tool-call']);
const CALLING = 'Calling tools:\n';

/**
 * @param {{input?: Message[], output?: Message[], system?: Message[]|null}|null} messages
 * @returns {{system: Message[], seen: Message[], own: number, fresh: Message[], output: Message[]}} `own`: how many of the seen
 *   were not sent before, but are what the model said itself
 */
export function arranged(messages) {
  const input = list(messages?.input);
  const given = list(messages?.system);
  const others = input.filter((message) => !SYSTEM.has(message.role));
  const system = given.length > 0 ? given : input.filter((message) => SYSTEM.has(message.role));
  // from the second call on, the model's own words come back to it: they were shown where it said them
  const later = others.some((message) => message.seen);
  const own = later ? others.filter((message) => !message.seen && OWN.has(message.role)) : [];
  return {
    system,
    seen: others.filter((message) => message.seen || own.includes(message)),
    own: own.length,
    fresh: others.filter((message) => !message.seen && !own.includes(message)),
    output: list(messages?.output),
  };
}

/**
 * Messages with their blocks. Of code that a code agent wrote and that is then retold as a call, only the call is left.
 * @param {Message[]} messages
 * @returns {{message: Message, blocks: Block[]}[]}
 */
export function told(messages) {
  const found = [];
  for (const message of messages) {
    const blocks = blocksOf(message);
    const before = found[found.length - 1];
    if (before && OWN.has(message.role) && retold(before.blocks, blocks)) before.blocks.splice(-1, 1, ...blocks);
    else found.push({message, blocks});
  }
  return found;
}

function retold(before, blocks) {
  const last = before[before.length - 1];
  return last?.type === 'code' && blocks.length === 1 && blocks[0].type === 'call' && blocks[0].code.trim() === last.code.trim();
}

function list(messages) {
  return Array.isArray(messages) ? messages.filter((message) => message && typeof message === 'object') : [];
}

/** A role as a heading: what a framework calls "tool-response" is what the agent observed. */
export function roleTitle(role) {
  if (RESULTS.has(role)) return 'Observation';
  if (role === 'tool-call') return 'Assistant';
  const text = String(role ?? '').trim() || 'Message';
  return text[0].toUpperCase() + text.slice(1).toLowerCase();
}

/** A word beside the heading: what this message is for. */
export function roleNote(message) {
  const text = firstText(message);
  if (message.role === 'user' && text.startsWith('New task:')) return 'task';
  return '';
}

function firstText(message) {
  const part = list(message.parts).find((one) => one.type === 'text');
  return part ? textOf(part.text) : '';
}

/** Whether an observation tells of an error. */
export function tellsError(message) {
  return RESULTS.has(message.role) && /^(?:Call id: .*\n)?Error:\n/.test(firstText(message));
}

/** @param {Message[]} messages  the characters of their texts, those cut off included */
export function characters(messages) {
  let sum = 0;
  for (const message of messages) {
    for (const part of list(message.parts)) if (part.type === 'text') sum += isCut(part.text) ? part.text.chars : textOf(part.text).length;
  }
  return sum;
}

const textOf = (text) => (isCut(text) ? text.cut : typeof text === 'string' ? text : text == null ? '' : pretty(text));
const cutOf = (text) => (isCut(text) ? text : null);

/** @param {Message} message  @returns {Block[]} */
export function blocksOf(message) {
  return list(message.parts).flatMap((part) => partBlocks(part, message.role));
}

function partBlocks(part, role) {
  if (part.type === 'text') return textBlocks(textOf(part.text), role, cutOf(part.text));
  if (part.type === 'tool_call') return [callBlock(part)];
  if (part.type === 'tool_result') return [resultBlock(part)];
  if (part.type === 'image') return [imageBlock(part)];
  const inner = part.value ?? part;
  if (inner?.type === 'reasoning' && (isCut(inner.content) || typeof inner.content === 'string')) {
    return [{type: 'plain', text: textOf(inner.content), more: cutOf(inner.content)}];
  }
  return [{type: 'code', code: pretty(inner), language: 'json', more: null}];
}

function textBlocks(text, role, more) {
  if (RESULTS.has(role)) return [{type: 'result', name: null, id: null, text: withoutLabel(text), failed: /^(?:Call id: .*\n)?Error:\n/.test(text), more}];
  const calls = text.startsWith(CALLING) ? readCalls(text.slice(CALLING.length)) : null;
  if (calls) return calls;
  const blocks = codeTags(text.startsWith('New task:\n') ? text.slice(10) : text);
  if (more && blocks.length > 0) blocks[blocks.length - 1].more = more;
  return blocks;
}

function withoutLabel(text) {
  return text.replace(/^(?:Call id: .*\n)?(?:Observation|Error):\n/, '');
}

/** What smolagents tells a model of its own earlier calls: a Python list in a text. */
function readCalls(text) {
  const literal = pythonLiteral(text);
  if (!literal || !Array.isArray(literal.value)) return null;
  const calls = literal.value.map((item) => item?.function && callBlock({id: item.id, ...item.function}));
  return calls.length > 0 && calls.every(Boolean) ? calls : null;
}

/** Prose with the code that smolagents asks for between <code> and </code>; tags within a sentence only speak of code. */
function codeTags(text) {
  const blocks = [];
  const prose = (piece) => {
    if (piece.trim() !== '') blocks.push({type: 'prose', text: piece.replace(/^\n+/, '').trimEnd(), more: null});
  };
  let cursor = 0;
  for (let open = text.indexOf('<code>'); open >= 0; ) {
    const close = text.indexOf('</code>', open);
    const end = close < 0 ? text.length : close;
    const code = text.slice(open + 6, end);
    if (code.includes('\n')) {
      prose(text.slice(cursor, open));
      blocks.push({type: 'code', code: code.replace(/^\n/, '').trimEnd(), language: 'python', more: null});
      cursor = close < 0 ? text.length : close + 7;
    }
    open = text.indexOf('<code>', end + 1);
  }
  prose(text.slice(cursor));
  return blocks;
}

/** A call's arguments as code: Python where they are Python, else JSON. */
export function callBlock(part) {
  const more = cutOf(part.arguments);
  const text = isCut(part.arguments) ? part.arguments.cut : part.arguments;
  const base = {type: 'call', name: String(part.name ?? 'tool'), id: part.id ?? null, more};
  const parsed = typeof text === 'string' ? parsedJson(text)?.value : text;
  const code = parsed && typeof parsed === 'object' && Object.keys(parsed).length === 1 && typeof parsed.code === 'string' ? parsed.code : null;
  if (code !== null) return {...base, code, language: 'python'};
  if (parsed !== undefined && parsed !== null && typeof parsed === 'object') return {...base, code: pretty(parsed), language: 'json'};
  const plain = typeof text === 'string' ? text : text == null ? '' : pretty(text);
  return {...base, code: plain, language: base.name === 'python_interpreter' ? 'python' : languageOf('', plain)};
}

/** @param {{name?: string, id?: string, result: any, failed?: boolean}} part */
export function resultBlock(part) {
  const value = isCut(part.result) ? part.result.cut : part.result;
  const text = typeof value === 'string' ? value : value == null ? '' : pretty(value);
  return {type: 'result', name: part.name ?? null, id: part.id ?? null, text, failed: Boolean(part.failed), more: cutOf(part.result)};
}

/** Only pictures that a browser draws without running anything; SVG is not among them. */
export function imageBlock(part) {
  const mime = String(part.mime ?? '').toLowerCase();
  const base = {type: 'image', mime, source: null, more: cutOf(part.data), why: null};
  if (!IMAGES.has(mime)) return {...base, why: `${mime || 'an image of unknown type'} is not shown`};
  if (base.more) return {...base, why: 'a large image'};
  return {...base, ...imageSource(mime, part.data)};
}

/** @returns {{source: string|null, why: string|null}} */
export function imageSource(mime, data) {
  if (typeof data !== 'string' || data === '') return {source: null, why: 'the image was not recorded'};
  const packed = data.replace(/\s/g, '');
  if (!IMAGES.has(mime) || !/^[A-Za-z0-9+/]+=*$/.test(packed)) return {source: null, why: 'the image cannot be read'};
  return {source: `data:${mime};base64,${packed}`, why: null};
}
