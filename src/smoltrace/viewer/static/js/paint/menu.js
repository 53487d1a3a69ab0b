/** Menus under a button, copying with an answer, and files made in the browser. */
import {h, isField, setStyle, uid} from './dom.js';
import {icon} from './svg.js';

/**
 * @typedef {object} Item
 * @property {import('./dom.js').Child} label
 * @property {boolean} [checked] makes it a switch: the menu stays open
 * @property {() => void} [run]
 * @property {string} [href] makes it a link
 * @property {string} [note] at the right, in grey
 * @property {boolean} [disabled]
 * @property {boolean} [close] whether choosing a switch closes the menu
 */

/** @type {(() => void)|null} */
let closeOpen = null;

const TALLEST = 420;

/**
 * Opens a menu under a button when it is pressed.
 * @param {HTMLElement} button
 * @param {() => Item[]|Node} content asked each time; a Node is shown as it is
 * @param {{label?: string}} [options]
 * @returns {{open: () => void, close: () => void}}
 */
export function menu(button, content, {label} = {}) {
  /** @type {HTMLElement|null} */
  let popup = null;
  button.setAttribute('aria-expanded', 'false');
  button.setAttribute('aria-haspopup', 'true');

  function open() {
    closeOpen?.();
    const made = content();
    const plain = made instanceof Node;
    popup = h('div', {class: ['menu', plain && 'menu-free'], id: uid('menu'), role: plain ? 'dialog' : 'menu', tabindex: '-1', 'aria-label': label ?? button.textContent?.trim() ?? 'Menu'});
    paint(made);
    // Not beside the button: what contains its layout would contain the menu's place too.
    (button.closest('dialog, header, main') ?? document.body).appendChild(popup);
    place(popup, button);
    button.setAttribute('aria-haspopup', plain ? 'dialog' : 'menu');
    button.setAttribute('aria-expanded', 'true');
    button.setAttribute('aria-controls', popup.id);
    popup.addEventListener('keydown', onKey);
    document.addEventListener('pointerdown', onOutside, true);
    addEventListener('resize', follow);
    addEventListener('scroll', onScroll, true);
    closeOpen = close;
    (targets()[0] ?? popup).focus({preventScroll: true});
  }

  /** @param {Item[]|Node} made */
  function paint(made) {
    if (!popup) return;
    const at = targets().indexOf(/** @type {any} */ (document.activeElement));
    popup.replaceChildren(...(made instanceof Node ? [made] : made.map(row)));
    if (at >= 0) targets()[at]?.focus({preventScroll: true});
  }

  /** @param {Item} item */
  function row(item) {
    const isSwitch = typeof item.checked === 'boolean';
    const tag = item.href ? 'a' : 'button';
    const props = {
      class: 'menu-item',
      role: isSwitch ? 'menuitemcheckbox' : 'menuitem',
      'aria-checked': isSwitch ? String(item.checked) : null,
      tabindex: '0',
      disabled: tag === 'button' && Boolean(item.disabled),
      type: tag === 'button' ? 'button' : null,
      href: item.href ?? null,
      on: {
        click: () => {
          const stays = isSwitch && !item.close;
          if (!stays) close(true);
          item.run?.();
          if (stays) paint(content());
        },
      },
    };
    const box = isSwitch ? h('span', {class: 'menu-check', 'aria-hidden': 'true'}, item.checked ? icon('tick', 12) : null) : null;
    return h(tag, props, box, h('span', {class: 'menu-label'}, item.label), item.note ? h('span', {class: 'menu-note'}, item.note) : null);
  }

  /** @returns {HTMLElement[]} */
  function targets() {
    return [...(popup?.querySelectorAll('button:not(:disabled), a[href], input, select') ?? [])];
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const all = targets();
    const at = all.indexOf(/** @type {any} */ (document.activeElement));
    const field = document.activeElement instanceof HTMLInputElement && document.activeElement.type !== 'checkbox';
    if (event.key === 'Escape') close(true);
    else if (event.key === 'Tab') {
      if (popup?.getAttribute('role') === 'menu') return close(true);
      const next = at + (event.shiftKey ? -1 : 1);
      if (next >= 0 && next < all.length) return;
      all[next < 0 ? all.length - 1 : 0]?.focus();
    } else if (event.key === 'ArrowDown') all[(at + 1) % all.length]?.focus();
    else if (event.key === 'ArrowUp') all[(at - 1 + all.length) % all.length]?.focus();
    else if (event.key === 'Home' && !field) all[0]?.focus();
    else if (event.key === 'End' && !field) all[all.length - 1]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Event} event */
  function onOutside(event) {
    const target = /** @type {Node} */ (event.target);
    if (!popup?.contains(target) && !button.contains(target)) close();
  }

  /** @param {Event} event */
  function onScroll(event) {
    if (!popup?.contains(/** @type {Node} */ (event.target))) follow();
  }

  /** Stays under its button when the page scrolls or a phone's keyboard comes; goes when the button is out of sight. */
  function follow() {
    if (!popup) return;
    const {top, bottom} = button.getBoundingClientRect();
    // While something is typed in it, it stays: the keyboard may be what pushed the button away.
    const typing = popup.contains(document.activeElement) && isField(document.activeElement);
    if (button.isConnected && (typing || (bottom > 0 && top < innerHeight))) place(popup, button);
    else close();
  }

  /** @param {any} [back] true: focus goes back to the button */
  function close(back) {
    if (!popup) return;
    const had = popup.contains(document.activeElement);
    document.removeEventListener('pointerdown', onOutside, true);
    removeEventListener('resize', follow);
    removeEventListener('scroll', onScroll, true);
    popup.remove();
    popup = null;
    closeOpen = null;
    button.setAttribute('aria-expanded', 'false');
    button.removeAttribute('aria-controls');
    if (back === true || had) button.focus({preventScroll: true});
  }

  button.addEventListener('click', () => (popup ? close(true) : open()));
  button.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown' || popup) return;
    event.preventDefault();
    open();
  });
  return {open, close};
}

