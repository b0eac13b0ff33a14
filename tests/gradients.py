"""The one table of everything whose gradient is claimed: what is not in it fails, and what is in it is tested twice.

An entry is ``() -> (fn, x)``: a smooth scalar function of a tree of float64 tensors, which goes through the thing that
is tested. ``test_gradients.py`` compares its first derivative and its second ones with central differences.
"""

import inspect

import keras
import tensorflow as tf
from oracles import HYPER, double, points, random_like

import metagan_edu as mg
from metagan_edu import meta, seeds, trees

BATCHES = points(6)
SGD = mg.optimizers.sgd(0.3)


def smoothly(tree):
    """A scalar in which every entry of a tree counts, and no derivative vanishes."""
    return tf.add_n([tf.reduce_sum(tf.sin(x + 0.3)) for x in trees.leaves(tree) if x.dtype.is_floating])


# --- losses and penalties: functions of logits, and of a critic's parameters ----------------------------------------


def of_loss(loss):
    def entry():
        x = random_like((tf.zeros([5, 1]), tf.zeros([5, 1])), 1)
        return lambda x: loss.gen(*x) + 0.7 * loss.disc(*x), x

    return entry


def of_penalty(penalty):
    def entry():
        net = mg.networks.mlp(2, (4, 3), 1, activation="tanh", dtype="float64")
        real, fake = BATCHES(0), points(6, seed=1)(0)
        params = double(net.init(0)[0])
        return lambda p: penalty.value(lambda x: net.apply(p, (), x)[0], real, fake, seeds.make(0), HYPER), params

    return entry


LOSSES = {name: of_loss(getattr(mg.losses, name)()) for name in (
    "minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic")}  # fmt: skip
PENALTIES = {
    "r1": of_penalty(mg.losses.r1(1.3)), "r2": of_penalty(mg.losses.r2(0.7)),
    "gradient_penalty": of_penalty(mg.losses.gradient_penalty(2.0)),
    "penalties": of_penalty(mg.losses.penalties(mg.losses.r1(1.0), mg.losses.r2(1.0))),
    "lazily": of_penalty(mg.losses.lazily(mg.losses.r1(1.0), every=4)),
}  # fmt: skip

# --- layers: functions of the parameters and of the input -----------------------------------------------------------


def of_layer(make, shape=(6,), settle=0):
    """Through a network with this layer in it, in training, in its parameters and its input."""

    def entry():
        layers = keras.layers
        hidden = [make(dtype="float64")]
        if len(shape) == 3:
            first, last = layers.Conv2D(4, 3, dtype="float64"), [layers.Flatten(dtype="float64")]
        else:
            first, last = layers.Dense(4, dtype="float64"), []
        body = [keras.Input(shape, dtype="float64"), first, *hidden, layers.Activation("tanh", dtype="float64"), *last]
        net = mg.networks.network(keras.Sequential([*body, layers.Dense(2, dtype="float64")]))
        return through(net, shape, settle)

    return entry


def through(net, shape, settle=0):
    params, state = double(net.init(0))
    x = random_like(tf.zeros([5, *shape]), 3)
    for _ in range(settle):
        _, state = net.apply(params, state, x)
    return lambda both: smoothly(net.apply(both[0], state, both[1])[0]), (params, x)


def of_spectral():
    start = "glorot_uniform"  # an orthogonal one has equal singular values, where the largest has no derivative
    net = mg.networks.mlp(3, (4,), 2, activation="tanh", initializer=start, dtype="float64")
    net = mg.networks.spectral(net)
    return through(net, (3,), settle=300)


LAYERS = {
    "BatchNorm": of_layer(mg.normalization.BatchNorm), "LayerNorm": of_layer(mg.normalization.LayerNorm),
    "GroupNorm": of_layer(lambda dtype: mg.normalization.GroupNorm(2, dtype=dtype)),
    "BatchNorm, pictures": of_layer(mg.normalization.BatchNorm, (5, 5, 1)),
    "LayerNorm, pictures": of_layer(mg.normalization.LayerNorm, (5, 5, 1)),
    "GroupNorm, pictures": of_layer(lambda dtype: mg.normalization.GroupNorm(2, dtype=dtype), (5, 5, 1)),
    "MinibatchStd": of_layer(mg.normalization.MinibatchStd),
    "MinibatchStd, pictures": of_layer(mg.normalization.MinibatchStd, (5, 5, 1)),
    "spectral": of_spectral,
}  # fmt: skip

# --- optimizers: three updates on a smooth function, in the start ---------------------------------------------------


def of_optimizer(optimizer):
    def entry():
        def loss(w):
            return tf.reduce_sum(tf.cos(w[0])) + 0.5 * tf.reduce_sum(w[0] * w[1] ** 2)

        def after(w):
            slots = optimizer.init(w)
            for _ in range(3):
                updates, slots = optimizer.update(mg.autodiff.grad(loss)(w), slots)
                w = trees.add(w, updates)
            return smoothly(w)

        return after, random_like((tf.zeros([3]), tf.zeros([3])), 2)

    return entry


