/** A model call as a conversation: what is new in it, what was seen before behind a word, and calls beside their results. */
import {arranged, blocksOf, callBlock, characters, resultBlock, roleNote, roleTitle, tellsError, told} from '../model/messages.js';
import {isCut} from '../model/pretty.js';
import {count, duration, tokens} from '../model/format.js';
import {answersOf, nextChat, pairedCalls} from '../model/pairing.js';
import {blockView, callView, resultView} from './blocks.js';
import {chip} from './chip.js';
import {h, uid} from './dom.js';
import {icon} from './svg.js';

const MOST_RESULTS = 12;

/**
 * @typedef {object} PanelReader  a `Reader` that knows the trace
 * @property {import('../model/tracemodel.js').TraceModel} model
 * @property {number} node
 * @property {RegExp|null} pattern
 * @property {(ref: string) => Promise<string>} whole
 * @property {(node: number) => Promise<any>} detailOf
 * @property {() => Promise<any>} testOf  the test's result row, null without one
 * @property {(ref: string) => Promise<string>} wholeOfTest  the whole of a text of that row
 * @property {(node: number) => PanelReader} at  the same for another span
 * @property {(node: number) => void} select
 */

/** @param {PanelReader} reader  @param {any} detail of a model call  @returns {HTMLElement[]} */
export function conversation(reader, detail) {
  const {system, seen, own, fresh, output} = arranged(detail.messages);
  const first = seen.length === 0;
  return [
    system.length > 0 ? systemView(reader, system, first) : null,
    seen.length > 0 ? seenView(reader, seen, own) : null,
    ...told(fresh).map((one) => messageView(reader, one)),
    ...output.map((message) => outputView(reader, message, !first || seen.length > 0)),
  ].filter(Boolean);
}

/** A row that unfolds what is behind it. @param {() => Node[]} make */
function disclosure(title, note, words, make) {
  const body = h('div', {class: 'fold-body', id: uid('fold'), hidden: true});
  const word = h('span', {class: 'fold-word'}, words.open);
  const button = h('button', {type: 'button', class: 'fold-head', 'aria-expanded': 'false', 'aria-controls': body.id}, icon('right', 12), title ? h('b', null, title) : null, h('span', {class: 'note'}, note), word);
  button.addEventListener('click', () => {
    const open = button.getAttribute('aria-expanded') !== 'true';
    button.setAttribute('aria-expanded', String(open));
    word.textContent = open ? words.shut : words.open;
    body.hidden = !open;
    if (open && !body.firstChild) body.append(...make());
  });
  return h('div', {class: 'fold'}, button, body);
}

function systemView(reader, system, first) {
  const note = `${count(characters(system))} characters${first ? '' : ', as before'}`;
  return disclosure('System', note, {open: 'Expand', shut: 'Fold'}, () => system.flatMap((message) => blocksOf(message).map((block) => blockView(reader, block))));
}

function seenView(reader, seen, own) {
  const note = `${count(seen.length)} ${seen.length === 1 ? 'message' : 'messages'}, already seen${own > 0 ? ` (${own} of its own)` : ''}`;
  return disclosure('', note, {open: 'Show', shut: 'Hide'}, () => told(seen).map((one) => messageView(reader, one)));
}

/** @param {Node|null} [aside] at the right end of the head */
function frame(role, notes, aside, children) {
  const head = h('div', {class: 'msg-head'}, h('b', null, roleTitle(role)), notes, aside);
  return h('section', {class: `msg msg-${['system', 'user', 'assistant'].includes(role) ? role : 'tool'}`}, head, children);
}

function messageView(reader, {message, blocks}) {
  const failed = tellsError(message);
  const notes = [roleNote(message) ? h('span', {class: 'note'}, roleNote(message)) : null, failed ? chip('✕ error', 'fail') : null];
  return frame(message.role, notes, null, blocks.length > 0 ? blocks.map((block) => blockView(reader, block)) : nothing());
}

function outputView(reader, message, later) {
  const blocks = blocksOf(message);
  const used = tokens(reader.model.figures.own.tokensOut[reader.node]);
  const notes = used === null ? null : h('span', {class: 'note'}, `${used} tok`);
  const aside = later ? h('span', {class: 'msg-aside'}, 'new in this step') : null;
  const paired = pairing(reader, blocks);
  const views = blocks.map((block) => (block.type === 'call' ? callView(reader, block, resultOf(reader, paired.get(block) ?? null)) : blockView(reader, block)));
  const code = blocks.some((block) => block.type === 'code' && block.language === 'python') && paired.size === 0;
  return frame(message.role || 'assistant', notes, aside, [views.length > 0 ? views : nothing(), code ? observed(reader) : null]);
}

const nothing = () => h('p', {class: 'nothing'}, 'an empty message');

/** For each call the span that did it. */
function pairing(reader, blocks) {
  const {model, node} = reader;
  const calls = blocks.filter((block) => block.type === 'call');
  const spans = answersOf(model.tree, model.kinds, node);
  const found = pairedCalls(calls, spans, (span) => model.columns.tool?.[span] ?? model.labelOf(span));
  return new Map(calls.map((call, k) => [call, found[k]]).filter(([, span]) => span !== null).slice(0, MOST_RESULTS));
}

/** A place that fills itself with a tool's result; the reader waits for nothing. */
function resultOf(reader, span) {
  if (span === null) return null;
  const box = h('div', {class: 'result-box'});
  reader.detailOf(span).then(
    (detail) => box.replaceChildren(toolResult(reader, span, detail)),
    (error) => box.replaceChildren(h('p', {class: 'nothing'}, `its result cannot be read: ${error.message}`)),
  );
  return box;
}

function toolResult(reader, span, detail) {
  const {model} = reader;
  const failed = model.tree.failed[span] === 1;
  const block = resultBlock({result: failed && detail.output == null ? errorText(detail) : detail.output, failed});
  const took = model.tree.open[span] ? 'no end recorded' : duration(model.duration(span));
  return resultView(reader.at(span), {block, took, failed, open: () => reader.select(span)});
}

/** What went wrong, in the words of the span. */
export function errorText(detail) {
  const told = detail.status_description;
  const event = (detail.events ?? []).find((one) => one.name === 'exception');
  const message = event?.attributes?.['exception.message'];
  const type = event?.attributes?.['exception.type'] ?? detail.error_type ?? 'error';
  if (told && (isCut(told) || String(told).length > 0)) return told;
  return message ? (isCut(message) ? message : `${type}: ${message}`) : String(type);
}

/** What a code agent's code printed is told in the next call: it is shown with the code that printed it. */
function observed(reader) {
  const next = nextChat(reader.model.tree, reader.model.kinds, reader.node);
  if (next < 0) return null;
  const box = h('div', {class: 'call result-box'});
  const none = () => box.remove();
  reader.detailOf(next).then((detail) => {
    const message = arranged(detail.messages).fresh.find((one) => blocksOf(one).some((block) => block.type === 'result'));
    if (!message) return none();
    const said = {took: 'told in the next step', title: 'Observation', open: () => reader.select(next)};
    const results = blocksOf(message).filter((block) => block.type === 'result');
    return box.replaceChildren(...results.map((block) => resultView(reader.at(next), {...said, block, failed: block.failed})));
  }, none);
  return box;
}

/** A tool's span: the call beside its result. @param {PanelReader} reader */
export function toolMessages(reader, detail) {
  const {model, node} = reader;
  const call = callBlock({name: model.columns.tool?.[node] ?? model.labelOf(node), arguments: detail.input});
  return [h('section', {class: 'msg'}, callView(reader, call, toolResult({...reader, select: () => {}}, node, detail)))];
}
