/** Loads every Problem that comes with t2t-ts, so that the registry knows it. A new Problem gets its line here. */

import './fec.js';
import './fec_tiny.js';
import './lfw.js';
import './vggface2.js';
import './vggface2_identities.js';
import './vggface2_tiny.js';
