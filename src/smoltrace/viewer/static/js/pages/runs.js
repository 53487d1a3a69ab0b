/** The page of one screen: it loads no other's code. */
import {showRuns} from '../screens/runs.js';
import {start} from '../start.js';

void start({runs: showRuns});
