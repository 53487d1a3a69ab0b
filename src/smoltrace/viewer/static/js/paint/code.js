/** Texts of a trace: code in colours, prose, values; long ones folded, those that the server cut fetched on demand. */
import {highlight} from '../model/highlight.js';
import {markdown, MOST_MARKDOWN} from '../model/markdown.js';
import {count} from '../model/format.js';
import {fill, h} from './dom.js';
import {markedText, markedTokens} from './marked.js';
import {copy} from './menu.js';
import {icon} from './svg.js';

const FOLDED_CHARS = 2_400;
const FOLDED_LINES = 28;
/** So much of an unfolded text is painted at once: a browser lays out 5 MB in seconds. */
const PIECE = 60_000;

/**
 * @typedef {object} Reader  what texts need to be painted
 * @property {RegExp|null} pattern  what Find looks for
 * @property {(ref: string) => Promise<string>} whole  the whole of a text that was cut
 */

/** @param {string} code  @param {string} language  @param {RegExp|null} pattern */
export function codeText(code, language, pattern) {
  return h('pre', {class: 'code', dir: 'ltr'}, h('code', null, markedTokens(highlight(code, language), pattern)));
}

/** A text as it is, each line in its own direction. */
export function plainText(text, pattern) {
  return h('pre', {class: 'plain', dir: 'auto'}, markedText(text, pattern));
}

/** Markdown as elements; nothing in it becomes a link. */
export function proseText(text, pattern) {
  if (text.length > MOST_MARKDOWN) return plainText(text, pattern);
  const tags = {code: 'code', strong: 'strong'};
  const inline = (piece) => (piece.type === 'text' ? markedText(piece.text, pattern) : h(tags[piece.type], null, markedText(piece.text, pattern)));
  const paint = (block) => {
    if (block.type === 'code') return codeText(block.code, block.language, pattern);
    const words = block.inlines.map(inline);
    if (block.type === 'item') return h('p', {class: 'prose-item', dir: 'auto', style: {'--level': String(block.level)}}, h('span', {class: 'prose-mark', 'aria-hidden': 'true'}, block.mark), words);
    return h('p', {class: block.type === 'heading' ? 'prose-heading' : null, dir: 'auto'}, words);
  };
  return h('div', {class: 'prose'}, markdown(text).map(paint));
}

/** A button that copies what `text` gives when it is pressed. */
export function copyButton(text, label = 'Copy') {
  const button = h('button', {type: 'button', class: 'icon-button copy', 'aria-label': label, title: label}, icon('copy', 14));
  button.addEventListener('click', async (event) => {
    event.stopPropagation();
    try {
      await copy(await text(), button);
    } catch (error) {
      button.title = String(error?.message ?? error);
    }
  });
  return button;
}

/**
 * A text with a foot that says how much of it is shown, where that is not all.
 * @param {Reader} reader
 * @param {{text: string, more?: {chars: number, ref: string}|null, paint: (text: string) => Node, unfolded?: boolean}} given
 */
export function longText(reader, {text, more = null, paint, unfolded = false}) {
  let all = text;
  let missing = more;
  const total = () => (missing ? missing.chars : all.length);
  const beginning = unfolded ? text.slice(0, PIECE) : head(text);
  const body = h('div', {class: 'long-body'}, paint(beginning));
  if (!more && beginning.length === text.length) return body;
  const note = h('span', {class: 'long-note'});
  const toggle = h('button', {type: 'button', class: 'link', 'aria-expanded': 'false'}, 'Expand');
  const next = h('button', {type: 'button', class: 'link', hidden: true});
  const told = h('span', {role: 'status', class: 'long-told'});
  const tell = (shown) => void (note.textContent = `${count(shown)} of ${count(total())} characters`);
  let shown = beginning.length;
  const fetchAll = async () => {
    if (!missing) return;
    told.textContent = 'loading …';
    all = await reader.whole(missing.ref);
    missing = null;
    told.textContent = '';
  };
  const paintTo = (to) => {
    if (to <= PIECE) fill(body, paint(all.slice(0, to)));
    else body.appendChild(plainText(all.slice(shown, to), reader.pattern));
    shown = to;
    tell(shown);
    next.hidden = shown >= all.length;
    next.textContent = `Show ${count(Math.min(PIECE, all.length - shown))} more`;
  };
  const failing = (work) => async () => {
    try {
      await work();
    } catch (error) {
      told.textContent = String(error?.message ?? error);
    }
  };
  toggle.addEventListener('click', failing(async () => {
    const open = toggle.getAttribute('aria-expanded') !== 'true';
    if (open) await fetchAll();
    toggle.setAttribute('aria-expanded', String(open));
    toggle.textContent = open ? 'Fold' : 'Expand';
    if (open) return paintTo(Math.min(PIECE, all.length));
    fill(body, paint(beginning));
    shown = beginning.length;
    next.hidden = true;
    return tell(shown);
  }));
  next.addEventListener('click', failing(() => paintTo(Math.min(shown + PIECE, all.length))));
  tell(shown);
  const button = copyButton(async () => {
    await fetchAll();
    return all;
  }, 'Copy all');
  return h('div', {class: 'long'}, body, h('div', {class: 'long-foot'}, toggle, next, note, told, button));
}

/** The beginning of a long text, cut at a line's end where one is near. */
function head(text) {
  let end = Math.min(text.length, FOLDED_CHARS);
  let at = -1;
  for (let lines = 0; lines < FOLDED_LINES; lines++) {
    at = text.indexOf('\n', at + 1);
    if (at < 0 || at >= end) break;
    if (lines === FOLDED_LINES - 1) end = at;
  }
  // the last few lines are not worth a fold
  return text.length - end < 300 && text.slice(end).split('\n').length < 6 ? text : text.slice(0, end);
}
