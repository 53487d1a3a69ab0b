/** All screens in one: for the page that is a single file. Other pages load one screen each, from `pages/`. */
import {showCompare} from './screens/compare.js';
import {showLeaderboard} from './screens/leaderboard.js';
import {showRun} from './screens/run.js';
import {showRuns} from './screens/runs.js';
import {showTrace} from './screens/trace.js';
import {showTraces} from './screens/traces.js';
import {start} from './start.js';

void start({leaderboard: showLeaderboard, compare: showCompare, runs: showRuns, run: showRun, traces: showTraces, trace: showTrace});
