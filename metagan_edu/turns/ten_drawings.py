"""Turns on ten drawings: which judge sees copies, the share of copies as code, when a learned start pays."""

import numpy as np

from .answers import Turn, computes, near, option


def _nearest(x, support):
    return np.linalg.norm(x[:, None] - support[None], axis=-1).min(1)


def _copies(samples, support, held_out):
    """The share of samples that are nearer to a drawing of the support than every held-out drawing is."""
    return np.mean(_nearest(samples, support) < _nearest(held_out, support).min())


def _drawings(rng):
    support = rng.normal(size=(10, 4))
    samples = np.concatenate([support[:7] + 0.05 * rng.normal(size=(7, 4)), rng.normal(size=(12, 4))])
    return samples, support, rng.normal(size=(6, 4))


TURNS = {
    "judge": Turn(
        ask="the letter of the judge that sees that a generator repeats the ten drawings",
        check=option(
            "c",
            a="the score asks only which character it sees, and a repeated drawing is that character.",
            b="features compare with other drawings, and the ten drawings are as near to these as any.",
        ),
        right="each judge is blind somewhere: say all three.",
        solution="c",
        wrong=(("a", "which character"), ("b", "as near"), ("copies", "letters")),
    ),
    "copies": Turn(
        ask="copies(samples, support, held_out): the share nearer to a support drawing than any held-out drawing is",
        check=computes(
            _copies,
            _drawings,
            slips=[
                (
                    lambda x, s, h: np.mean(_nearest(x, s) > _nearest(h, s).min()),
                    "this is the share that are no copies.",
                ),
                (
                    lambda x, s, h: np.mean(_nearest(x, s) < _nearest(h, s).max()),
                    "nearer than *any*: take the nearest held-out one.",
                ),
                (
                    lambda x, s, h: np.mean(_nearest(x, s) < _nearest(h, s).mean()),
                    "nearer than *any*: not than the mean.",
                ),
                (lambda x, s, h: len(x) * _copies(x, s, h), "a share, not a count."),
                (
                    lambda x, s, h: np.mean(_nearest(x, s) < _nearest(x, h)),
                    "hold it against how near held-out drawings come to the support.",
                ),
            ],
            otherwise="the distance of each to its nearest support drawing, below the least of the held-out ones.",
        ),
        right="of new drawings at most about one in as many as are held out would pass.",
        solution=_copies,
        wrong=(
            (lambda x, s, h: 1 - _copies(x, s, h), "no copies"),
            (lambda x, s, h: np.mean(_nearest(x, s) < _nearest(h, s).max()), "nearest held-out"),
            (lambda x, s, h: 19 * _copies(x, s, h), "count"),
            (lambda x, s, h: np.mean(_nearest(x, s) < _nearest(x, h)), "hold it"),
            (lambda x, s, h: _nearest(x, s) < 1, "not"),
        ),
    ),
    "pays": Turn(
        ask="after how many characters a start pays that took 500,000 images and saves 2,000 for each character",
        check=near(
            250,
            within=1e-6,
            slips=[(2000, "this is what one character saves."), (1e9, "divide what it took by what it saves.")],
            otherwise="what it took beforehand, divided by what each character saves.",
        ),
        right="for one task, do not meta-learn.",
        solution=500_000 / 2_000,
        wrong=((2000, "one character"), (1e9, "divide"), (498_000, "divided"), (1 / 250, "upside")),
    ),
}
