/**
 * Documents of an exported site: JSON, compressed, with each long text written once in a table beside the value.
 */

/** Deeper than this no text was named when the document was written. */
const DEEPEST = 150;

/**
 * @param {Uint8Array} bytes gzip or plain JSON: some servers of files decompress what they send and say so, some do not
 * @returns {Promise<any>} the value, its long texts in their places
 */
export async function unpacked(bytes) {
  const compressed = bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = compressed ? await decompressed(bytes) : new TextDecoder().decode(bytes);
  const {value, texts} = JSON.parse(text);
  return texts.length === 0 && !text.includes('"$') ? value : filled(value, texts, 0);
}

/** @param {string} base64 @returns {Uint8Array} */
export function fromBase64(base64) {
  const raw = atob(base64);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

async function decompressed(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).text();
}

function filled(value, texts, depth) {
  if (value === null || typeof value !== 'object' || depth > DEEPEST) return value;
  if (Array.isArray(value)) return value.map((item) => filled(item, texts, depth + 1));
  if (typeof value.$ === 'number') return texts[value.$];
  const made = {};
  for (const [name, item] of Object.entries(value)) {
    const own = name.startsWith('$') ? name.slice(1) : name;
    // Set as a property of its own whatever it is called: a plain assignment to __proto__ would set none.
    Object.defineProperty(made, own, {value: filled(item, texts, depth + 1), enumerable: true, writable: true, configurable: true});
  }
  return made;
}
