"""TensorFlow's start-up log: what every healthy machine prints is left out, and everything else is shown.

The log is written by C++ to file descriptor 2. In a notebook it fills the first cells with red, on a machine where
nothing is wrong.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"  # 0 shows all, 1 leaves out information, 2 warnings too, 3 errors too

# Of cuInit only its two ways to say that there is no GPU: 303 is a driver's library that is not there.
HARMLESS = re.compile(
    rb"""All\ log\ messages\ before\ absl::InitializeLog
    |oneDNN\ custom\ operations\ are\ on
    |This\ TensorFlow\ binary\ is\ optimized
    |^To\ enable\ the\ following\ instructions:.*rebuild\ TensorFlow
    |Could\ not\ find\ cuda\ drivers
    |failed\ call\ to\ cuInit:.*(UNKNOWN\ ERROR\ \(303\)|CUDA_ERROR_NO_DEVICE|no\ CUDA-capable\ device)
    |Unable\ to\ register\ cu(FFT|DNN|BLAS)\ factory
    |computation\ placer\ already\ registered
    |^\s*$""",
    re.VERBOSE,
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back what is written to file descriptor 2, and write it there at the end without the ``HARMLESS`` lines.

    Where the block raises, all of it is written. Nothing is held back where the descriptor is closed, or where
    ``TF_CPP_MIN_LOG_LEVEL`` is 0: set it so to see all, also of a process that dies within the block.
    """
    kept = None if os.environ.get(LEVEL) == "0" else _duplicate(2)
    if kept is None:
        yield
        return
    with tempfile.TemporaryFile() as held:
        _flush()
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            _flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            for line in held:
                if failed or not HARMLESS.search(line):
                    _write(line)


def import_tensorflow() -> None:
    """Import TensorFlow and have it look for devices, quietly, unless it is there already.

    Devices are listed, which is what writes to the log, but not set up: options such as memory growth can still be set.
    """
    if "tensorflow" not in sys.modules:
        # Later information (XLA is ready, a cluster was compiled) is no error either; warnings and errors are shown.
        os.environ.setdefault(LEVEL, "1")
        with quiet():
            import tensorflow as tf

            tf.config.list_physical_devices()


def _duplicate(descriptor):
    try:
        return os.dup(descriptor)
    except OSError:  # closed
        return None


def _flush():
    with contextlib.suppress(AttributeError, ValueError, OSError):  # no standard error, or a closed one
        sys.stderr.flush()


def _write(line):
    with contextlib.suppress(OSError):
        os.write(2, line)
