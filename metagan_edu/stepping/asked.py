"""What asks a reader for the choices: a widget for each."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from . import choices as chosen


def asked() -> dict[str, Any]:
    """A widget for each of the choices, by its name."""
    rate = {"base": 10, "min": -4, "max": 0, "step": 0.1, "readout_format": ".4f", "continuous_update": False}
    number = {"min": -chosen.LIMIT, "max": chosen.LIMIT, "step": 0.1, "continuous_update": False}
    made = {
        "data": widgets.Dropdown(options=(*chosen.TWO_NUMBERS, *chosen.SHAPES)),
        "points": widgets.Text(continuous_update=False),
        "technique": widgets.Dropdown(options=tuple(chosen.TECHNIQUES)),
        "k": widgets.BoundedIntText(value=5, min=1, max=20),
        "loss": widgets.Dropdown(options=tuple(chosen.LOSSES)),
        "r1": widgets.BoundedFloatText(value=0, min=0, max=100, step=0.05),
        "gen_lr": widgets.FloatLogSlider(value=0.1, **rate),
        "disc_lr": widgets.FloatLogSlider(value=0.1, **rate),
        "start": widgets.Dropdown(options=chosen.INITIALIZERS),
        "φ_G": widgets.FloatSlider(value=1.0, **number),
        "φ_D": widgets.FloatSlider(value=1.0, **number),
        "seed": widgets.BoundedIntText(value=0, min=0, max=2**31 - 1),
    }  # fmt: skip
    words = {"r1": "R1", "gen_lr": "G's rate", "disc_lr": "D's rate", "φ_G": "G starts at", "φ_D": "D starts at"}
    return {name: labelled(widget, words.get(name, name)) for name, widget in made.items()}


def labelled(widget: Any, words: str) -> Any:
    """The widget with these words before it, as wide as all others."""
    widget.description, widget.layout.width, widget.style.description_width = words, "250px", "90px"
    return widget
