"""What all tests share: a collector of garbage that does not look at the graphs of TensorFlow at every turn."""

import gc

gc.freeze()
gc.set_threshold(200_000, 50, 100)
