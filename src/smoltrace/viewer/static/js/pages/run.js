/** The page of one screen: it loads no other's code. */
import {showRun} from '../screens/run.js';
import {start} from '../start.js';

void start({run: showRun});
