/** A field that asks when the typing rests, and never overwrites what is being typed. */

import {h} from './dom.js';

/** Ms after the last key press until it asks. */
const REST = 180;

export class SearchField {
  #waiting = null;

  /** @param {(patch: {q: string}) => void} onChange @param {string} [value] */
  constructor(onChange, value = '') {
    const label = 'Find runs by model, tag or note';
    const props = {type: 'search', class: 'field facet-search', placeholder: 'Find runs', 'aria-label': label, autocomplete: 'off', value};
    this.el = h('input', props);
    this.el.addEventListener('input', () => {
      clearTimeout(this.#waiting);
      this.#waiting = setTimeout(() => {
        this.#waiting = null;
        onChange({q: this.el.value.trim()});
      }, REST);
    });
  }

  /** @param {string} q of the address */
  update(q) {
    if (this.#waiting === null && document.activeElement !== this.el) this.el.value = q;
  }
}
