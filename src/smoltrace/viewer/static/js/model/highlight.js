/**
 * Python and JSON in coloured pieces. A small reader, not a parser: what it does not know stays plain, and it goes
 * through any text once.
 *
 * @typedef {{type: ''|'keyword'|'string'|'number'|'comment'|'name', text: string}} Token
 */

/** Longer texts are shown plain: colour does not help to read them, and a token is an element. */
export const MOST_HIGHLIGHTED = 40_000;

const PYTHON_KEYWORDS = new Set(
  ('False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda match nonlocal not or pass raise return try while with yield').split(' '),
);
const PYTHON = [
  ['comment', /#[^\n]*/y],
  ['string', /[rRbBuUfF]{0,2}(?:"""(?:[^\\]|\\[^])*?(?:"""|$)|'''(?:[^\\]|\\[^])*?(?:'''|$))/y],
  ['string', /[rRbBuUfF]{0,2}(?:"(?:[^"\\\n]|\\[^])*(?:"|(?=\n)|$)|'(?:[^'\\\n]|\\[^])*(?:'|(?=\n)|$))/y],
  ['number', /(?:0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?j?)/y],
  ['word', /[^\W\d]\w*/uy],
  ['', /\s+/y],
];
const JSON_RULES = [
  ['name', /"(?:[^"\\\n]|\\[^])*"(?=\s*:)/y],
  ['string', /"(?:[^"\\\n]|\\[^])*(?:"|(?=\n)|$)/y],
  ['number', /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['word', /[A-Za-z]+/y],
  ['', /\s+/y],
];
const JSON_WORDS = new Set(['true', 'false', 'null', 'NaN', 'Infinity']);

/** @param {string} code  @param {'python'|'json'|''|string} language  @returns {Token[]} whose texts make up `code` */
export function highlight(code, language) {
  const rules = language === 'python' ? PYTHON : language === 'json' ? JSON_RULES : null;
  if (!rules || code.length > MOST_HIGHLIGHTED) return code === '' ? [] : [{type: '', text: code}];
  const words = language === 'python' ? PYTHON_KEYWORDS : JSON_WORDS;
  const tokens = [];
  for (let at = 0; at < code.length; ) {
    const {type, text} = nextToken(code, at, rules, words);
    const before = tokens[tokens.length - 1];
    if (before && before.type === type && type === '') before.text += text;
    else tokens.push({type, text});
    at += text.length;
  }
  return tokens;
}

function nextToken(code, at, rules, words) {
  for (const [type, rule] of rules) {
    rule.lastIndex = at;
    const match = rule.exec(code);
    if (!match || match[0] === '') continue;
    return {type: type === 'word' ? (words.has(match[0]) ? 'keyword' : '') : type, text: match[0]};
  }
  return {type: '', text: code[at]};
}

const FENCE_NAMES = {py: 'python', python: 'python', python3: 'python', json: 'json', jsonl: 'json', '': ''};

/** The language of a code block: as it was named, else as it looks. */
export function languageOf(name, code) {
  const known = FENCE_NAMES[String(name ?? '').trim().toLowerCase()];
  if (known === undefined) return '';
  return known || guess(code);
}

function guess(code) {
  const head = code.slice(0, 2_000).trimStart();
  if (/^[[{]/.test(head)) return /^(?:\[\s*(?:[\]{["]|-?\d[\d.eE+-]*\s*[,\]])|\{\s*["}])/.test(head) ? 'json' : '';
  return /^(?:\s*(?:import |from \w|def |class |for |while |if |print\(|return |#))|^\s*[\w.]+(?:\[[^\]]*\])? = |^\s*[\w.]+\(/m.test(head) ? 'python' : '';
}