MADE = mg.optimizers
OPTIMIZERS = {
    "sgd": MADE.sgd(0.2), "momentum": MADE.momentum(0.2, 0.7), "rmsprop": MADE.rmsprop(0.1), "adam": MADE.adam(0.1),
    "descend": MADE.descend(MADE.cosine_decay(0.3, 5)), "trace": MADE.trace(-0.4), "scale_by_rms": MADE.scale_by_rms(),
    "scale_by_adam": MADE.scale_by_adam(),
    "clip_by_global_norm": MADE.chain(MADE.clip_by_global_norm(0.4), MADE.sgd(1.0)),
    "chain": MADE.chain(MADE.trace(0.5), MADE.descend(0.1)), "optimistic": MADE.optimistic(MADE.adam(0.1)),
    "hypergradient": MADE.hypergradient(0.1, beta=0.01, bounds=(0.0, 1.0)),
}  # fmt: skip
OPTIMIZERS = {name: of_optimizer(optimizer) for name, optimizer in OPTIMIZERS.items()}

# --- rules: two steps of the game, in both players' start -----------------------------------------------------------


def toy_game():
    """Two vectors and a smooth game between them, zero-sum but for terms of one player alone: cheap to differentiate.

    (What a rule does with networks and batches is tested by hand in test_rules_game_aware.py.)
    """
    matrix = random_like(tf.zeros([2, 3]), 8)

    def between(players):
        x, y = players.gen.params[0], players.disc.params[0]
        return tf.reduce_sum(tf.sin(x)[:, None] * matrix * tf.cos(y)[None, :])

    def gen_loss(players, batch, seed, hyper):
        return between(players) + 0.1 * tf.reduce_sum(players.gen.params[0] ** 4), ()

    def disc_loss(players, batch, seed, hyper):
        own = trees.as_type(hyper.penalty, tf.float64) * 0.1 * tf.reduce_sum(players.disc.params[0] ** 2)
        return own - between(players), ()

    def init(seed):
        return mg.games.Players(*(mg.games.Player((random_like(tf.zeros(n), n),)) for n in (2, 3)))

    return mg.games.Game(init, gen_loss, disc_loss)


GAME = toy_game()


def of_rule(rule, num_steps=2):
    def entry():

        def after(params):
            players = mg.games.Players(*(mg.games.Player(own) for own in params))
            state = rule.init(GAME, players)
            for t in range(num_steps):
                state, _ = rule.step(GAME, state, BATCHES, seeds.fold_in(1, t), HYPER)
            return smoothly([player.params for player in rule.view(state)])

        return after, double(mg.games.Players(*(player.params for player in GAME.init(0))))

    return entry


R = mg.rules
PLAIN = R.alternating(SGD, SGD)
RULES = {
    "simultaneous": R.simultaneous(SGD, MADE.adam(0.1)), "alternating": R.alternating(SGD, SGD, disc_steps=2),
    "anderson": R.anderson(PLAIN, memory=2), "averaged": R.averaged(PLAIN), "lookahead": R.lookahead(PLAIN, every=2),
    "controlled": R.controlled(PLAIN, R.controllers.schedule(MADE.cosine_decay(1.0, 4))),
    "under": R.under(PLAIN, mg.games.Hyper(lr=mg.games.Players(0.5, 2.0), penalty=0.3)),
    "extragradient": R.extragradient(SGD, SGD), "optimistic": R.optimistic(SGD, SGD),
    "consensus": R.consensus(SGD, SGD, gamma=0.7),
    "symplectic": R.symplectic(SGD, SGD, sign=lambda g, growth, adjustment: 1.0),
    "unrolled": R.unrolled(SGD, SGD, num_unroll=2), "jointly": R.jointly(MADE.sgd(0.2)),
    "safeguarded": R.safeguarded(MADE.sgd(0.2)),
}  # fmt: skip
RULES = {name: of_rule(rule) for name, rule in RULES.items()} | {
    "competitive": of_rule(R.competitive(SGD, SGD, reaction=0.5, num_iterations=2), num_steps=1)
}

# --- estimators and techniques: an outer loss after inner steps, in theta -------------------------------------------

TASK = mg.data.Task(points(6, seed=4)(0), points(6, seed=5)(0))


def query_loss(game, theta, players, task, seed):
    """An outer loss in float64, which samples for metrics are not."""
    return game.gen_loss(players, task.query, seed, HYPER)[0] + 0.1 * smoothly([player.params for player in players])


OUTER = query_loss


def tasks(seed):
    return TASK


