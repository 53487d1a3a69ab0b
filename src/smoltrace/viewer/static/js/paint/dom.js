/** The only way elements are made: from names, attributes and text. No HTML is ever parsed, so no content can become markup. */

/** @typedef {Node|string|number|null|undefined|false|Child[]} Child */

/** Attributes that are live state and must be set as properties. */
const PROPERTIES = new Set(['value', 'checked', 'indeterminate', 'selected', 'disabled', 'hidden', 'open', 'muted']);

/**
 * An HTML element.
 * @param {string} tag
 * @param {Object<string, any>|null} [props] `class`, any attribute, `on: {event: fn}`, `style: {property: value}`
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  if (props) setProps(element, props);
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Object<string, any>} props
 */
export function setProps(element, props) {
  for (const name of Object.keys(props)) setProp(element, name, props[name]);
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {any} value
 */
function setProp(element, name, value) {
  if (name === 'on') {
    for (const event of Object.keys(value)) element.addEventListener(event, value[event]);
  } else if (name === 'style') {
    setStyle(element, value);
  } else if (name === 'class') {
    const names = Array.isArray(value) ? value.filter(Boolean).join(' ') : value;
    if (names) element.setAttribute('class', names);
  } else if (PROPERTIES.has(name) && name in element) {
    /** @type {any} */ (element)[name] = value ?? (name === 'value' ? '' : false);
  } else if (value === null || value === undefined) {
    element.removeAttribute(name);
  } else if (typeof value === 'boolean' && !name.startsWith('aria-')) {
    element.toggleAttribute(name, value);
  } else {
    element.setAttribute(name, String(value));
  }
}

/**
 * Styles by CSSOM, which the Content-Security-Policy allows; custom properties too.
 * @param {any} element
 * @param {Object<string, string|number|null>} style
 */
export function setStyle(element, style) {
  for (const name of Object.keys(style)) {
    const value = style[name];
    const property = name.startsWith('--') ? name : name.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase());
    if (value === null || value === undefined) element.style.removeProperty(property);
    else element.style.setProperty(property, String(value));
  }
}

/**
 * @param {Element|DocumentFragment} parent
 * @param {Child} child
 */
export function append(parent, child) {
  if (child === null || child === undefined || child === false || /** @type {any} */ (child) === true) return;
  if (Array.isArray(child)) for (const one of child) append(parent, one);
  else if (child instanceof Node) parent.appendChild(child);
  else parent.appendChild(document.createTextNode(String(child)));
}

/**
 * Replaces the content.
 * @template {Element} E
 * @param {E} element
 * @param {...Child} children
 * @returns {E}
 */
export function fill(element, ...children) {
  const fragment = document.createDocumentFragment();
  append(fragment, children);
  element.replaceChildren(fragment);
  return element;
}

/**
 * However often the result is called, `fn` runs once in the next animation frame, with the last arguments.
 * @template {any[]} A
 * @param {(...args: A) => void} fn
 * @returns {(...args: A) => void}
 */
export function onFrame(fn) {
  let waiting = false;
  /** @type {A} */
  let last;
  return (...args) => {
    last = args;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      fn(...last);
    });
  };
}

let serial = 0;

/**
 * An id that no other element of the page has.
 * @param {string} [stem]
 */
export function uid(stem = 'u') {
  serial += 1;
  return `${stem}-${serial}`;
}

/** @param {string} text read by screen readers only */
export function hiddenText(text) {
  return h('span', {class: 'sr'}, text);
}

/** Whether the page is as narrow as a phone. */
export function isPhone() {
  return matchMedia('(max-width: 640px)').matches;
}

/** @param {EventTarget|null} target whether typing there is text */
export function isField(target) {
  const element = /** @type {HTMLElement} */ (target);
  if (!element?.matches) return false;
  if (element.isContentEditable || element.matches('textarea, select')) return true;
  return element.matches('input') && !element.matches('[type=checkbox], [type=radio], [type=button], [type=range]');
}

/**
 * Paints an element's content anew and gives the focus back to the control that stands where the focused one stood.
 * @param {Element} element
 * @param {() => void} paint
 */
export function keepingFocus(element, paint) {
  const controls = () => /** @type {HTMLElement[]} */ ([...element.querySelectorAll('a[href], button, input, select, [tabindex]')]);
  const at = element.contains(document.activeElement) ? controls().indexOf(/** @type {any} */ (document.activeElement)) : -1;
  paint();
  if (at >= 0 && !element.contains(document.activeElement)) controls()[at]?.focus({preventScroll: true});
}
