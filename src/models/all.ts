/** Importing this file registers every model and every set of hyper-parameters that ships with the program. */

import './triplet_mobilenet.js';
import './triplet_resnet.js';
import './eegnet.js';
import './shallow_convnet.js';
import './linear_probe.js';
import './hparams_sets.js';
