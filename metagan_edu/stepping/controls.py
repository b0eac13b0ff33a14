"""The buttons and sliders around a model and its picture, by the core of ipywidgets (7.7 and newer)."""

from __future__ import annotations

import functools
import html
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython import display

from .. import plotting
from . import choices as chosen
from .asked import asked, labelled
from .choices import Choices
from .model import Model, begin
from .view import DPI, View, film
from .words import sentence

VIEW = "application/vnd.jupyter.widget-view+json"
REST = 1  # play's value before it plays: "stop" sets it to 0, which is said only where it was another
INTERVAL = 125  # milliseconds between two steps of play: a picture takes less
PLAYING = "playing" if hasattr(widgets.Play, "playing") else "_playing"  # the name in ipywidgets 7
WIDTH = f"{round(plotting.WIDTH * DPI)}px"  # of the picture
LATTICE = np.round(np.linspace(-2.4, 2.4, 7), 1)  # where a click can put a point
CAPTION = (
    "**Figure, by hand.** It begins with {}, {}. With a kernel, in Jupyter or Colab, the buttons play; on a page "
    "without one this is a film of steps of both players."
)
BUTTONS = {"D moves": "disc", "G moves": "gen", "both move": "both"}


class Stepper:
    """A model with its controls: what a notebook shows is ``box``, and a picture that moves where no kernel is."""

    def __init__(self, choices: Choices):
        self.asked = asked()
        self.pace = labelled(widgets.BoundedIntText(value=1, min=1, max=100), "steps at once")
        self.play = widgets.Play(value=REST, min=0, max=10**9, interval=INTERVAL, show_repeat=False)
        self.picture, self.said = widgets.Image(format="png"), widgets.HTML()
        narrow = widgets.Layout(width="auto")
        buttons = {name: widgets.Button(description=name, layout=narrow) for name in (*BUTTONS, "back", "reset")}
        for name, who in BUTTONS.items():
            buttons[name].on_click(lambda _, who=who: self.step(who))
        buttons["back"].on_click(lambda _: self.show(self.model.back()))
        buttons["reset"].on_click(lambda _: self.show(self.model.reset()))
        self.play.observe(self._played, "value")
        self.clicked = widgets.GridBox(layout=widgets.Layout(grid_template_columns="repeat(7, 34px)", width="250px"))
        for name, widget in self.asked.items():
            widget.observe(self._data if name == "data" else self._choice, "value")
        row = {"flex_flow": "row wrap"}  # what has no room on a narrow page stands below
        played = widgets.HBox([self.play, *buttons.values()], layout=widgets.Layout(**row))
        fixed = widgets.Layout(width=WIDTH, max_width="100%", flex="0 0 auto")  # however long the sentence is
        seen = widgets.VBox([played, self.picture, self.said], layout=fixed)
        beside = widgets.Layout(**row, flex="1 1 260px", align_content="flex-start")
        choosing = widgets.HBox([*self.asked.values(), self.pace, self.clicked], layout=beside)
        self.buttons, self.quiet = buttons, False
        self.box = widgets.HBox([seen, choosing], layout=widgets.Layout(**row))
        self.pace.value = chosen.pace(choices.data)
        self.begin(choices)

    def begin(self, choices: Choices) -> None:
        """Begin a game of these choices, and let the controls say them; ``ValueError`` for choices that do not fit."""
        self.said.value = "A new game begins: its first picture takes a moment."
        model = begin(choices)
        self.view = View(model)
        self._say(choices)
        for name, wanted, said in zip(Choices._fields, choices, self.choices(), strict=True):
            if wanted != said:
                raise ValueError(f"the control of {name} cannot be set to {wanted!r}: it stops at {said!r}.")
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
        said = choices._asdict() | {"points": chosen.written(choices.points)}
        if choices.data in chosen.TWO_NUMBERS:
            said |= dict(zip(("φ_G", "φ_D"), said.pop("start"), strict=True))
        self.quiet = True
        for name, options in chosen.fitting(choices.data).items():
            self.asked[name].options = options
        self.asked["k"].description = chosen.TECHNIQUES[choices.technique].k
        for name, widget in self.asked.items():
            widget.layout.display = None if name in said.keys() - chosen.unused(choices) else "none"
            if name in said:
                widget.value = said[name]
        self.play.value = REST
        lattice = self.lattice if choices.data == "points" else {}
        self.clicked.children = tuple(lattice.values())
        for at, button in lattice.items():
            button.description = "×" if at in choices.points else "·"
        self.quiet = False

    def _data(self, change):
        if not self.quiet:
            self.pace.value = chosen.pace(change["new"])
            self.begin(chosen.defaults(change["new"]))

    def _choice(self, change):
        if not self.quiet:
            self._or_say_why_not(lambda: self.begin(self.choices()))

    def _or_say_why_not(self, action):
        try:
            action()
        except ValueError as error:
            self.said.value = f"<b>Not played:</b> {html.escape(str(error), quote=False)}"

    def _played(self, change):
        if self.quiet:
            return
        playing = getattr(self.play, PLAYING)  # what the page had sent before the pause is not played after it
        if change["new"] == 0:  # stop
            self.show(self.model.reset())
            self.play.value = REST
        elif playing and change["new"] != REST:
            self.step("both")

    @functools.cached_property
    def lattice(self) -> dict[tuple[float, float], Any]:
        """A button for each place of a coarse lattice, the highest row first; a press puts a point there."""
        buttons = {}
        for y in LATTICE[::-1]:
            for x in LATTICE:
                button = widgets.Button(tooltip=f"a clump at ({x:g}, {y:g})")
                button.layout = widgets.Layout(width="32px", padding="0")
                at = float(x), float(y)
                button.on_click(lambda _, at=at: self._or_say_why_not(lambda: self._put(at)))
                buttons[at] = button
        return buttons

    def _put(self, at):
        there = list(chosen.points_of(self.asked["points"].value))
        there.remove(at) if at in there else there.append(at)
        self.asked["points"].value = chosen.written(there)

    def bundle(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live widget for a page with a kernel, the film for others and for the saved notebook; their metadata."""
        moving = film(self.model)
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        size = {"width": moving.width, "height": moving.height}
        return {VIEW: view, "image/png": moving.data, "text/plain": "the stepper"}, {"image/png": size}

    def _ipython_display_(self):
        data, metadata = self.bundle()
        display.display(data, metadata=metadata, raw=True)
        own = self.model.setting.choices
        display.display(display.Markdown(CAPTION.format(own.data, own.technique)))
