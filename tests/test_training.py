"""The loop: its steps, one trace, stop and resume, faults."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import checkpoints, seeds, training, trees

ADAM = mg.optimizers.adam(1e-3)
RULE = mg.rules.averaged(mg.rules.simultaneous(ADAM, ADAM))
GAME = mg.games.gan(mg.networks.mlp(4, (8,), 2), mg.networks.mlp(2, (8,), 1))
BATCHES = mg.data.ring().batches(16)


def train(num_steps=25, seed=0, **options):
    return mg.train(GAME, RULE, BATCHES, num_steps=num_steps, seed=seed, **{"progress": False, **options})


def assert_same(first, second):
    """The same run, bit for bit: state, losses and metrics."""
    for a, b in zip(trees.leaves(first.state), trees.leaves(second.state), strict=True):
        np.testing.assert_array_equal(a, b)
    assert first.history.scalars.keys() == second.history.scalars.keys()
    for a, b in zip(*(trees.leaves((h.scalars, h.cost)) for h in (first.history, second.history)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert first.history.metrics.keys() == second.history.metrics.keys()
    for name, (steps, values) in first.history.metrics.items():
        np.testing.assert_array_equal(steps, second.history.metrics[name][0])
        np.testing.assert_array_equal(values, second.history.metrics[name][1])


def test_the_loop_takes_the_steps_of_the_rule():
    """The same steps, one call each, from the same seeds."""
    seed = seeds.make(4)
    state = RULE.init(GAME, GAME.init(seeds.fold_in(seed, "init")))
    step = tf.function(lambda state, s: RULE.step(GAME, state, BATCHES, s, mg.games.Hyper()))
    losses = []
    for t in range(5):
        state, info = step(state, seeds.fold_in(seeds.fold_in(seed, "train"), t))
        losses.append(float(info.scalars["disc_loss"]))
    result = train(5, seed=4)
    np.testing.assert_allclose(result.history.scalars["disc_loss"], losses, rtol=1e-5)
    for a, b in zip(trees.leaves(result.state), trees.leaves(state), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_run_is_a_function_of_its_seed():
    assert_same(train(), train())
    assert (train().history.scalars["gen_loss"] != train(seed=1).history.scalars["gen_loss"]).any()


def test_each_function_is_traced_once():
    loop = training.compiled(training.playing(GAME, RULE, BATCHES), False)
    for num_steps in (1, 99, 250):
        train(num_steps, seed=num_steps, hooks=[mg.every(7, lambda step, players: None)])
    assert training.compiled(training.playing(GAME, RULE, BATCHES), False) is loop
    assert loop.experimental_get_tracing_count() == 1


def test_hooks_are_called_after_every_so_many_steps_and_recorded():
    seen = []
    hooks = [
        mg.every(10, lambda step, players: seen.append(step)),
        mg.every(4, lambda step, players: {"half": step / 2}),
    ]
    result = train(25, hooks=hooks)
    assert seen == [10, 20]
    steps, values = result.history.metrics["half"]
    np.testing.assert_array_equal(steps, [4, 8, 12, 16, 20, 24])
    np.testing.assert_array_equal(values, steps / 2)
    assert_same(result._replace(history=result.history._replace(metrics={})), train(25))


def test_history_counts_the_cost():
    rule = mg.rules.alternating(ADAM, ADAM, disc_steps=3)
    history = mg.train(GAME, rule, BATCHES, num_steps=6, seed=0, progress=False).history
    assert (
        history.cost.gen_grads.sum(),
        history.cost.disc_grads.sum(),
        history.cost.products.sum(),
        len(history.scalars["gen_loss"]),
    ) == (
        6,
        18,
        0,
        6,
    )


def test_many_games_in_one_notebook_raise_no_warning_of_retracing(caplog):
    rule = mg.rules.simultaneous(ADAM, ADAM)
    for width in range(2, 8):
        game = mg.games.gan(mg.networks.mlp(2, (width,), 2), mg.networks.mlp(2, (width,), 1))
        mg.train(game, rule, BATCHES, num_steps=1, seed=0, progress=False)
        mg.dynamics.eigenvalues(mg.games.dirac(), at=(0.0, 0.1 * width))
    assert "retracing" not in caplog.text


def test_training_can_start_from_given_players():
    players = train(10).players
    result = train(1, players=players)
    moved = trees.norm(trees.sub(result.state.inner.players.gen.params, players.gen.params))
    assert 0 < float(moved) < 0.2


# --- Stop and resume ----------------------------------------------------------------------------------------------


def test_a_resumed_run_is_the_run_that_was_never_stopped(tmp_path):
    hooks = [mg.every(9, lambda step, players: {"bias": players.gen.params[1]})]
    train(13, checkpoint=tmp_path, hooks=hooks)
    assert_same(train(40, checkpoint=tmp_path, resume=True, hooks=hooks), train(40, hooks=hooks))
    assert_same(train(40, checkpoint=tmp_path, resume=True), train(40, hooks=hooks))


def test_an_interrupted_run_is_saved_where_it_stood(tmp_path):
    def interrupt(step, players):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(40, checkpoint=tmp_path, hooks=[mg.every(11, interrupt)])
    assert [step for step, _ in checkpoints.steps(tmp_path)] == [11]
    assert_same(train(40, checkpoint=tmp_path, resume=True), train(40))


def test_a_run_killed_six_times_by_three_signals_gives_the_same_bits(tmp_path):
    script = pathlib.Path(__file__).with_name("kill_and_resume.py")
    done = subprocess.run([sys.executable, script, tmp_path, "6"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split("killed ")[1]) >= 1  # of six: how many hit a running child depends on the machine
    (killed, _), (whole, _) = (checkpoints.latest(tmp_path / name) for name in ("killed", "whole"))
    assert killed.keys() == whole.keys() and len(whole["rows"]) == 400
    for name in whole:
        np.testing.assert_array_equal(killed[name], whole[name])


def test_a_hook_that_was_interrupted_is_called_again_when_resumed(tmp_path):
    """The second of three hooks is interrupted at step 22; none is missing afterwards, and none is there twice."""
    calls = []

    def fragile(step, players):
        calls.append(step)
        if calls == [11, 22]:
            raise KeyboardInterrupt
        return {"second": step}

    def hooks(second):
        return [mg.every(11, lambda step, players: {"first": players.gen.params[1]}), mg.every(11, second),
                mg.every(22, lambda step, players: {"third": 3 * step})]  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        train(40, checkpoint=tmp_path, hooks=hooks(fragile))
    resumed = train(40, checkpoint=tmp_path, resume=True, hooks=hooks(fragile))
    assert calls == [11, 22, 22, 33]
    assert_same(resumed, train(40, hooks=hooks(lambda step, players: {"second": step})))


@pytest.mark.parametrize("damage", ["cut", "header", "altered", "empty"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_used(tmp_path, damage):
    train(20, checkpoint=tmp_path, checkpoint_every=10)
    _, path = checkpoints.steps(tmp_path)[-1]
    content = bytearray(path.read_bytes())
    if damage == "altered":
        content[-3] ^= 1
    path.write_bytes({"cut": content[:-5], "header": content[:5], "altered": content, "empty": b""}[damage])
    with pytest.warns(UserWarning, match=path.name):
        result = train(30, checkpoint=tmp_path, resume=True)
    assert_same(result, train(30))


def test_checkpoints_of_another_run_are_refused(tmp_path):
    train(5, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="already holds a run"):
        train(5, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="other shapes or another seed"):
        train(5, seed=1, checkpoint=tmp_path, resume=True)
    with pytest.raises(ValueError, match="more than num_steps = 3"):
        train(3, checkpoint=tmp_path, resume=True)


def test_only_the_newest_two_checkpoints_are_kept_and_nothing_else(tmp_path):
    train(20, checkpoint=tmp_path, checkpoint_every=5)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "step-000000015.safetensors", "step-000000020.safetensors",
    ]  # fmt: skip


FULL_DISK = """
import resource, signal, sys
import numpy as np
from metagan_edu import checkpoints
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
checkpoints.save(sys.argv[1], 1, {"x": np.zeros(10)}, {})
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    checkpoints.save(sys.argv[1], 2, {"x": np.zeros(100_000)}, {})
except OSError as error:
    print(type(error).__name__)
