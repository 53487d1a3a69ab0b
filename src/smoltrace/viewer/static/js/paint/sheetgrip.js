/** On a phone the panel comes from below: its grip makes it taller or smaller, or sends it away. */
import {h, setStyle} from './dom.js';

const LEAST = 0.18;
const MOST = 0.86;
const STEP = 0.08;
const USUAL = 0.36;

/**
 * @param {{sheet: HTMLElement, onClose: () => void}} given
 */
export function sheetGrip({sheet, onClose}) {
  let share = USUAL;
  let hold = null;
  const el = h('div', {class: 'sheet-grip', role: 'separator', tabindex: '0', 'aria-orientation': 'horizontal', 'aria-label': 'Height of the panel', 'aria-valuemin': '18', 'aria-valuemax': '86'});

  function set(next) {
    share = Math.min(Math.max(next, LEAST), MOST);
    setStyle(sheet, {'--sheet': `${(100 * share).toFixed(1)}dvh`});
    el.setAttribute('aria-valuenow', String(Math.round(100 * share)));
  }

  el.addEventListener('pointerdown', (event) => {
    hold = {y: event.clientY, share, low: share};
    el.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  el.addEventListener('pointermove', (event) => {
    if (!hold) return;
    hold.low = hold.share + (hold.y - event.clientY) / innerHeight;
    set(hold.low);
  });
  const release = () => {
    if (hold && hold.low < LEAST - 0.06) {
      set(USUAL);
      onClose();
    }
    hold = null;
  };
  el.addEventListener('pointerup', release);
  el.addEventListener('pointercancel', release);
  el.addEventListener('keydown', (event) => {
    const step = {ArrowUp: STEP, ArrowDown: -STEP}[event.key];
    if (!step) return;
    set(share + step);
    event.preventDefault();
    event.stopPropagation();
  });
  set(USUAL);
  return {el};
}
