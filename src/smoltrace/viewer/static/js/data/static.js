/** Data from the files of a static site: nobody is asked but the server of files that sent this page. */
import {dataOfFiles} from './files.js';
import {DataError} from './error.js';
import {unpacked} from './packed.js';

/** @param {string} name */
function address(name) {
  return 'data/' + name.split('/').map(encodeURIComponent).join('/');
}

/** @param {string} name @returns {Promise<any>} null where there is no such file */
async function read(name) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(address(name) + '.json.gz');
  } catch {
    throw new DataError('The files of this site cannot be read.', {
      hint: 'A site needs a web server: run `python -m http.server` in its folder. Of a single run, `smoltrace view RUN --single-file run.html` makes a page that needs none.',
    });
  }
  if (response.status === 404) return null;
  if (!response.ok) throw new DataError(`The server answered ${response.status} for ${name}.`, {status: response.status});
  return unpacked(new Uint8Array(await response.arrayBuffer()));
}

/** @returns {Promise<import('./adapter.js').Data>} */
export async function openStatic() {
  return dataOfFiles('static', read, (id, name) => address(`runs/${id}/${name}.parquet`));
}