"""


def test_a_full_disk_leaves_the_last_checkpoint_and_no_remains(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL_DISK, tmp_path], capture_output=True, text=True)
    assert done.stdout.strip() == "OSError", done.stderr[-2000:]
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001.safetensors"]
    np.testing.assert_array_equal(checkpoints.latest(tmp_path)[0]["x"], np.zeros(10))


# --- Faults -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps_before", [0, 7, 130])
@pytest.mark.parametrize(("loss", "name"), [("gen_loss", "gen_loss"), ("disc_loss", "disc_loss")])
def test_divergence_stops_at_its_step_names_the_loss_and_keeps_the_last_finite_state(loss, name, steps_before):
    """A bilinear game whose one loss turns NaN as soon as its player has moved so many times by one."""
    game = mg.games.bilinear(start=([0.0], [0.0]))
    who = loss.split("_")[0]

    def counting(players, batch, seed, hyper):
        x = getattr(players, who).params
        return tf.reduce_sum(tf.where(x > steps_before - 0.5, np.nan, 1.0) * -x), ()

    still = {"gen_loss", "disc_loss"} - {loss}
    zero = {still.pop(): lambda players, batch, seed, hyper: (tf.zeros(()), ())}
    rule = mg.rules.simultaneous(mg.optimizers.sgd(1.0), mg.optimizers.sgd(1.0))
    with pytest.raises(mg.Diverged, match=f"step {steps_before}: not finite: {name}") as caught:
        mg.train(
            game._replace(**{loss: counting}, **zero), rule, mg.games.no_data, num_steps=300, seed=0, progress=False
        )
    assert caught.value.step == steps_before
    result = caught.value.result
    assert float(getattr(result.players, who).params[0]) == steps_before
    assert len(result.history.scalars["gen_loss"]) == steps_before and all(
        np.isfinite(x).all() for x in result.history.scalars.values()
    )


def test_parameters_that_overflow_are_seen_though_the_losses_are_finite():
    rule = mg.rules.simultaneous(mg.optimizers.sgd(1e38), mg.optimizers.sgd(1e38))
    game = mg.games.bilinear([[100.0]])
    with pytest.raises(mg.Diverged, match="updated parameters") as caught:
        mg.train(game, rule, mg.games.no_data, num_steps=3, seed=0, progress=False)
    assert trees.all_finite(caught.value.result.state)


def test_a_game_with_spectral_normalization_diverges_by_name():
    """Whose factorizations meet a state that is not finite."""
    game = mg.games.gan(mg.networks.mlp(4, (8,), 2), mg.networks.spectral(mg.networks.mlp(2, (8,), 1)))
    rule = mg.rules.unrolled(mg.optimizers.sgd(1.0), mg.optimizers.sgd(1e30), num_unroll=2)
    with pytest.raises(mg.Diverged, match="not finite") as caught:
        mg.train(game, rule, BATCHES, num_steps=9, seed=0, progress=False)
    assert trees.all_finite(caught.value.result.state)


@pytest.mark.parametrize("bad", [0, -3, 1.5, None, True])
def test_a_number_of_steps_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match="num_steps must be a whole number of at least 1"):
        train(bad)
    with pytest.raises(ValueError, match="every must be"):
        mg.every(bad, print)


def test_a_batch_that_does_not_fit_is_refused_when_traced():
    with pytest.raises(ValueError, match="the discriminator takes"):
        mg.train(GAME, RULE, lambda seed: tf.zeros([4, 3]), num_steps=1, seed=0, progress=False)


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_refused_before_training(tmp_path, where):
    (tmp_path / "file").write_text("something else")
    with pytest.raises(ValueError, match=f"{where} cannot be written .*; name a folder that can"):
        train(5, checkpoint=tmp_path / where)
    assert (tmp_path / "file").read_text() == "something else"


def test_other_files_in_the_folder_are_left_alone(tmp_path):
    (tmp_path / "step-best.safetensors").write_text("mine")
    train(5, checkpoint=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000005.safetensors", "step-best.safetensors"]


def test_resuming_from_nowhere_is_refused():
    with pytest.raises(ValueError, match="needs the folder"):
        train(5, resume=True)


def test_a_metric_that_changes_its_shape_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'points' has shape \(2,\) at step 2, but had \(1,\) at step 1"):
        train(5, hooks=[mg.every(1, lambda step, players: {"points": np.zeros(step)})])


def test_a_game_without_generator_has_no_samples():
    game = mg.games.bilinear()
    with pytest.raises(ValueError, match="no generator"):
        mg.sample(game, game.init(0), 3, seed=0)