/** Under the button where there is room, else above; never out of sight. @param {HTMLElement} popup @param {HTMLElement} button */
function place(popup, button) {
  const box = button.getBoundingClientRect();
  const width = popup.offsetWidth;
  const height = Math.min(popup.scrollHeight + 2, TALLEST); // with its borders; not as it was cut before
  const page = document.documentElement;
  const left = Math.max(8, Math.min(box.left, page.clientWidth - width - 8));
  const below = box.bottom + 4;
  const top = below + height > page.clientHeight - 8 && box.top - height - 4 > 8 ? box.top - height - 4 : below;
  const room = Math.max(page.clientHeight - top - 8, 120);
  setStyle(popup, {left: `${left}px`, top: `${top}px`, maxHeight: `${Math.min(room, TALLEST)}px`});
}

/**
 * Copies, and says so in the button.
 * @param {string} text
 * @param {HTMLElement} [button]
 * @returns {Promise<boolean>}
 */
export async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = copyByField(text);  // no clipboard from a file or without https
  }
  if (button) answer(button, done ? 'Copied' : 'Copying was refused');
  return done;
}

/** @param {string} text */
function copyByField(text) {
  const field = /** @type {HTMLTextAreaElement} */ (h('textarea', {class: 'sr', 'aria-hidden': 'true', tabindex: '-1'}));
  const before = document.activeElement;
  (before?.closest('dialog') ?? document.body).appendChild(field);
  field.value = text;
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  if (before instanceof HTMLElement) before.focus({preventScroll: true});
  return done;
}

/** @param {HTMLElement} button @param {string} words */
function answer(button, words) {
  button.querySelector(':scope > .answer')?.remove();
  const note = h('span', {class: 'answer', role: 'status'}, words);
  button.classList.add('answering');
  button.appendChild(note);
  setTimeout(() => {
    note.remove();
    if (!button.querySelector(':scope > .answer')) button.classList.remove('answering');
  }, 1600);
}

/**
 * Gives a file to the reader.
 * @param {string} name
 * @param {string} mime
 * @param {string|Blob} content
 */
export function download(name, mime, content) {
  const blob = content instanceof Blob ? content : new Blob([content], {type: mime});
  const address = URL.createObjectURL(blob);
  const link = h('a', {href: address, download: name, class: 'sr'});
  document.body.appendChild(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
