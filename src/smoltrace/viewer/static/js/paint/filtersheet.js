/** All filters of the leaderboard in one sheet, and what else a phone has no room for. */

import {withoutFilters} from '../model/boardstate.js';
import {FACETS} from '../model/facetwords.js';
import {sheet} from './dialog.js';
import {h} from './dom.js';
import {dateFields, facetList, moreLists} from './facets.js';
import {SearchField} from './searchfield.js';

/**
 * @param {import('./facets.js').Shown} shown
 * @param {(patch: object) => void} onChange
 * @param {Node[]} extra below the filters
 */
export function openFilters(shown, onChange, extra) {
  const wipe = () => {
    panel.close();
    onChange(withoutFilters());
  };
  const regroup = (event) => onChange({group: event.target.checked ? 'model' : ''});
  const group = {type: 'checkbox', checked: shown.state.group === 'model', on: {change: regroup}};
  const body = h(
    'div',
    {class: 'filter-sheet'},
    new SearchField(onChange, shown.state.q).el,
    FACETS.map((facet) => facetList(facet, shown, onChange)),
    moreLists(shown, onChange),
    dateFields(shown.state, onChange),
    h('fieldset', {class: 'checklist'}, h('legend', null, 'Rows'), h('label', {class: 'check'}, h('input', group), 'Group by model')),
    h('button', {type: 'button', class: 'button', on: {click: wipe}}, 'Clear filters'),
    extra,
  );
  const panel = sheet({title: 'Filter', body, modal: true});
}
