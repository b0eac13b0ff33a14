"""Letters of a font drawn as if by hand: random affine and elastic changes, and a pen of varying width.

A letter is kept as its signed distance field d(x), positive in the ink. Warping x and then cutting at d = t gives a
clean edge for any warp and any stroke width, so no picture is resized.
"""

from __future__ import annotations

from typing import Any

import numpy as np

EM = 64  # font size, in pixels, at which the distance field is measured
PAD = 16  # pixels of ground around a letter: more than any warp reaches into
FILL = 0.72  # share of the picture that the longer side of a letter takes, before the random changes
CONTROLS = 4  # control points of the elastic change, per axis


def distance_field(font: Any, letter: str) -> np.ndarray | None:
    """The signed distance (pixels) of every pixel from the letter's outline, (h, w) float32; ``None`` for no ink."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    mask = font.getmask(letter, mode="L")
    ink = np.asarray(mask, np.uint8).reshape(mask.size[1], mask.size[0]) >= 128
    if not ink.any():
        return None
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    ink = np.pad(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], PAD)
    steps = distance_transform_edt(ink) - distance_transform_edt(~ink)
    return gaussian_filter(steps.astype(np.float32), 0.8)  # smooths the stairs of the pixels


def stroke_width(field: np.ndarray) -> float:
    """Stroke width as a share of the letter's longer side; across a stroke, distance is uniform on [0, width / 2]."""
    return 4 * float(field[field > 0].mean()) / (max(field.shape) - 2 * PAD)


def clean(field: np.ndarray, size: int) -> np.ndarray:
    """The letter unchanged but for a stroke of 8 % of the picture, centered: (size, size) float32 in [0, 1]."""
    return _ink(field, _grid(size)[None], np.array([0.08]) * size, size)[0]


def draw(field: np.ndarray, count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` drawings of one letter, (count, size, size) float32 coverage in [0, 1].

    Each has its own rotation (within 12 degrees), stretch of either axis (within 15 %), slant (within 0.2), shift
    (within 6 % of the picture), elastic bend (standard deviation 4 % of half the picture), and full stroke width
    (8 to 13 % of the picture, where the letter leaves room for it).
    """
    angle, slant = rng.uniform(-0.21, 0.21, count), rng.uniform(-0.2, 0.2, count)
    stretch = np.exp(rng.uniform(-0.15, 0.15, (2, count)))
    shift = rng.uniform(-0.12, 0.12, (count, 2, 1, 1))
    bend = rng.normal(0, 0.04, (count, 2, CONTROLS, CONTROLS))
    stroke = rng.uniform(0.08, 0.13, count) * size
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([cos, -sin, sin, cos], axis=1).reshape(count, 2, 2)
    shape = np.stack([stretch[0], np.zeros(count), slant, stretch[1]], axis=1).reshape(count, 2, 2)
    basis = _basis(size)
    points = _grid(size) - shift + basis @ bend @ basis.T
    points = (turn @ shape @ points.reshape(count, 2, -1)).reshape(points.shape)
    return _ink(field, points, stroke, size)


def _ink(field, points, stroke, size):
    """Coverage at ``points`` (n, 2, size, size) in [-1, 1] of the picture, with strokes brought to ``stroke`` pixels.

    A stroke is thinned by at most 40 % and widened by at most 50 %, so that it neither breaks nor fills a letter.
    """
    from scipy.ndimage import map_coordinates

    extent = max(field.shape) - 2 * PAD
    center = (np.array(field.shape) - 1).reshape(2, 1, 1) / 2
    places = np.swapaxes(points * (extent / (2 * FILL)) + center, 0, 1)
    distance = map_coordinates(field, places, order=1, mode="nearest", output=np.float32)
    width = stroke_width(field) * FILL * size
    grow = np.clip(stroke - width, -0.4 * width, 0.5 * width) / 2
    return np.clip(distance * (FILL * size / extent) + grow[:, None, None] + 0.5, 0, 1)


def _grid(size):
    line = (2 * np.arange(size) + 1) / size - 1
    return np.stack(np.meshgrid(line, line, indexing="ij"))


def _basis(size):
    """Smooth interpolation weights from the control points to the pixels of one axis, (size, CONTROLS)."""
    line, knots = np.linspace(0, CONTROLS - 1, size), np.arange(CONTROLS)
    return np.exp(-((line[:, None] - knots) ** 2))
