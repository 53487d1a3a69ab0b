/** The marks of the kinds of spans in a 12 × 12 box, and the shapes of their bars. Each kind differs in shape, not in colour alone. */

/** @type {Object<string, {path: string, filled: boolean}>} */
export const MARKS = {
  agent: {path: 'M6 1.2L10.8 6L6 10.8L1.2 6Z', filled: true},
  step: {path: 'M2.25 2.25H9.75V9.75H2.25Z', filled: false},
  chat: {path: 'M6 1.6A4.4 4.4 0 1 1 6 10.4A4.4 4.4 0 1 1 6 1.6Z', filled: true},
  tool: {path: 'M6 1.6L11 10.4H1Z', filled: true},
  other: {path: 'M6 2A4 4 0 1 1 6 10A4 4 0 1 1 6 2Z', filled: false},
};

/** px; an outlined bar holds nothing of its own. @type {Object<string, {height: number, outlined: boolean}>} */
export const BARS = {
  agent: {height: 6, outlined: false},
  step: {height: 9, outlined: true},
  chat: {height: 10, outlined: false},
  tool: {height: 10, outlined: false},
  other: {height: 4, outlined: false},
  orphans: {height: 9, outlined: true},
};
