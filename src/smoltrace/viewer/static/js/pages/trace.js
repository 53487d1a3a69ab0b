/** The page of one screen: it loads no other's code. */
import {showTrace} from '../screens/trace.js';
import {start} from '../start.js';

void start({trace: showTrace});
