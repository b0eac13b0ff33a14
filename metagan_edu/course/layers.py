"""The package's layers, from the bottom: a module imports its own layer and lower ones. A test holds that with ``ast``,
and ``python -m metagan_edu layers`` prints the table for CONTRIBUTING.md."""

from __future__ import annotations

from typing import NamedTuple


class Layer(NamedTuple):
    """``modules``: names directly under the package; ``what``: what belongs there, in a line."""

    modules: tuple[str, ...]
    what: str


LAYERS = (
    Layer(
        ("trees", "roots", "seeds", "checks", "files", "values", "descriptions", "jobs", "replicas", "workers",
         "autodiff", "statistics", "tables", "progress", "quiet"),
        "arithmetic on nested parameters, explicit randomness, checks of arguments, whole files, gradients of every "
        "order, intervals; what a run shows; what it is in words, and runs in other processes",
    ),
    Layer(
        ("networks", "normalization", "losses", "optimizers", "metrics", "data"),
        "what a game is made of and judged by",
    ),
    Layer(("games",), "two players with two losses: GANs, two scalars, saddles"),
    Layer(("rules",), "how both players move in one step; controllers and safeguards, which are rules around rules"),
    Layer(("dynamics",), "the vector field of a game; eigenvalues of a game or of a rule's update map"),
    Layer(("checkpoints", "hooks", "runs", "training"), "the one loop, over any process, and its files"),
    Layer(("meta",), "what is learned over many games, and how its gradient is had"),
    Layer(
        ("experiments", "sweeps", "plotting", "stepping", "lab", "turns", "clinic", "contest", "devices"),
        "sweeps, budgets, comparisons and records; pictures; what a notebook does with its reader; the machine",
    ),
    Layer(("course", "__main__"), "running, checking and publishing the notebooks"),
    Layer(("studies",), "the recorded experiments: script, record and what was learned, side by side; the audit"),
)  # fmt: skip


def table() -> str:
    """The layers as a Markdown table."""
    rows = [
        f"| {i} | {', '.join(f'`{name}`' for name in layer.modules)} | {layer.what} |" for i, layer in enumerate(LAYERS)
    ]
    return "\n".join(["| layer | modules | what belongs there |", "|---|---|---|", *rows])
