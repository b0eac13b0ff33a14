"""Runs that cannot be mixed up or lost: what is resumed, who may write, how a run ends."""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import checkpoints, files, seeds, training, trees
from metagan_edu.rules import Info

ADAM = mg.optimizers.adam(1e-3)
NETS = mg.networks.mlp(4, (8,), 2), mg.networks.mlp(2, (8,), 1)
GAME, RULE, BATCHES = mg.games.gan(*NETS), mg.rules.alternating(ADAM, ADAM), mg.data.ring().batches(16)


def train(num_steps=10, game=GAME, rule=RULE, batches=BATCHES, seed=0, **options):
    return mg.train(game, rule, batches, num_steps=num_steps, seed=seed, **{"progress": False, **options})


def with_rate(lr):
    return mg.rules.alternating(mg.optimizers.adam(lr), mg.optimizers.adam(1e-3))


OTHERS = {
    "loss": {"game": mg.games.gan(*NETS, loss=mg.losses.wasserstein())},
    "penalty": {"game": mg.games.gan(*NETS, penalty=mg.losses.r1(1.0))},
    "rule": {"rule": mg.rules.simultaneous(ADAM, ADAM)},
    "rate": {"rule": with_rate(2e-3)},
    "beta": {"rule": mg.rules.alternating(mg.optimizers.sgd(1e-3), ADAM)},
    "data": {"batches": mg.data.grid().batches(16)},
    "batch size": {"batches": mg.data.ring().batches(17)},
    "factor": {"hyper": mg.games.Hyper(lr=mg.games.Players(0.5, 1.0))},
    "players": {"players": GAME.init(5)},
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_experiment_is_not_resumed_unless_the_change_is_said(tmp_path, what):
    first = train(checkpoint=tmp_path)
    with pytest.raises(ValueError, match="another"):
        train(20, checkpoint=tmp_path, resume=True, **OTHERS[what])
    assert [step for step, _ in checkpoints.steps(tmp_path)] == [10]
    same = what not in ("rule", "beta")  # these have slots of other shapes, or none
    if same:
        went_on = train(20, checkpoint=tmp_path, resume="changed", **OTHERS[what])
        np.testing.assert_array_equal(went_on.history.scalars["gen_loss"][:10], first.history.scalars["gen_loss"])


@pytest.mark.parametrize("resume", ["yes", 1, None])
def test_resume_is_one_of_three(tmp_path, resume):
    with pytest.raises(ValueError, match="resume must be one of False, True, 'changed'"):
        train(checkpoint=tmp_path, resume=resume)


def test_a_folder_that_another_run_is_using_is_refused_and_free_again_afterwards(tmp_path):
    def meanwhile(step, players):
        with pytest.raises(ValueError, match=r"another run is using .* right now"):
            train(5, checkpoint=tmp_path, seed=1)

    train(10, checkpoint=tmp_path, hooks=mg.every(5, meanwhile))
    train(20, checkpoint=tmp_path, resume=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-000000010.safetensors",
        "step-000000020.safetensors",
    ]


def test_checkpoints_of_two_runs_in_one_folder_are_refused(tmp_path):
    train(10, checkpoint=tmp_path / "a")
    train(20, checkpoint=tmp_path / "b")
    ((_, path),) = checkpoints.steps(tmp_path / "b")
    (tmp_path / "a" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match="checkpoints of two runs"):
        train(30, checkpoint=tmp_path / "a", resume=True)


def test_a_folder_with_damaged_checkpoints_alone_is_no_new_beginning(tmp_path):
    train(10, checkpoint=tmp_path)
    ((_, path),) = checkpoints.steps(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ValueError, match=f"{path.name}.* There is no intact checkpoint beside it"):
        train(20, checkpoint=tmp_path, resume=True)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_file_of_the_users_is_left_alone_whatever_its_name(tmp_path):
    names = ["writable", "run.lock", "notes.part"]
    for name in names:
        (tmp_path / name).write_text("mine")
    train(5, checkpoint=tmp_path)
    assert all((tmp_path / name).read_text() == "mine" for name in names)


# --- How a run ends -----------------------------------------------------------------------------------------------


def test_a_hook_ends_the_run_with_what_it_has(tmp_path):
    seen = []

    def enough(step, players):
        seen.append(step)
        return mg.stop if step == 12 else {"step": step}

    result = train(40, hooks=mg.every(4, enough), checkpoint=tmp_path)
    assert seen == [4, 8, 12] and len(result.history.scalars["gen_loss"]) == 12
    assert result.history.metrics["step"][1].tolist() == [4, 8]
    whole, resumed = train(40), train(40, checkpoint=tmp_path, resume=True)
    for a, b in zip(trees.leaves(whole.state), trees.leaves(resumed.state), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_a_hook_measured_as_it_stopped_the_run_can_be_recorded():
    result = train(40, hooks=mg.every(4, lambda step, players: mg.stop({"step": step}) if step > 5 else {"step": step}))
    assert result.history.metrics["step"][1].tolist() == [4, 8]


def test_a_step_that_returns_the_state_alone_is_refused():
    alone = RULE._replace(step=lambda *at: RULE.step(*at)[0])
    with pytest.raises(ValueError, match=r"a step returns \(state, Info\(scalars, cost\)\), not State"):
        train(rule=alone)


def test_an_interrupted_run_hands_over_what_it_had():
    def press(step, players):
        raise KeyboardInterrupt

    with pytest.raises(mg.Interrupted, match="after step 7 of 40") as caught:
        train(40, hooks=mg.every(7, press))
    assert isinstance(caught.value, KeyboardInterrupt)
    assert len(caught.value.result.history.scalars["disc_loss"]) == 7


def test_sigterm_is_an_interrupt_and_the_handler_is_put_back(tmp_path):
    with pytest.raises(mg.Interrupted):
        train(4000, checkpoint=tmp_path, hooks=mg.every(30, lambda step, players: os.kill(os.getpid(), signal.SIGTERM)))
    assert [step for step, _ in checkpoints.steps(tmp_path)][-1] % 30 == 0
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_handler_of_the_programs_own_stays():
    calls = []
    before = signal.signal(signal.SIGTERM, lambda *_: calls.append(1))
    try:
        train(10, hooks=mg.every(5, lambda step, players: os.kill(os.getpid(), signal.SIGTERM)))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert calls == [1, 1]


def test_runs_in_threads_are_runs_like_others():
    found = []
    thread = threading.Thread(target=lambda: found.append(train()))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(found[0].history.scalars["gen_loss"], train().history.scalars["gen_loss"])


# --- Hooks --------------------------------------------------------------------------------------------------------


def test_one_hook_a_function_or_several():
    seen = []
    train(250, hooks=lambda step, players: seen.append(step))
    assert seen == [100, 200]
    train(30, hooks=[lambda step, players: seen.append(step), mg.every(20, lambda step, players: seen.append(step))])
    assert seen[2:] == [20, 30]


@pytest.mark.parametrize("value", ["fine", None, [None], object(), b"x", {"a": 1}, [[1], [1, 2]]])
def test_what_is_no_number_is_refused_by_name_at_the_first_measurement(tmp_path, value):
    with pytest.raises(ValueError, match=r"the metric 'note'.*step 4"):
        train(20, hooks=mg.every(4, lambda step, players: {"note": value}), checkpoint=tmp_path)
    assert [step for step, _ in checkpoints.steps(tmp_path)] == [4]


@pytest.mark.parametrize("returned", [1.0, "text", [("a", 1)], np.zeros(2)])
def test_a_hook_returns_a_dict_nothing_or_stop(returned):
    with pytest.raises(ValueError, match=r"a hook returns a dict of numbers, None, or mg.stop"):
        train(20, hooks=mg.every(4, lambda step, players: returned))


@pytest.mark.parametrize("hooks", [3, "often", [print, 3], {"every": 3}])
def test_what_is_no_hook_is_refused(hooks):
    with pytest.raises(ValueError, match=r"a hook is mg.every\(num_steps, f\) or a function"):
        train(hooks=hooks)


def test_scalars_that_a_rule_wants_watched_reach_the_history(tmp_path):
    def watched(state, players, info):
        return info._replace(scalars=info.scalars | {"t": tf.cast(state.slots.gen[0][1], tf.float32)})

    def step(game, state, batches, seed, hyper):
        new, info = RULE.step(game, state, batches, seed, hyper)
        return new, watched(state, None, info)

    rule = RULE._replace(step=step)
    result = train(12, rule=rule, checkpoint=tmp_path)
    assert list(result.history.scalars) == ["gen_loss", "disc_loss", "t"]
    np.testing.assert_array_equal(result.history.scalars["t"], np.arange(12))
    again = train(20, rule=rule, checkpoint=tmp_path, resume=True)
    np.testing.assert_array_equal(again.history.scalars["t"], np.arange(20))


def test_a_step_that_reports_too_much_is_refused():
    many = {f"number {i}": tf.zeros(()) for i in range(40)}
    rule = RULE._replace(step=lambda game, state, batches, seed, hyper: (state, Info(many, mg.rules.base.NO_COST)))
    with pytest.raises(ValueError, match="28 scalars at most, not 40"):
        train(rule=rule)


def test_the_examples_of_a_step_are_counted():
    assert (train().history.cost.examples == 32).all()  # a batch of 16 for each move
    once = train(rule=mg.rules.simultaneous(ADAM, ADAM)).history.cost
    assert (once.examples == 16).all() and (once.gradients == 2).all()


# --- The front door -----------------------------------------------------------------------------------------------

IMAGES, RNG = mg.data.digits("train"), np.random.default_rng(0)
WRONG = {
    "an array as batches": ({"batches": np.zeros((9, 2), np.float32)}, r"write mg.data.batches\(array, batch_size\)"),
    "a tensor as batches": ({"batches": tf.zeros((9, 2))}, r"write mg.data.batches\(array, batch_size\)"),
    "a data set as batches": ({"batches": IMAGES}, r"write .batches\(batch_size\) after it"),
    "a tf.data.Dataset": ({"batches": tf.data.Dataset.from_tensor_slices([1.0])}, "cannot be drawn from by a seed"),
    "rule and game swapped": ({"game": RULE, "rule": GAME}, "a game first, then a rule"),
    "no rule": ({"rule": ADAM}, r"such as mg.rules.alternating\(...\), not Optimizer"),
    "no steps": ({"num_steps": 0}, "num_steps must be a whole number of at least 1, not 0"),
    "a float as seed": ({"seed": 0.5}, "seed must be a whole number in"),
    "a seed of floats": ({"seed": tf.constant([0.0, 1.0])}, r"a seed is an int32\[2\] tensor, not float32\[2\]"),
    "players of no game": ({"players": (1, 2)}, r"players must be Players\(gen, disc\)"),
    "a sampler by NumPy": ({"batches": lambda s: RNG.normal(size=(4, 2))}, "drew two different things from one"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_refused_in_one_sentence(what):
    given, sentence = WRONG[what]
    with pytest.raises(ValueError, match=sentence):
        train(**given)


def test_an_iterator_in_a_sampler_is_found():
    source = iter(tf.data.Dataset.from_tensor_slices(tf.random.stateless_normal([100, 2], [0, 1])).batch(4).repeat())
    with pytest.raises(ValueError, match="moves an iterator"):
        train(batches=lambda seed: next(source))


# --- Equal bits ---------------------------------------------------------------------------------------------------


def test_draws_are_the_same_with_and_without_xla():
    def draws(seed):
        first, second = seeds.split(seed, 2)
        named = seeds.fold_in(second, "name")
        return seeds.normal([3, 4], first), seeds.uniform([5], second), seeds.integers([6], named, 9), BATCHES(named)

    eager = draws(seeds.make(7))
    for jit in (False, True):
        compiled = tf.function(draws, jit_compile=jit, autograph=False)(seeds.make(7))
        for a, b in zip(eager, compiled, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(eager[2], compiled[2])


def test_a_run_is_the_same_run_with_and_without_xla(tmp_path):
    plain, compiled = train(20, jit=False), train(20, jit=True)
    np.testing.assert_allclose(plain.history.scalars["disc_loss"], compiled.history.scalars["disc_loss"], rtol=1e-4)
    train(10, jit=False, checkpoint=tmp_path)
    resumed = train(20, jit=True, checkpoint=tmp_path, resume=True)
    np.testing.assert_allclose(resumed.history.scalars["disc_loss"], plain.history.scalars["disc_loss"], rtol=1e-4)


def test_layers_that_draw_by_themselves_are_named_where_xla_would_make_it_another_run():
    layers = [keras.Input((2,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    game = mg.games.gan(NETS[0], keras.Sequential(layers))
    train(2, game=game)
    with pytest.warns(UserWarning, match="such as Dropout, draw other numbers where XLA compiles"):
        train(2, game=game, jit=True)


def test_what_is_written_twice_is_compiled_once():
    def written_out():
        adam = mg.optimizers.adam(2e-3)
        game = mg.games.gan(mg.networks.mlp(3, (7,), 2), mg.networks.mlp(2, (7,), 1), penalty=mg.losses.r1(0.1))
        return mg.train(
            game, mg.rules.averaged(mg.rules.alternating(adam, adam)), mg.data.ring().batches(8), num_steps=3, seed=0,
            progress=False,
        )  # fmt: skip

    written_out()
    before = training._compiled.cache_info().misses
    written_out()
    assert training._compiled.cache_info().misses == before


def test_rates_are_arguments_of_the_loop():
    rule = mg.rules.alternating(mg.optimizers.adam(1.0), mg.optimizers.adam(1.0))
    process = training.playing(GAME, rule, BATCHES)
    for lr in (1e-3, 2e-3, 4e-3):
        hyper = mg.games.Hyper(lr=mg.games.Players(lr, lr))
        found = train(5, rule=rule, hyper=hyper)
        adam = mg.optimizers.adam(lr)
        wanted = train(5, rule=mg.rules.alternating(adam, adam))
        for a, b in zip(trees.leaves(found.players), trees.leaves(wanted.players), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert training.compiled(process, False).experimental_get_tracing_count() == 1


# --- Files --------------------------------------------------------------------------------------------------------

WRITER = """
import sys
import numpy as np
from metagan_edu import files
path, name = sys.argv[1:]
for i in range(250):
    files.write_arrays(path, {"x": np.full(5000, i)}, {"who": name, "i": str(i)})
"""


def test_two_writers_never_tear_a_file(tmp_path):
    path = tmp_path / "one.safetensors"
    files.write_arrays(path, {"x": np.zeros(5000)}, {"who": "0", "i": "0"})
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, str(n)]) for n in range(2)]
    reads = 0
    while any(writer.poll() is None for writer in writers):
        arrays, words = files.read_arrays(path)
        assert (arrays["x"] == int(words["i"])).all()
        reads += 1
        time.sleep(0.002)
    assert [writer.returncode for writer in writers] == [0, 0] and reads > 10
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_words_are_part_of_the_digest(tmp_path):
    path = tmp_path / "x.safetensors"
    files.write_arrays(path, {"x": np.zeros(3)}, {"step": "10"})
    path.write_bytes(path.read_bytes().replace(b'"step":"10"', b'"step":"99"'))
    with pytest.raises(ValueError, match="altered after it was written"):
        files.read_arrays(path)


def test_a_file_that_is_not_there_is_not_a_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        files.read_arrays(tmp_path / "nothing.safetensors")


def test_what_a_killed_writer_left_is_cleared_away(tmp_path):
    (tmp_path / ".step-000000003.safetensors.abc.part").write_bytes(b"half")
    train(5, checkpoint=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000005.safetensors"]


def test_the_lock_of_a_killed_run_is_nobodys(tmp_path):
    (tmp_path / checkpoints.LOCK).write_text("")
    train(5, checkpoint=tmp_path)
    assert not pathlib.Path(tmp_path / checkpoints.LOCK).exists()
