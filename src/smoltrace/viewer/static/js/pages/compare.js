/** The page of one screen: it loads no other's code. */
import {showCompare} from '../screens/compare.js';
import {start} from '../start.js';

void start({compare: showCompare});
