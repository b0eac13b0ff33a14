"""The buttons and sliders around a model and its picture, by the core of ipywidgets (7.7 and newer)."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import numpy as np

from . import choices as chosen
from .choices import Choices
from .model import Model, begin
from .view import View, film
from .words import sentence

VIEW = "application/vnd.jupyter.widget-view+json"
INTERVAL = 125  # milliseconds between two steps of play: a picture takes less
LATTICE = np.round(np.linspace(-2.4, 2.4, 7), 1)  # where a click can put a point
BUTTONS = {"D moves": "disc", "G moves": "gen", "both move": "both"}


class Stepper:
    """A model with its controls: what a notebook shows is ``box``, and a picture that moves where no kernel is."""

    def __init__(self, choices: Choices):
        self.asked = _asked()
        self.pace = widgets.BoundedIntText(value=1, min=1, max=100, description="per picture")
        self.play = widgets.Play(value=0, min=0, max=10**9, interval=INTERVAL)
        self.picture, self.said = widgets.Image(format="png"), widgets.HTML()
        buttons = {name: widgets.Button(description=name) for name in (*BUTTONS, "back", "reset")}
        for name, who in BUTTONS.items():
            buttons[name].on_click(lambda _, who=who: self.step(who))
        buttons["back"].on_click(lambda _: self.show(self.model.back()))
        buttons["reset"].on_click(lambda _: self.show(self.model.reset()))
        self.play.observe(self._played, "value")
        self.clicked = widgets.GridBox(layout=widgets.Layout(grid_template_columns="repeat(7, 34px)"))
        for name, widget in self.asked.items():
            widget.observe(self._data if name == "data" else self._choice, "value")
        left = widgets.VBox([*self.asked.values(), self.pace, self.clicked], layout=widgets.Layout(width="310px"))
        right = widgets.VBox([widgets.HBox([self.play, *buttons.values()]), self.picture, self.said])
        self.buttons, self.box, self.quiet = buttons, widgets.HBox([left, right]), False
        self.pace.value = chosen.pace(choices.data)
        self.begin(choices)

    def begin(self, choices: Choices) -> None:
        """Begin a game of these choices, and let the controls say them; ``ValueError`` for choices that do not fit."""
        model = begin(choices)
        self.view = View(model)
        self._say(choices)
        self.show(model)

    def step(self, who: str) -> None:
        """``who`` moves, as often as is asked for a picture."""
        self.show(self.model.step(who, self.pace.value))

    def show(self, model: Model) -> None:
        """Go to this model."""
        self.model = model
        self.view.draw(model)
        self.picture.value, self.said.value = self.view.png(), sentence(model)

    def choices(self) -> Choices:
        """What the controls say; ``ValueError`` where it does not fit together."""
        said = {name: widget.value for name, widget in self.asked.items()}
        numbers = said["data"] in chosen.TWO_NUMBERS
        start = (said.pop("φ_G"), said.pop("φ_D"))
        said["start"] = start if numbers else said["start"]
        said["points"] = chosen.points_of(said["points"]) if said["data"] == "points" else ()
        return chosen.checked(Choices(**said))

    def _say(self, choices):
        """Set the controls, which must not answer; what a game does not have is hidden."""
        numbers = choices.data in chosen.TWO_NUMBERS
        said = choices._asdict() | {"points": chosen.written(choices.points)}
        said |= dict(zip(("φ_G", "φ_D"), said["start"], strict=True)) if numbers else {}
        hidden = {"start"} if numbers else {"φ_G", "φ_D"}
        hidden |= set() if choices.data == "points" else {"points"}
        self.quiet = True
        self.asked["loss"].options = (chosen.OWN_LOSS,) if choices.data == "bilinear" else tuple(chosen.LOSSES)
        for name, widget in self.asked.items():
            widget.layout.display = "none" if name in hidden else None
            if name not in hidden:
                widget.value = said[name]
        self.play.value = 0
        self.clicked.children = self._lattice() if choices.data == "points" else ()
        self.quiet = False

    def _data(self, change):
        if not self.quiet:
            self.pace.value = chosen.pace(change["new"])
            self.begin(chosen.defaults(change["new"]))

    def _choice(self, change):
        """Begin anew by what the controls say, or say why that cannot be."""
        if self.quiet:
            return
        try:
            self.begin(self.choices())
        except ValueError as error:
            self.said.value = f"<b>Not played:</b> {error}"

    def _played(self, change):
        if not self.quiet:
            self.show(self.model.reset()) if change["new"] == 0 else self.step("both")

    def _lattice(self):
        """A button for each place of a coarse lattice, the highest row first; a press puts a point there."""
        buttons = []
        for y in LATTICE[::-1]:
            for x in LATTICE:
                button = widgets.Button(description="·", tooltip=f"a clump at ({x:g}, {y:g})")
                button.layout = widgets.Layout(width="32px", padding="0")
                button.on_click(lambda _, at=(float(x), float(y)): self._put(at))
                buttons.append(button)
        return buttons

    def _put(self, at):
        there = list(chosen.points_of(self.asked["points"].value))
        there.remove(at) if at in there else there.append(at)
        self.asked["points"].value = chosen.written(there)

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The live widget for a page with a kernel; for others, and in the saved notebook, the film."""
        moving = film(self.model)
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        size = {"width": moving.width, "height": moving.height}
        return {VIEW: view, "image/png": moving.data, "text/plain": "the stepper"}, {"image/png": size}


def _asked() -> dict[str, Any]:
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
    words = {"k": "k (D's steps, or ahead)", "r1": "R1", "gen_lr": "G's rate", "disc_lr": "D's rate"}
    for name, widget in made.items():
        widget.description = words.get(name, name)
    return made
