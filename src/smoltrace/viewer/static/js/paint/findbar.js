/** The find field: what is looked for, which match of how many, and the way to the next and the one before. */
import {count} from '../model/format.js';
import {h} from './dom.js';
import {icon} from './svg.js';

/**
 * @param {{onQuery: (text: string) => void, onStep: (step: 1|-1) => void, onLeave: () => void}} asked
 */
export function findBar({onQuery, onStep, onLeave}) {
  const input = field({input: () => onQuery(input.value), keydown: onKey});
  const told = h('span', {class: 'find-count', role: 'status'});
  const step = (way, name, label) => h('button', {type: 'button', class: 'icon-button find-step', 'aria-label': label, title: label, hidden: true, on: {click: () => onStep(way)}}, icon(name, 14));
  const steps = [step(-1, 'up', 'Previous match (p)'), step(1, 'down', 'Next match (n)')];
  const hint = h('kbd', {'aria-hidden': 'true'}, '/');
  const el = h('div', {class: 'find', role: 'search', 'aria-label': 'This trace'}, icon('search', 14), input, told, steps, hint);

  function onKey(event) {
    if (event.key === 'Enter') onStep(event.shiftKey ? -1 : 1);
    else if (event.key === 'ArrowDown') onStep(1);
    else if (event.key === 'ArrowUp') onStep(-1);
    else if (event.key === 'Escape') {
      if (input.value) onQuery((input.value = ''));
      else onLeave();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return {
    el,
    focus() {
      input.focus();
      input.select();
    },
    /** @param {string} query  @param {number} found  @param {number} at index of the current match, −1 for none */
    show(query, found, at) {
      if (input.value.trim() !== query.trim()) input.value = query;
      const asked = query.trim() !== '';
      told.textContent = !asked ? '' : found === 0 ? 'none' : at < 0 ? `${count(found)} found` : `${count(at + 1)} of ${count(found)}`;
      told.title = asked ? 'in all names, and in the contents of the spans that were opened' : '';
      for (const button of steps) button.hidden = !asked || found === 0;
      hint.hidden = asked;
    },
  };
}

/** @returns {HTMLInputElement} */
function field(on) {
  const words = 'Find in this trace';
  return /** @type {HTMLInputElement} */ (h('input', {class: 'find-input', type: 'search', 'aria-label': words, placeholder: words, autocomplete: 'off', spellcheck: 'false', on}));
}
