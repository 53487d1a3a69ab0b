/** Text as it is, inside a document of Markdown. */

/** A block of code; its fence is longer than any in the text, so that nothing in it ends the block. */
export function fenced(text, language = '') {
  const longest = (text.match(/`+/g) ?? []).reduce((most, ticks) => Math.max(most, ticks.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
