"""The code of the page "Your own": a network, a game with labels, a loss, a penalty, a rule, a technique, hooks.

It runs without a network, in a temporary folder, and checks what the page says.
"""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import metagan_edu as mg  # first: it quiets the log of TensorFlow's start

import keras
import numpy as np
import tensorflow as tf

scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
here = Path(scratch.name)


def refused(call, words):
    """Whether ``call`` is refused with a sentence that holds ``words``."""
    try:
        call()
    except ValueError as error:
        return words in str(error)
    return False


# -- a network
L = keras.layers
gen = keras.Sequential([keras.Input((8,)), L.Dense(32, "tanh"), L.Dense(2)])
disc = keras.Sequential([keras.Input((2,)), L.Dense(32, "tanh"), L.Dense(1)])

gen = mg.networks.network(gen)
game = mg.games.gan(gen, disc)
ring = mg.data.ring(num_modes=8, sd=0.1)
adam = mg.optimizers.adam(1e-3)
rule = mg.rules.alternating(adam, adam)
result = mg.train(game, rule, ring.batches(64), num_steps=200, seed=0)
# -- end a network
assert game.init(0).gen.params[0].shape == (8, 32)
bounded = keras.Sequential([keras.Input((2,)), L.Dense(1, "sigmoid")])
assert refused(lambda: mg.games.gan(gen, bounded), "take the activation away")
regular = keras.Sequential([keras.Input((2,)), L.Dense(1, kernel_regularizer="l2")])
assert refused(lambda: mg.games.gan(gen, regular), "regularizer")

# -- begin from its weights
kept = mg.networks.network(gen.model, keep_weights=True)
fresh, loaded = gen.init(0)[0], kept.init(0)[0]
# -- end begin from its weights
assert all((a.numpy() == b.numpy()).all() for a, b in zip(loaded, gen.model.trainable_variables, strict=True))
assert (fresh[0].numpy() != loaded[0].numpy()).any()
np.testing.assert_array_equal(fresh[0], gen.init(0)[0][0])

# -- hand it over
model = mg.networks.to_keras(gen, result.players.gen)
model.save(here / "generator.keras")

model = keras.saving.load_model(here / "generator.keras")
samples = model(tf.random.normal([500, 8]))
# -- end hand it over
z = mg.seeds.normal([5, 8], 1)
np.testing.assert_allclose(model(z), gen.apply(*result.players.gen, z, training=False)[0], rtol=1e-5, atol=1e-6)
assert samples.shape == (500, 2)
assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}

# -- labels
z, label = keras.Input((16,)), keras.Input((10,))
h = L.Dense(128, "relu")(L.Concatenate()([z, label]))
gen10 = keras.Model([z, label], L.Reshape((8, 8, 1))(L.Dense(64, "tanh")(h)))

x, label = keras.Input((8, 8, 1)), keras.Input((10,))
h = L.Dense(128, "leaky_relu")(L.Concatenate()([L.Flatten()(x), label]))
disc10 = keras.Model([x, label], L.Dense(1)(h))

by_class = mg.games.gan(gen10, disc10, condition=10)
digits = mg.data.digits().batches(64, labels=True)
learned = mg.train(by_class, rule, digits, num_steps=1500, seed=0)
threes = mg.sample(by_class, learned.players, 100, seed=1, labels=3)
# -- end labels
judge = mg.metrics.classifier("digits")
shares = [
    mg.metrics.class_probability(mg.sample(by_class, learned.players, 100, seed=1, labels=k), judge, k)
    for k in range(10)
]
print("taken for the class that was asked for:", np.round(shares, 2))
assert threes.shape == (100, 8, 8, 1)
assert np.mean(shares) > 0.5  # by chance: 0.1
assert refused(lambda: mg.sample(game, result.players, 4, seed=0, labels=1), "no labels")
assert refused(lambda: mg.games.gan(gen, disc, condition=10), "must take [z, label]")

# -- a loss
sp = tf.math.softplus


def smoothed_disc(real, fake):
    on_real = 0.9 * sp(-real) + 0.1 * sp(real)
    return tf.reduce_mean(on_real) + tf.reduce_mean(sp(fake))


def usual_gen(real, fake):
    return tf.reduce_mean(sp(-fake))


smoothed = mg.losses.Loss(gen=usual_gen, disc=smoothed_disc)
# -- end a loss
zero = tf.zeros([4, 1])
np.testing.assert_allclose(smoothed.disc(zero, zero), 2 * np.log(2), rtol=1e-6)


# -- a penalty
def one_sided(critic, real, fake, seed, hyper):
    """Slopes of D above 1 at the real examples: E max(0, |∇D(x)| - 1)²."""
    slope = mg.autodiff.grad(lambda x: tf.reduce_sum(critic(x)))(real)
    norm = tf.sqrt(tf.reduce_sum(slope**2, -1) + 1e-12)  # for the slope at 0
    return tf.reduce_mean(tf.maximum(norm - 1, 0) ** 2)


penalty = mg.losses.Penalty(one_sided, gradients=mg.losses.GRADIENT_OF_D)
lazy = mg.losses.lazily(penalty, every=4)
game2 = mg.games.gan(gen, disc, loss=smoothed, penalty=lazy)
result2 = mg.train(game2, rule, ring.batches(64), num_steps=100, seed=0)
print("gradients of D per step:", result2.history.cost.disc_grads[0])
# -- end a penalty
np.testing.assert_allclose(result2.history.cost.disc_grads, 1 + 0.87 / 4, rtol=1e-6)
assert mg.games.gan(gen, disc, penalty=penalty).cost.disc == 1.87
assert mg.games.gan(gen, disc, penalty=one_sided).cost.disc == 1  # a bare function counts as free


