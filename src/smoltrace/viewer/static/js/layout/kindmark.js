/** The shapes of the bars of the kinds of spans: each differs in height or outline, not in colour alone. */

/** px; an outlined bar holds nothing of its own. @type {Object<string, {height: number, outlined: boolean}>} */
export const BARS = {
  agent: {height: 6, outlined: false},
  step: {height: 9, outlined: true},
  chat: {height: 10, outlined: false},
  tool: {height: 10, outlined: false},
  other: {height: 4, outlined: false},
  orphans: {height: 9, outlined: true},
};
