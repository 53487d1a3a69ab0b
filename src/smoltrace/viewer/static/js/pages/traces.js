/** The page of one screen: it loads no other's code. */
import {showTraces} from '../screens/traces.js';
import {start} from '../start.js';

void start({traces: showTraces});
