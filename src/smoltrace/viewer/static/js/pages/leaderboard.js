/** The page of one screen: it loads no other's code. */
import {showLeaderboard} from '../screens/leaderboard.js';
import {start} from '../start.js';

void start({leaderboard: showLeaderboard});
