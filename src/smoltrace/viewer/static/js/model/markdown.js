/**
 * The little Markdown that models and prompts use, as blocks of pieces for the painter to make text nodes of:
 * paragraphs, headings, lists, fenced code, `code` and **bold**. Links stay text: nothing in a trace can be followed by accident.
 *
 * @typedef {{type: 'text'|'code'|'strong', text: string}} Inline
 * @typedef {{type: 'paragraph'|'heading'|'item', inlines: Inline[], level?: number, mark?: string}
 *   |{type: 'code', code: string, language: string}} Block
 */
import {languageOf} from './highlight.js';

/** Longer texts are shown as they are. */
export const MOST_MARKDOWN = 100_000;
// no pattern here may try a text in more than one way: a trace can hold lines of a million blanks
const FENCE = /^ {0,3}(`{3,}|~{3,})([^]*)$/;
const ITEM = /^([ \t]{0,12})([-*+]|\d{1,4}[.)])[ \t]([^]*)$/;
const HEADING = /^(#{1,6})[ \t]([^]*)$/;

/** @param {string} text  @returns {Block[]} */
export function markdown(text) {
  const blocks = [];
  let lines = [];
  const flush = () => {
    const body = lines.join('\n').trimEnd();
    if (body !== '') blocks.push({type: 'paragraph', inlines: inlines(body)});
    lines = [];
  };
  const all = text.split('\n');
  for (let k = 0; k < all.length; k++) {
    const line = all[k].endsWith('\r') ? all[k].slice(0, -1) : all[k];
    const fence = FENCE.exec(line);
    if (fence && !fence[2].includes('`')) {
      flush();
      const end = closing(all, k, fence[1]);
      const code = all.slice(k + 1, end).join('\n');
      blocks.push({type: 'code', code, language: languageOf(/^\s*([\w+-]*)/.exec(fence[2])[1], code)});
      k = end;
    } else if (!addLine(blocks, line, flush)) {
      if (line.trim() === '') flush();
      else lines.push(line);
    }
  }
  flush();
  return blocks;
}

function addLine(blocks, line, flush) {
  const heading = HEADING.exec(line);
  const item = heading ? null : ITEM.exec(line);
  if (!heading && !item) return false;
  flush();
  if (heading) blocks.push({type: 'heading', level: heading[1].length, inlines: inlines(heading[2].trim())});
  else blocks.push({type: 'item', level: Math.floor(item[1].length / 2), mark: /\d/.test(item[2]) ? item[2] : '•', inlines: inlines(item[3].trim())});
  return true;
}

/** The line that closes a fence; where none does, the code goes to the end. */
function closing(lines, from, mark) {
  for (let k = from + 1; k < lines.length; k++) {
    const line = lines[k].trim();
    if (line.startsWith(mark) && line.replaceAll(mark[0], '') === '') return k;
  }
  return lines.length;
}

const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*/g;

/** @param {string} text  @returns {Inline[]} */
export function inlines(text) {
  const found = [];
  let cursor = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > cursor) found.push({type: 'text', text: text.slice(cursor, match.index)});
    found.push(match[1] !== undefined ? {type: 'code', text: match[1]} : {type: 'strong', text: match[2]});
    cursor = match.index + match[0].length;
  }
  if (cursor < text.length) found.push({type: 'text', text: text.slice(cursor)});
  return found;
}