# -- a rule
class Resting(NamedTuple):
    players: Any  # the pair that moves
    slots: Any  # what their optimizers remember
    rests: Any  # how often the discriminator has rested


def resting(gen_optimizer, disc_optimizer, below):
    """Both move at once, but D rests where its loss is low: where it wins."""
    inside = mg.rules.simultaneous(gen_optimizer, disc_optimizer)

    def init(game, players):
        return Resting(*inside.init(game, players), tf.constant(0.0))

    def step(game, state, batches, seed, hyper):
        old = mg.rules.State(state.players, state.slots)
        new, info = inside.step(game, old, batches, seed, hyper)
        rest = info.scalars["disc_loss"] < below
        rests = state.rests + tf.cast(rest, tf.float32)
        disc = mg.trees.where(rest, old.players.disc, new.players.disc)
        slots = mg.trees.where(rest, old.slots.disc, new.slots.disc)
        new = new.players._replace(disc=disc), new.slots._replace(disc=slots)
        info = mg.rules.Info({**info.scalars, "rests": rests}, info.cost)
        return Resting(*new, rests), info

    return mg.rules.Rule(init, step, view=lambda state: state.players)


mine = resting(adam, adam, below=1.38)
# -- end a rule

# -- play by the rule
around = mg.rules.lookahead(mine, every=5, alpha=0.5)
played = mg.train(game, around, ring.batches(64), num_steps=200, seed=0)
print("rests:", played.history.scalars["rests"][-1])
# -- end play by the rule
assert 0 < played.history.scalars["rests"][-1] < 200
assert (played.history.cost.disc_grads == 1).all()

# -- an identity
losses = {}
for same in (resting(adam, adam, below=-1.0), mg.rules.simultaneous(adam, adam)):
    run = mg.train(game, same, ring.batches(64), num_steps=20, seed=0)
    losses[same] = run.history.scalars["disc_loss"]
np.testing.assert_array_equal(*losses.values())
# -- end an identity


# -- a technique
def learned_rate(game, rule, lr):
    """Theta is one number, the logarithm of a factor on both players' steps."""

    def at_rate(theta):
        rate = tf.exp(theta)
        return mg.rules.under(rule, mg.games.Hyper(lr=mg.games.Players(rate, rate)))

    return mg.meta.MetaLearner(
        game,
        init=lambda seed: tf.math.log(tf.constant(lr)),
        players=lambda theta, seed: game.init(seed),
        rule=at_rate,
        batches=mg.meta.drawn(32),
    )


sgd = mg.optimizers.sgd(1.0)
learner = learned_rate(game, mg.rules.alternating(sgd, sgd), lr=0.02)
# -- end a technique

# fmt: off
# -- learn and adapt
tasks = mg.data.mixture_tasks(shots=64, queries=64)
outer = mg.meta.outer.energy_distance()
found = mg.meta_train(
    learner, tasks.train, estimator=mg.meta.backprop(5), outer=outer, tasks_per_step=2,
    num_steps=20, seed=0, meta_optimizer=mg.optimizers.adam(0.1),
)
print(f"rate: from 0.02 to {float(tf.exp(found.theta)):.3f}")

unseen = tasks.test(7)
curve = mg.meta.adapt(learner, found.theta, unseen, num_steps=(0, 5), seed=1)
# -- end learn and adapt
# fmt: on
assert np.exp(found.theta) > 0.04


def distance(theta, task_seed):
    task = tasks.test(task_seed)
    players = mg.meta.adapt(learner, theta, task, num_steps=5, seed=1).players[0]
    return float(mg.metrics.energy_distance(mg.sample(game, players, 500, seed=2), task.query))


better = sum(distance(found.theta, k) < distance(learner.init(0), k) for k in range(6))
print("nearer after 5 steps:", better, "of 6 unseen tasks")
assert better >= 4
assert curve.num_steps == (0, 5) and len(curve.players) == 2

# fmt: off
# -- watch and stop
real = ring.sample(1000, 9)


def watch(step, players):
    made = mg.sample(game, players, 1000, seed=3)
    gap = float(mg.metrics.energy_distance(made, real))
    if gap < 0.06:
        return mg.stop
    return {"gap": gap}


watched = mg.train(
    game, rule, ring.batches(64), num_steps=3000, seed=0,
    hooks=mg.every(100, watch), checkpoint=here / "run",
)
steps, gaps = watched.history.metrics["gap"]
# -- end watch and stop
# fmt: on
print("stopped after", len(watched.history.scalars["gen_loss"]), "steps; gaps", np.round(gaps, 2))
assert len(watched.history.scalars["gen_loss"]) == steps[-1] + 100 < 3000 and min(gaps) >= 0.06

# fmt: off
# -- go on
done = len(watched.history.scalars["gen_loss"])
further = mg.train(
    game, rule, ring.batches(64), num_steps=done + 100, seed=0,
    checkpoint=here / "run", resume=True,
)
# -- end go on
# fmt: on
np.testing.assert_array_equal(further.history.scalars["gen_loss"][:done], watched.history.scalars["gen_loss"])
assert len(further.history.scalars["gen_loss"]) == done + 100
other = mg.rules.alternating(mg.optimizers.adam(3e-3), mg.optimizers.adam(1e-3))
again = {"num_steps": done + 200, "seed": 0, "checkpoint": here / "run", "resume": True}
assert refused(lambda: mg.train(game, other, ring.batches(64), **again), "holds another experiment")
