/** The keys of the trace screen. */
import {keys} from '../paint/keys.js';

/**
 * @param {import('./tracecontrol.js').TraceControl} control
 * @param {{tree: HTMLElement, find: () => void, focusPanel: () => void, other: (way: 'previous'|'next') => void}} parts
 */
export function traceKeys(control, parts) {
  /** Arrows belong to the tree only where nothing else takes them: the panel scrolls with them. */
  const inTree = (event) => event.target === parts.tree || event.target === document.body || event.target.id === 'main';
  const letterOr = (letter) => (event) => event.key === letter || inTree(event);
  return keys([
    {keys: 'j ArrowDown', label: 'Next span', when: letterOr('j'), run: () => control.move(1)},
    {keys: 'k ArrowUp', label: 'Previous span', when: letterOr('k'), run: () => control.move(-1)},
    {keys: 'ArrowRight', label: 'Unfold, or to the first span in it', when: inTree, run: () => control.unfold()},
    {keys: 'ArrowLeft', label: 'Fold, or to the span around it', when: inTree, run: () => control.foldOrUp()},
    {keys: 'PageDown', label: 'A page down', when: inTree, run: () => control.movePage(1)},
    {keys: 'PageUp', label: 'A page up', when: inTree, run: () => control.movePage(-1)},
    {keys: 'Home', label: 'First span', when: inTree, run: () => control.moveTo(0)},
    {keys: 'End', label: 'Last span', when: inTree, run: () => control.moveTo(Infinity)},
    {keys: 'Enter', label: 'To the panel', when: inTree, run: () => parts.focusPanel()},
    {keys: '/', label: 'Find in this trace', run: () => parts.find()},
    {keys: 'n', label: 'Next match', run: () => control.findStep(1)},
    {keys: 'p', label: 'Previous match', run: () => control.findStep(-1)},
    {keys: 'e', label: 'Next error', run: () => control.error(1)},
    {keys: 'E', label: 'Previous error', run: () => control.error(-1)},
    {keys: 'c', label: 'Next span of the critical path', run: () => control.criticalStep(1)},
    {keys: 'C', label: 'Critical path on or off', run: () => control.toggleCritical()},
    {keys: 'z', label: 'Fit: the whole trace, or the span', run: () => control.fit()},
    {keys: 's', label: 'Self or total', run: () => control.toggleMode()},
    {keys: 'g', label: 'Idle gaps short or in true time', run: () => control.toggleGaps()},
    {keys: '[', label: 'Previous test', run: () => parts.other('previous')},
    {keys: ']', label: 'Next test', run: () => parts.other('next')},
  ]);
}
