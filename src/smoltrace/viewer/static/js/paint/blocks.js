/** Blocks of messages as elements. */
import {imageSource} from '../model/messages.js';
import {h} from './dom.js';
import {codeText, copyButton, longText, plainText, proseText} from './code.js';
import {kindMark} from './kind.js';
import {statusChip} from './chip.js';

/**
 * @typedef {import('./code.js').Reader} Reader
 * @param {Reader} reader
 * @param {import('../model/messages.js').Block} block
 * @returns {HTMLElement}
 */
export function blockView(reader, block) {
  if (block.type === 'code') return codeBlock(reader, block);
  if (block.type === 'call') return callView(reader, block);
  if (block.type === 'result') return resultText(reader, block);
  if (block.type === 'image') return imageView(reader, block);
  const paint = block.type === 'prose' ? proseText : plainText;
  return longText(reader, {text: block.text, more: block.more, paint: (text) => paint(text, reader.pattern)});
}

/** Code in a frame with a button that copies it. */
export function codeBlock(reader, {code, language, more = null}) {
  const text = longText(reader, {text: code, more, paint: (part) => codeText(part, language, reader.pattern)});
  const button = more ? null : copyButton(() => code, 'Copy the code');
  return h('div', {class: 'code-box'}, text, button);
}

/** What came back, in a frame: as it is, since spaces and lines matter in it. */
export function resultText(reader, block) {
  if (block.text === '' && !block.more) return h('p', {class: 'nothing'}, 'nothing came back');
  const text = longText(reader, {text: block.text, more: block.more, paint: (part) => plainText(part, reader.pattern)});
  return h('div', {class: ['code-box', block.failed && 'code-failed']}, text);
}

/** A call; where its result is known, the result stands beside it in the same frame. */
export function callView(reader, block, result = null) {
  const head = h('div', {class: 'call-head'}, kindMark('tool'), h('bdi', {class: 'call-name'}, block.name), h('span', {class: 'note'}, 'call'));
  const body = block.code === '' ? h('p', {class: 'nothing'}, 'without arguments') : codeBlock(reader, block);
  return h('div', {class: 'call'}, head, body, result);
}

/**
 * @param {Reader} reader
 * @param {{block: any, took: string, failed: boolean|null, title?: string, open?: (() => void)|null}} given `open` leads to the span
 */
export function resultView(reader, {block, took, failed, title = 'Result', open = null}) {
  const name = open ? h('button', {type: 'button', class: 'link call-name', on: {click: open}}, title) : h('span', {class: 'call-name'}, title);
  const chip = failed === null ? null : statusChip(failed ? 'error' : 'ok');
  return h('div', {class: 'result'}, h('div', {class: 'call-head'}, kindMark('tool'), name, took ? h('span', {class: 'note'}, took) : null, chip), resultText(reader, block));
}

function imageView(reader, block) {
  if (block.source) return pictureOf(block.source);
  if (!block.more) return h('p', {class: 'nothing'}, block.why);
  const box = h('div', {class: 'picture-box'});
  const button = h('button', {type: 'button', class: 'link'}, `Show the image (${block.mime})`);
  button.addEventListener('click', async () => {
    try {
      const {source, why} = imageSource(block.mime, await reader.whole(block.more.ref));
      box.replaceChildren(source ? pictureOf(source) : h('p', {class: 'nothing'}, why));
    } catch (error) {
      box.replaceChildren(h('p', {class: 'nothing'}, String(error?.message ?? error)));
    }
  });
  box.append(button);
  return box;
}

function pictureOf(source) {
  const picture = h('img', {class: 'picture', alt: 'image of the message', src: source});
  picture.addEventListener('error', () => picture.replaceWith(h('p', {class: 'nothing'}, 'the image cannot be read')));
  return picture;
}
