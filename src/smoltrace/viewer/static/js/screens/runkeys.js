/** The keys of a run's page. */

import {keys} from '../paint/keys.js';
import {windowOf} from './runstate.js';

/** @param {{state: object, tests: object, head: object}} parts */
export function runKeys({state, tests, head}) {
  const inTable = (event) => Boolean(event.target?.closest?.('.vt'));
  const step = (by) => (tests.sheet.isOpen() ? tests.step(by) : tests.move(by));
  const window = () => windowOf(state.get());
  keys([
    {keys: 'j ArrowDown', label: 'Next test', when: (event) => !inTable(event), run: () => step(1)},
    {keys: 'k ArrowUp', label: 'Previous test', when: (event) => !inTable(event), run: () => step(-1)},
    {keys: 'Enter o', label: 'Open or close the test'},
    {keys: 't', label: 'Open the trace of the test', when: () => Boolean(tests.traceOfShown()), run: () => (location.href = tests.traceOfShown())},
    {keys: 'f', label: 'Filter the tests by words', run: () => tests.focusSearch()},
    {keys: 'x', label: 'Show failed tests only, or all', run: () => state.set({success: state.get().success === 'failed' ? '' : 'failed'})},
    {keys: 'n', label: 'Show the new tests of a live run', run: () => tests.take()},
    {keys: 'z', label: 'Zoom into the time window, or out', when: () => window() !== null, run: () => state.set({zoom: !state.get().zoom}, {replace: false})},
    {keys: 'c', label: 'Clear every filter', run: () => tests.clearFilters()},
    {keys: 'i', label: 'Everything the run ran with', run: () => head.toggle()},
    {keys: 'ArrowLeft ArrowRight', label: 'Move an end of the time window, when its handle has the focus'},
    {keys: 'Escape', label: 'Close the test, then the window', when: () => tests.sheet.isOpen() || window() !== null, run: () => (tests.sheet.isOpen() ? tests.sheet.close() : state.set({from: null, to: null, zoom: false}))},
  ]);
}
