"""How often a second the stepper takes a step, looks at the players and paints them."""

from __future__ import annotations

from ratios import Ratio, Report, steps_per_second

from metagan_edu import stepping

WANTED = 8  # redraws a second


def stepper(seconds=1.0):
    """A step of both players, what can be seen of them, and its picture as a PNG: two numbers, and a cloud.

    All in one process, as in a kernel; what the page then does with the PNG is not counted.
    """
    speed = steps_per_second({name: (_redrawing(data), 1) for name, data in DATA.items()}, seconds)
    return Report(
        speed, "redraws/s", [Ratio(name, f"{WANTED} a second", speed[name] / WANTED, least=1) for name in DATA]
    )


DATA = {"two numbers": "dirac", "a cloud": "ring"}


def _redrawing(data):
    model = stepping.begin(stepping.chosen(data)).step()
    view = stepping.View(model)

    def redraw():
        nonlocal model
        model = model.step()
        view.draw(model)
        view.png()

    return redraw
