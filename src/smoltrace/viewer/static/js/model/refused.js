/**
 * What cannot be answered as it was asked: the error that a server's answer 400 becomes.
 * @param {string} message
 * @returns {Error & {status: number, hint: string|null}}
 */
export function refused(message) {
  return Object.assign(new Error(message), {status: 400, hint: null});
}

/** A part of what was asked, short enough to be told. @param {any} value @returns {string} */
export function told(value) {
  const text = String(value);
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}
