/** The mark of a kind of span: its shape and its colour, both by the sheet. */
import {h} from './dom.js';

/** @param {string} kind */
export function kindMark(kind) {
  return h('span', {class: `kind kind-${kind}`, 'aria-hidden': 'true'});
}
