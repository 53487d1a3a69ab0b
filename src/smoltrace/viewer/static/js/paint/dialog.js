/** A window over the page, and a sheet beside it. Focus goes in, stays in while the window is modal, and comes back. */
import {h, uid} from './dom.js';
import {icon} from './svg.js';

/**
 * @typedef {object} Panel
 * @property {import('./dom.js').Child} title
 * @property {import('./dom.js').Child} body
 * @property {() => void} [onClose]
 * @property {string} [class]
 * @property {import('./dom.js').Child} [tools] controls in the head, left of Close
 */

/**
 * A modal window. Escape, its button and a click beside it close it.
 * @param {Panel} panel
 * @returns {{el: HTMLDialogElement, close: () => void}}
 */
export function dialog(panel) {
  const {element, close} = build(panel, ['dialog', panel.class]);
  element.addEventListener('click', (event) => {
    if (event.target === element) close();
  });
  document.body.appendChild(element);
  element.showModal();
  return {el: element, close};
}

/**
 * A panel at the side; on a phone it comes from below. The page stays in use beside it, unless `modal`.
 * @param {Panel & {modal?: boolean}} panel
 * @returns {{el: HTMLDialogElement, close: () => void}}
 */
export function sheet({modal = false, ...panel}) {
  const {element, close} = build(panel, ['sheet', panel.class]);
  document.body.appendChild(element);
  if (modal) element.showModal();
  else element.show();
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    event.preventDefault();
    close();
  });
  return {el: element, close};
}

/** @param {Panel} panel @param {(string|undefined)[]} classes */
function build({title, body, onClose, tools}, classes) {
  const before = document.activeElement;
  const heading = uid('title');
  const shut = h('button', {type: 'button', class: 'icon-button', 'aria-label': 'Close', title: 'Close'}, icon('close'));
  const element = /** @type {HTMLDialogElement} */ (
    h(
      'dialog',
      {class: classes, 'aria-labelledby': heading},
      h('div', {class: 'dialog-head'}, h('h2', {id: heading, tabindex: '-1'}, title), h('div', {class: 'dialog-tools'}, tools, shut)),
      h('div', {class: 'dialog-body', tabindex: '0', role: 'group', 'aria-labelledby': heading}, body),
    )
  );
  let open = true;
  const finish = () => {
    if (!open) return;
    open = false;
    element.remove();
    // The browser gives the focus back, but not where the page has been in use meanwhile, and that is right.
    if (document.activeElement === document.body && before instanceof HTMLElement && before.isConnected) before.focus({preventScroll: true});
    onClose?.();
  };
  const close = () => {
    if (element.open) element.close();
    finish();
  };
  shut.addEventListener('click', close);
  element.addEventListener('close', finish);
  return {element, close};
}
