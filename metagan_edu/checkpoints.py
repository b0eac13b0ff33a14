"""Files that hold a run: written whole or not at all, checked when read, never a pickle.

A checkpoint is one safetensors file ``step-XXXXXXXXX.safetensors`` in the run's folder. Its metadata holds a SHA-256
digest of the content, so that a file that was cut short or altered is recognized. The newest two are kept.
"""

import hashlib
import os
import pathlib
import struct
import warnings

import numpy as np

KEPT = 2


def digest(arrays):
    """SHA-256 over the names, types, shapes and bytes of a dict of arrays, as a hexadecimal string."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        total.update(f"{name} {array.dtype} {array.shape} ".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def replace(path, content):
    """Write bytes to ``path``, whole or not at all; its folder is made. What a killed run left of it is replaced.

    Raises ``OSError``, such as for a full disk or a folder that cannot be written, and then leaves nothing behind.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write(path, arrays, metadata):
    """Write ``arrays`` (a dict) and ``metadata`` (a dict of strings) to ``path``, as :func:`replace` does."""
    from safetensors.numpy import save

    arrays = {name: np.array(value, order="C") for name, value in arrays.items()}
    replace(path, save(arrays, {**metadata, "sha256": digest(arrays)}))


def read(path):
    """The ``(arrays, metadata)`` of a file of :func:`write`. ``ValueError`` where the content is not as written."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, struct.error, ValueError) as error:
        raise ValueError(f"{path} is not a complete safetensors file ({error}).") from error
    if metadata.get("sha256") != digest(arrays):
        raise ValueError(f"{path} was altered after it was written: its content does not match its digest.")
    return arrays, metadata


def check_writable(folder):
    """Make ``folder``, and see before a long run begins that it can be written; otherwise ``ValueError``."""
    try:
        replace(pathlib.Path(folder) / "writable", b"")
        (pathlib.Path(folder) / "writable").unlink()
    except OSError as error:
        raise ValueError(f"{folder} cannot be written ({error.strerror}); name a folder that can.") from error


def steps(folder):
    """The checkpoints in ``folder``: a list of ``(step, path)``, oldest first."""
    found = {path: path.stem.removeprefix("step-") for path in pathlib.Path(folder).glob("step-*.safetensors")}
    return sorted((int(step), path) for path, step in found.items() if step.isdecimal())


def save(folder, step, arrays, metadata):
    """Write the checkpoint of ``step`` and remove all but the newest :data:`KEPT`."""
    write(pathlib.Path(folder) / f"step-{step:09d}.safetensors", arrays, metadata)
    for _, path in steps(folder)[:-KEPT]:
        path.unlink(missing_ok=True)


def latest(folder):
    """``(arrays, metadata)`` of the newest intact checkpoint, or ``None``; a damaged one is named in a warning."""
    for _, path in reversed(steps(folder)):
        try:
            return read(path)
        except ValueError as error:
            warnings.warn(f"{error} The checkpoint before it is used.", stacklevel=3)
    return None
