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
export function longText(reader, given) {
  const {text, more = null, paint, unfolded = false} = given;
  const beginning = unfolded ? text.slice(0, PIECE) : head(text);
  if (!more && beginning.length === text.length) return h('div', {class: 'long-body'}, paint(beginning));
  return new LongText(reader, {text, more, paint, beginning}).el;
}

class LongText {
  #note = h('span', {class: 'long-note'});
  #told = h('span', {role: 'status', class: 'long-told'});
  #toggle = h('button', {type: 'button', class: 'link', 'aria-expanded': 'false', on: {click: () => this.#try(() => this.#fold())}}, 'Expand');
  #next = h('button', {type: 'button', class: 'link', hidden: true, on: {click: () => this.#try(async () => this.#paintTo(this.shown + PIECE))}});

  constructor(reader, {text, more, paint, beginning}) {
    Object.assign(this, {reader, all: text, missing: more, paint, beginning, shown: beginning.length});
    this.body = h('div', {class: 'long-body'}, paint(beginning));
    const whole = async () => {
      await this.#fetchAll();
      return this.all;
    };
    const foot = h('div', {class: 'long-foot'}, this.#toggle, this.#next, this.#note, this.#told, copyButton(whole, 'Copy all'));
    this.el = h('div', {class: 'long'}, this.body, foot);
    this.#tell();
  }

  #tell() {
    const total = this.missing ? this.missing.chars : this.all.length;
    this.#note.textContent = `${count(this.shown)} of ${count(total)} characters`;
    const open = this.#toggle.getAttribute('aria-expanded') === 'true';
    this.#next.hidden = !open || this.shown >= this.all.length;
    this.#next.textContent = `Show ${count(Math.min(PIECE, this.all.length - this.shown))} more`;
  }

  async #fetchAll() {
    if (!this.missing) return;
    this.#told.textContent = 'loading …';
    this.all = await this.reader.whole(this.missing.ref);
    this.missing = null;
    this.#told.textContent = '';
  }

  async #fold() {
    const open = this.#toggle.getAttribute('aria-expanded') !== 'true';
    if (open) await this.#fetchAll();
    this.#toggle.setAttribute('aria-expanded', String(open));
    this.#toggle.textContent = open ? 'Fold' : 'Expand';
    this.shown = 0;
    if (open) return this.#paintTo(PIECE);
    fill(this.body, this.paint(this.beginning));
    this.shown = this.beginning.length;
    return this.#tell();
  }

  #paintTo(wanted) {
    const to = Math.min(wanted, this.all.length);
    if (this.shown === 0) fill(this.body, this.paint(this.all.slice(0, to)));
    else this.body.appendChild(plainText(this.all.slice(this.shown, to), this.reader.pattern));
    this.shown = to;
    this.#tell();
  }

  async #try(work) {
    try {
      await work();
    } catch (error) {
      this.#told.textContent = String(error?.message ?? error);
    }
  }
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
