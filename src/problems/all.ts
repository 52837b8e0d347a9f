/** Loads every Problem that comes with t2t-ts, so that the registry knows it. A new Problem gets its line here. */

import './deap.js';
import './eeg_folder.js';
import './eeg_motor_imagery.js';
import './eeg_motor_imagery_triplets.js';
import './eeg_relative_positioning.js';
import './eeg_seizure.js';
import './eeg_seizure_triplets.js';
import './eeg_sleep_stages.js';
import './eeg_sleep_stages_triplets.js';
import './eeg_tiny.js';
import './fec.js';
import './fec_tiny.js';
import './lfw.js';
import './vggface2.js';
import './vggface2_identities.js';
import './vggface2_tiny.js';
