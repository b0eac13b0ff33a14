"""The game that is played in the page: its script has the package's paths and eigenvalues, and says what happened."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import two_numbers

SCRIPT = Path(__file__).resolve().parents[1] / "notebooks" / "_static" / "two_numbers.js"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="the page's script is run where node is installed")


def run(function, *given):
    """What a function, written in JavaScript with the script's names, returns for these arguments."""
    script = SCRIPT.read_text(encoding="utf-8")
    program = f"{script}\nconst given = {json.dumps(given)};\nconsole.log(JSON.stringify(({function})(...given)));"
    done = subprocess.run(["node", "-"], input=program, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def of_the_script():
    return run("all => all.map(how => [play(how), largestModulus(how)])", two_numbers.SETTINGS)


def named(how):
    return " ".join(str(value) for name, value in how.items() if value != two_numbers.PLAIN[name] or name == "rule")


@needs_node
@pytest.mark.parametrize("number", range(len(two_numbers.SETTINGS)), ids=map(named, two_numbers.SETTINGS))
def test_the_script_plays_as_the_package_does(of_the_script, number):
    how, (path, modulus) = two_numbers.SETTINGS[number], of_the_script[number]
    np.testing.assert_allclose(path, two_numbers.path(how), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(modulus, two_numbers.largest_modulus(how), rtol=0, atol=1e-6)


@needs_node
@pytest.mark.parametrize(
    ("path", "ended", "said"),
    [
        ([[1, 0]], False, "The players stand at a distance of 1.00 from the equilibrium."),
        ([[1, 0], [0, 1.2], [-1.5, 0], [0, -2.7]], False, "equilibrium grew from 1.00 to 2.70: it spirals outward."),
        ([[1, 0], [0, 0.9], [-0.8, 0], [0, -0.7]], False, "fell from 1.00 to 0.700: it spirals inward."),
        ([[1, 0], [0, 1], [-1, 0], [0, -1]], False, "went from 1.00 to 1.00: it goes in circles."),
        ([[1, 0], [0.5, 0]], False, "After 1 step the distance from the equilibrium fell from 1.00 to 0.500: "
         "it comes closer."),
        ([[1, 0], [1.5, 0]], True, "it moves away. The next step leaves all bounds, and the game is stopped."),
        ([[1, 0], [1, 0.01]], False, "it comes hardly closer, and goes hardly away."),
        ([[1, 0]], True, "from the equilibrium. The next step leaves all bounds, and the game is stopped."),
        ([[1, 0], [1, 0]], False, "After 1 step the players stand where they began."),
    ],
)  # fmt: skip
def test_a_sentence_says_what_happened(path, ended, said):
    assert run("happened", path, ended).endswith(said)


@needs_node
@pytest.mark.parametrize(
    ("matrix", "radius"),
    [
        ([[0, -2], [2, 0]], 2), ([[0, 1], [0, 0]], 0), ([[1, 1], [0, 1]], 1), ([[0.5, 9], [0, -0.25]], 0.5),
        ([[3e-9, 0], [0, 1e-9]], 3e-9), ([[1e150, 0], [0, 1]], 1e150),
    ],
)  # fmt: skip
def test_a_matrix_multiplies_in_the_long_run_by_its_spectral_radius(matrix, radius):
    np.testing.assert_allclose(run("spectralRadius", matrix), radius, rtol=1e-9)


@needs_node
@pytest.mark.parametrize(
    ("modulus", "words"),
    [(1.002, "leads out"), (0.998, "leads in"), (1 + 1e-10, "leads neither in nor out")],
)
def test_theory_says_in_or_out(modulus, words):
    assert run("theory", modulus).endswith(f"{words}.")


@needs_node
def test_a_modulus_is_as_long_as_can_be_read():
    assert [run("theory", modulus).split(" modulus ")[1].split(",")[0] for modulus in (1.5, 999.5, 1.2584e79)] == [
        "1.50000", "999.50000", "1.26e+79",
    ]  # fmt: skip


PAGE = {"loss": "minimax", "rates": [0.2, 0.2], "start": [1.0, 0.0], "numUnroll": 5, "steps": 200}  # as it is opened
LATER = {"loss": "non_saturating", "steps": 2000}


@needs_node
@pytest.mark.parametrize(
    ("changes", "modulus", "distance"),
    [
        ({}, 1.00499, 2.26), ({"loss": "non_saturating"}, 1.00499, 0.65),
        (LATER, 1.00499, 0.64), (LATER | {"start": [0.3, 0.0]}, 1.00499, 0.64),
        ({"game": "bilinear"}, (1 + 0.2**2) ** 0.5, None), ({"game": "bilinear", "rule": "alternating"}, 1, None),
        ({"r1": 0.05}, 1, None), ({"r1": 10.1}, 1.015, None), ({"rule": "unrolled"}, 0.954, None),
        ({"rule": "alternating", "discSteps": 5}, 1, None), ({"momentum": 0.5}, 1.046, None),
        ({"momentum": -0.5}, 1.0007, None), ({"momentum": -0.5, "rule": "alternating"}, 0.9985, None),
    ],
)  # fmt: skip
def test_what_the_page_answers_is_so(changes, modulus, distance):
    path, found = run("how => [play(how), largestModulus(how)]", two_numbers.PLAIN | PAGE | changes)
    np.testing.assert_allclose(found, modulus, rtol=0, atol=6e-4)
    assert distance is None or round(np.hypot(*path[-1]), 2) == distance
