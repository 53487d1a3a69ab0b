/** The columns that the leaderboard can show, as JSON. */
import {COLUMNS} from '../../../../src/smoltrace/viewer/static/js/model/columns.js';

process.stdout.write(JSON.stringify(COLUMNS));
