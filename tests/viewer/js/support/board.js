/** Answers of the leaderboard that a site of files reckons: rows and questions in, as JSON; answers out. */
import {readFileSync} from 'node:fs';
import {leaderboardChart, leaderboardPage} from '../../../../src/smoltrace/viewer/static/js/model/board.js';

const {rows, questions} = JSON.parse(readFileSync(0, 'utf8'));
const board = {version: 'files', rows};
const answers = questions.map(({axis, ...query}) => ({
  page: leaderboardPage(board, query),
  chart: leaderboardChart(board, query, axis),
}));
process.stdout.write(JSON.stringify(answers));