def of_technique(learner, outer=OUTER, estimator=None):
    """The value that an estimator differentiates: here the outer loss after two inner steps, in theta."""

    def entry():
        def value(theta):
            inner = meta.base.begin(learner, theta, seeds.make(0))
            inner, _ = meta.base.advance(learner, theta, inner, TASK, 2, seeds.make(0))
            return outer(learner.game, theta, meta.base.view(learner, theta, inner), TASK, seeds.make(1))

        return value, shaken(double(learner.init(0)))

    return entry


def shaken(theta):
    """Theta a little off its start, where factors are 1 and last layers 0."""
    return trees.add(theta, trees.scale(0.05, random_like(theta, 6)))


def saddle():
    """A game on which the learned optimizer's gradient can be checked, and its learner; every feature counts."""
    game = mg.games.saddles.rotated_saddle(games=1)
    body = meta.coordinatewise.mlp(3)
    return meta.learned_optimizer(game, body=body, hold=tf.identity, batches=lambda task: lambda seed: COEFFICIENTS)


COEFFICIENTS = tf.constant([[0.9, 0.95]], tf.float64)


def norm_of_players(game, theta, players, task, seed):
    return smoothly([player.params for player in players])


def in_double(learner):
    game = learner.game._replace(init=lambda seed: double(learner.game.init(seed)))
    return learner._replace(game=game, players=lambda theta, seed: game.init(seed))


POLICY = R.policies.network(3, limit=3.0)
TECHNIQUES = {
    "learned_initialization": of_technique(meta.learned_initialization(GAME, PLAIN, batches=meta.everything)),
    "learned_scales": of_technique(meta.learned_scales(GAME, PLAIN, batches=meta.everything)),
    "meta_sgd": of_technique(meta.meta_sgd(GAME, 0.3, batches=meta.everything)),
    "learned_schedule": of_technique(
        meta.learned_schedule(GAME, PLAIN, num_steps=3, policy=POLICY, batches=meta.everything)),
    "learned_optimizer": of_technique(in_double(saddle()), norm_of_players),
}  # fmt: skip


def of_estimator(estimator, outer=OUTER):
    """A meta-gradient along a fixed direction, in theta: its own derivative is second order of the outer loss."""

    def entry():
        learner = meta.learned_initialization(GAME, PLAIN, batches=meta.everything)
        theta = double(learner.init(0))
        along = random_like(theta, 7)

        def value(theta):
            kept = estimator.init(learner, theta, seeds.make(0))
            estimate, _ = estimator.grad(learner, outer, theta, kept, tasks, seeds.make(3))
            return trees.dot(estimate.grads, along)

        return value, theta

    return entry


def straight(*given):
    """The last loss, of inner steps that are no loop: one loop, over the pairs, is enough to differentiate twice."""
    return meta.last(*given[:-1], mg.autodiff.python_loop)


ESTIMATORS = {
    "backprop": of_estimator(meta.backprop(2)), "at_start": of_estimator(meta.at_start()),
    "reptile": of_estimator(meta.reptile(2), None),
    "over_tasks": of_estimator(meta.over_tasks(meta.backprop(1), 2)),
    "evolution_strategies": of_estimator(meta.evolution_strategies(1, pairs=1, sigma=0.1, objective=straight)),
    "persistent_evolution_strategies": of_estimator(
        meta.persistent_evolution_strategies(2, segment=1, pairs=1, sigma=0.1, objective=straight)),
}  # fmt: skip
# These hold something constant by design, so that their derivative is not one of what they estimate; what they do claim
# is tested against it in test_meta.py: the outer gradient at the end, the gradient through one window.
HELD = {"first_order", "truncated_backprop"}

TABLE = {
    "loss": LOSSES, "penalty": PENALTIES, "layer": LAYERS, "optimizer": OPTIMIZERS, "rule": RULES,
    "technique": TECHNIQUES, "estimator": ESTIMATORS,
}  # fmt: skip


def made_by(module, kind):
    """The names of a module's public functions that are declared to return a ``kind``."""
    functions = inspect.getmembers(module, inspect.isfunction)
    return {
        name for name, fn in functions
        if not name.startswith(("_", "as_")) and _last_word(fn.__annotations__.get("return")) == kind
    }  # fmt: skip


def _last_word(annotation):
    return str(annotation).rpartition(".")[2].rstrip("'>")


def claimed():
    """Everything of the package whose gradient is claimed, by kind."""
    layers = {
        name for name, item in inspect.getmembers(mg.normalization, inspect.isclass)
        if issubclass(item, keras.layers.Layer) and not name.startswith("_")
    }  # fmt: skip
    return {
        "loss": made_by(mg.losses, "Loss"), "penalty": made_by(mg.losses, "Penalty"), "layer": layers | {"spectral"},
        "optimizer": made_by(mg.optimizers, "Optimizer"), "rule": made_by(mg.rules, "Rule"),
        "technique": made_by(meta, "MetaLearner"), "estimator": made_by(meta, "Estimator"),
    }  # fmt: skip
