/** Values as text to read: JSON with two spaces, bounded in depth and length so that no value can hang the page. */

const MOST_DEPTH = 80;
const MOST_CHARS = 400_000;
const SHORT = 72;

/** A long text that the server cut: `cut` is its beginning. */
export function isCut(value) {
  return typeof value === 'object' && value !== null && typeof value.cut === 'string' && 'ref' in value;
}

/** @param {any} value  @returns {string} */
export function pretty(value) {
  const out = {parts: [], size: 0};
  write(out, value, 0);
  return out.parts.join('');
}

function put(out, text) {
  out.parts.push(text);
  out.size += text.length;
}

function write(out, value, depth) {
  if (out.size > MOST_CHARS) return put(out, '…');
  if (isCut(value)) return put(out, `${JSON.stringify(value.cut)} … (${value.chars} characters)`);
  if (value === null || typeof value !== 'object') return put(out, JSON.stringify(value) ?? 'null');
  const names = Array.isArray(value) ? null : Object.keys(value);
  const length = names ? names.length : value.length;
  const [open, close] = names ? '{}' : '[]';
  if (length === 0) return put(out, open + close);
  if (depth >= MOST_DEPTH) return put(out, `${open} … deeper than ${MOST_DEPTH} levels … ${close}`);
  const line = depth > 0 ? oneLine(value) : null;
  if (line !== null) return put(out, line);
  put(out, open);
  for (let k = 0; k < length && out.size <= MOST_CHARS; k++) {
    put(out, (k ? ',' : '') + '\n' + '  '.repeat(depth + 1) + (names ? JSON.stringify(names[k]) + ': ' : ''));
    write(out, names ? value[names[k]] : value[k], depth + 1);
  }
  if (out.size > MOST_CHARS) put(out, '\n… longer than is shown here');
  return put(out, '\n' + '  '.repeat(depth) + close);
}

/** Small flat values stay on one line. */
function oneLine(value) {
  const items = Array.isArray(value) ? value.map((item) => ['', item]) : Object.entries(value);
  if (items.length > 8 || items.some(([, item]) => item !== null && typeof item === 'object')) return null;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const text = open + items.map(([name, item]) => (name ? JSON.stringify(name) + ': ' : '') + JSON.stringify(item)).join(', ') + close;
  return text.length <= SHORT ? text : null;
}

/** A text that is itself JSON, parsed; null where it is none. */
export function parsedJson(text) {
  const head = typeof text === 'string' ? text.trimStart()[0] : '';
  if ((head !== '{' && head !== '[') || text.length > MOST_CHARS) return null;
  try {
    return {value: JSON.parse(text)};
  } catch {
    return null; // it only began like JSON
  }
}

/** All names and texts in a value, for Find: bounded, and without descending into what is too deep. */
export function textIn(value, limit = 200_000) {
  const found = [];
  let size = 0;
  const stack = [value];
  while (stack.length > 0 && size < limit) {
    const item = stack.pop();
    if (typeof item === 'string' || typeof item === 'number') {
      found.push(String(item));
      size += found[found.length - 1].length;
    } else if (item && typeof item === 'object') {
      for (const [name, inner] of Object.entries(item)) {
        if (stack.length >= limit) break;
        if (!Array.isArray(item)) stack.push(name);
        stack.push(inner);
      }
    }
  }
  return found.join('\n').slice(0, limit);
}
