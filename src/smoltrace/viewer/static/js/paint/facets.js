/** The filter bar of the leaderboard. A phone has no room for it: `filtersheet.js` has the same lists. */

import {filterCount, withoutFilters} from '../model/boardstate.js';
import {RANK_WHY} from '../model/celltext.js';
import {FACETS, MORE_FACETS, dateSummary, facetSummary, facetValues} from '../model/facetwords.js';
import {count} from '../model/format.js';
import {checklist} from './checklist.js';
import {fill, h} from './dom.js';
import {menu} from './menu.js';
import {SearchField} from './searchfield.js';
import {icon} from './svg.js';

/**
 * @typedef {object} Shown
 * @property {object} state of the address
 * @property {object} facets of the data API
 * @property {{first: number, last: number}|null} span of the runs' dates, where all runs are at hand
 * @property {string|null} rankNote
 */

export class FacetBar {
  /** @type {Shown|null} */
  #shown = null;
  #note = h('span', {class: 'rank-note'});

  /** @param {(patch: object) => void} onChange a patch of the address @param {Node[]} tools at the right end */
  constructor(onChange, tools) {
    this.onChange = onChange;
    this.facets = FACETS.map((facet) => facetButton(facet.label, () => this.#list((shown) => facetList(facet, shown, onChange))));
    this.dates = facetButton('Date', () => this.#list((shown) => dateFields(shown.state, onChange)));
    this.more = facetButton('+ Filter', () => this.#list((shown) => h('div', {class: 'checklists'}, moreLists(shown, onChange))));
    this.more.button.classList.add('facet-more');
    this.search = new SearchField(onChange);
    const wipe = {type: 'button', class: 'link facet-clear', hidden: true, on: {click: () => onChange(withoutFilters())}};
    this.clear = h('button', wipe, 'Clear filters');
    this.group = h('input', {type: 'checkbox', on: {change: (event) => onChange({group: event.target.checked ? 'model' : ''})}});
    this.el = h(
      'div',
      {class: 'facets', role: 'group', 'aria-label': 'Filters'},
      [...this.facets, this.dates, this.more].map((one) => one.button),
      this.search.el,
      this.clear,
      this.#note,
      h('label', {class: 'button facet-group'}, this.group, 'Group by model'),
      tools,
    );
  }

  /** Before the first answer there is nothing to choose from. @param {(shown: Shown) => HTMLElement} made */
  #list(made) {
    return this.#shown === null ? h('p', {class: 'check-more'}, 'Reading the runs') : made(this.#shown);
  }

  /** @param {Shown} shown */
  update(shown) {
    this.#shown = shown;
    const {state, facets, span, rankNote} = shown;
    FACETS.forEach((facet, i) => {
      const chosen = state[facet.name];
      this.facets[i].update(facetSummary(facet, facetValues(facets[facet.key], chosen), chosen), chosen.length > 0);
    });
    this.dates.update(dateSummary(state, span), state.since !== '' || state.until !== '');
    const others = MORE_FACETS.flatMap((facet) => state[facet.name].map(facet.text));
    this.more.update(others.length > 1 ? count(others.length) : others.join(''), others.length > 0);
    this.search.update(state.q);
    this.group.checked = state.group === 'model';
    this.clear.hidden = filterCount(state) === 0;
    fill(this.#note, rankNote === null ? null : h('span', {title: RANK_WHY}, rankNote));
  }
}

/**
 * @param {import('../model/facetwords.js').Facet} facet
 * @param {Shown} shown
 * @param {(patch: object) => void} onChange
 * @returns {HTMLElement}
 */
export function facetList(facet, {state, facets}, onChange) {
  const chosen = state[facet.name];
  const values = facetValues(facets[facet.key], chosen).map((one) => ({...one, text: facet.text(one.value)}));
  return checklist({label: facet.label, values, chosen, onChange: (next) => onChange({[facet.name]: next})});
}

/** The lists behind "+ Filter": those of which the store has any value. @param {Shown} shown @param {(patch: object) => void} onChange */
export function moreLists(shown, onChange) {
  const known = (facet) => facetValues(shown.facets[facet.key], shown.state[facet.name]).length > 0;
  return MORE_FACETS.filter(known).map((facet) => facetList(facet, shown, onChange));
}

/** @param {object} state @param {(patch: object) => void} onChange @returns {HTMLElement} */
export function dateFields(state, onChange) {
  const field = (name, label) => {
    const props = {type: 'date', class: 'field', value: state[name], on: {change: (event) => onChange({[name]: event.target.value})}};
    return h('label', {class: 'date-field'}, label, h('input', props));
  };
  return h('fieldset', {class: 'checklist'}, h('legend', null, 'Started, days in UTC'), field('since', 'From'), field('until', 'To'));
}

/** A button that tells what its filter lets through, and opens it. */
function facetButton(label, content) {
  const value = h('span', {class: 'facet-value'});
  const button = h('button', {type: 'button', class: 'button facet'}, h('span', {class: 'facet-name'}, label), value, icon('down', 12));
  menu(button, content, {label});
  return {
    button,
    update(text, set) {
      fill(value, text);
      button.classList.toggle('facet-set', set);
    },
  };
}
