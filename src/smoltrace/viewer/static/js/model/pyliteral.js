/** Python literals, as smolagents writes tool calls into its prompts: lists, dicts, tuples, strings, numbers, None. */

const MOST_DEPTH = 60;
const TOKEN = /\s*(?:([[\](){},:])|([rbuRBU]{0,2})('''[^]*?'''|"""[^]*?"""|'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*")|(-?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*))/y;
const WORDS = new Map([['None', null], ['True', true], ['False', false], ['nan', null], ['inf', null]]);
const ESCAPES = {n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"', a: '\x07', b: '\b', f: '\f', v: '\v', 0: '\0', '\n': ''};
const CLOSERS = {'[': ']', '(': ')', '{': '}'};

/** @param {string} text  @returns {{value: any}|null} null where the text is no literal */
export function pythonLiteral(text) {
  const reader = {text, at: 0, token: null};
  advance(reader);
  const value = readValue(reader, 0);
  return value === FAILED || reader.token !== null ? null : {value};
}

const FAILED = Symbol('failed');

function advance(reader) {
  TOKEN.lastIndex = reader.at;
  const match = TOKEN.exec(reader.text);
  if (!match) {
    reader.token = reader.text.slice(reader.at).trim() === '' ? null : {type: 'bad'};
    return;
  }
  reader.at = TOKEN.lastIndex;
  const [, mark, prefix, quoted, number, word] = match;
  if (mark) reader.token = {type: mark};
  else if (quoted !== undefined) reader.token = {type: 'value', value: unquoted(quoted, prefix)};
  else if (number !== undefined) reader.token = {type: 'value', value: Number(number.replaceAll('_', ''))};
  else reader.token = WORDS.has(word) ? {type: 'value', value: WORDS.get(word)} : {type: 'bad'};
}

function readValue(reader, depth) {
  const token = reader.token;
  if (!token || depth > MOST_DEPTH) return FAILED;
  advance(reader);
  if (token.type === 'value') return token.value;
  return token.type in CLOSERS ? readItems(reader, CLOSERS[token.type], depth) : FAILED;
}

function readItems(reader, closer, depth) {
  const items = [];
  const pairs = [];
  while (reader.token && reader.token.type !== closer) {
    const item = readValue(reader, depth + 1);
    if (item === FAILED) return FAILED;
    if (closer === '}' && reader.token?.type === ':') {
      advance(reader);
      const value = readValue(reader, depth + 1);
      if (value === FAILED) return FAILED;
      pairs.push([String(item), value]);
    } else items.push(item);
    if (reader.token?.type === ',') advance(reader);
    else if (reader.token?.type !== closer) return FAILED;
  }
  if (!reader.token) return FAILED;
  advance(reader);
  return closer === '}' && items.length === 0 ? Object.fromEntries(pairs) : items;
}

function unquoted(quoted, prefix) {
  const edge = quoted.startsWith("'''") || quoted.startsWith('"""') ? 3 : 1;
  const inner = quoted.slice(edge, -edge);
  if (/r/i.test(prefix)) return inner;
  return inner.replace(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))/g, (whole, byte, short, long, char) => {
    if (char !== undefined) return char in ESCAPES ? ESCAPES[char] : whole;
    const code = parseInt(byte ?? short ?? long, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
