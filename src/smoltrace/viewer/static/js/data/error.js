/** What a screen is told when data cannot be had: what is wrong, and what to do. */
export class DataError extends Error {
  /**
   * @param {string} message
   * @param {{hint?: string|null, status?: number}} [details]
   */
  constructor(message, {hint = null, status = 0} = {}) {
    super(message);
    this.name = 'DataError';
    this.hint = hint;
    this.status = status;
  }
}
