"""Every rule on five games at equal cost: the Dirac-GAN, the bilinear game, a rotated saddle, the ring and 8x8 digits.

Cost is counted in gradients of a player's loss, a second-order product as two. On the three games of two numbers every
rule moves by plain gradient steps, on the ring and the digits by Adam with β = (0.5, 0.99). What is tuned is the rate,
by a search that is the same for all contenders of a game, on seed 0 alone; what is reported is from other seeds. A
rule's own settings were fixed beforehand and are in ``config``. The networks and budgets are small so that the whole
record takes minutes: this is a comparison of rules, not the best that any of them can do.

``optimizers`` compares, under the alternating rule on 512 fixed points of a ring, full-batch gradient descent with
stochastic ones, at equal numbers of *examples* times gradients.
"""

import functools
import time

import numpy as np
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import seeds, trees
from metagan_edu.games import Hyper, Players

SELECT, SEEDS = 0, (1, 2, 3)
TOY_RATES, TOY_BUDGET = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6), 400
RATES, RING_BUDGET, DIGITS_BUDGET = (3e-4, 1e-3, 3e-3), 4000, 1200
OPTIMIZER_RATES, OPTIMIZER_BUDGET = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1), 256_000
ADAM = mg.optimizers.adam(1.0, beta1=0.5, beta2=0.99)  # rates are the factor that the loop below sets
R1, EVERY, ALPHA, NUM_UNROLL, GAMMA, STRENGTH, REACTION, ITERATIONS = 0.1, 5, 0.5, 5, 1.0, 1.0, 0.1, 2

# Rules of two optimizers; ``lr`` is what the competitive rule expects of its opponent.
RULES = {
    "simultaneous": lambda gen, disc, lr: mg.rules.simultaneous(gen, disc),
    "alternating": lambda gen, disc, lr: mg.rules.alternating(gen, disc),
    "extragradient": lambda gen, disc, lr: mg.rules.extragradient(gen, disc),
    "optimistic": lambda gen, disc, lr: mg.rules.optimistic(gen, disc),
    "consensus": lambda gen, disc, lr: mg.rules.consensus(gen, disc, gamma=GAMMA),
    "symplectic": lambda gen, disc, lr: mg.rules.symplectic(gen, disc, strength=STRENGTH),
    "competitive": lambda gen, disc, lr: mg.rules.competitive(gen, disc, reaction=lr, num_iterations=ITERATIONS),
    "lookahead": lambda gen, disc, lr: mg.rules.lookahead(mg.rules.simultaneous(gen, disc), every=EVERY, alpha=ALPHA),
    "unrolled": lambda gen, disc, lr: mg.rules.unrolled(gen, disc, num_unroll=NUM_UNROLL),
}


def loop(game, make, batches):
    """``run(state, lr, seed, count) -> (state, finite)``: one trace for every rate; ``make(lr)`` is the rule."""

    @tf.function(autograph=False)
    def run(state, lr, seed, count):
        rule, hyper = make(lr), Hyper(lr=Players(lr, lr))

        def step(t, finite, last, state):
            new, info = rule.step(game, state, batches, seeds.fold_in(seed, t), hyper)
            return t + 1, trees.all_finite((new, info.gen_loss, info.disc_loss)), state, new

        start = tf.constant(0), tf.constant(True), state, state
        _, finite, last, new = tf.while_loop(
            lambda t, finite, *_: tf.logical_and(t < count, finite), step, start
        )  # fmt: skip
        return trees.map(lambda a, b: tf.where(finite, a, b), new, last), finite

    return run


def contest(game, make, batches, *, rates, budget, players, measure, loss):
    """The best rate on seed ``SELECT`` by ``loss(measured)``, and what it measures on ``SEEDS``; a diverged run ends at
    its last finite state."""
    rule, run = make(0.1), loop(game, make, batches)
    dtype = trees.leaves(players(SELECT))[0].dtype
    num_steps = mg.experiments.gradient_evaluations(budget)(game, rule, batches)

    def result(lr, seed):
        began = time.monotonic()
        state = rule.init(game, players(seed))
        state, finite = run(state, tf.constant(lr, dtype), seeds.fold_in(seed, "train"), tf.constant(num_steps))
        seconds = time.monotonic() - began
        measured = measure(rule.view(state), seeds.fold_in(seed, "measure"))
        return {**{k: float(v) for k, v in measured.items()}, "diverged": int(not finite)}, round(seconds, 2)

    tried = {lr: result(lr, SELECT)[0] for lr in rates}
    lr = min(rates, key=lambda lr: np.inf if tried[lr]["diverged"] else loss(tried[lr]))
    runs, times = zip(*(result(lr, seed) for seed in SEEDS), strict=True)
    results = {metric: [run[metric] for run in runs] for metric in runs[0]}
    return {"lr": lr, "num_steps": num_steps, "seconds": list(times), "results": results, "run": run}


# --- two numbers


def toys():
    """name -> (game, batches)."""
    saddle = mg.saddles.rotated_saddle()
    return {
        "Dirac-GAN": (mg.games.dirac(mg.losses.minimax()), mg.games.no_data),
        "bilinear": (mg.games.bilinear(), mg.games.no_data),
        "rotated saddle": (saddle, lambda seed: tf.ones([1, 2])),
    }


def toy_rules():
    """name -> ``make(lr)``, with plain gradient steps, and with negative momentum."""
    sgd = mg.optimizers.sgd(1.0)
    made = {name: functools.partial(rule, sgd, sgd) for name, rule in RULES.items()}
    heavy = mg.optimizers.momentum(1.0, -0.5)
    made["alternating, momentum -0.5"] = functools.partial(RULES["alternating"], heavy, heavy)
    return made


def modulus(run, rule, game, lr):
    """The largest eigenvalue modulus of the step at rate ``lr``, per step; of a look-ahead, per step of its cycle.

    By central differences of the compiled step in float64, slots included, beside the equilibrium: at it the
    competitive rule's inner solver has no derivative.
    """
    state = double(rule.init(game, trees.map(lambda x: 0 * x + 1e-4, game.init(0))))
    cycle = EVERY if hasattr(state, "slow") else 1
    leaves = trees.leaves(state)
    is_float = [x.dtype.is_floating for x in leaves]
    point, unflatten = trees.flatten([x for f, x in zip(is_float, leaves, strict=True) if f])

    def move(vector):
        given = iter(unflatten(vector))
        moved = trees.like(state, [next(given) if f else x for f, x in zip(is_float, leaves, strict=True)])
        after, _ = run(moved, tf.constant(lr, tf.float64), seeds.make(0), tf.constant(cycle))
        return trees.flatten([x for x in trees.leaves(after) if x.dtype.is_floating])[0].numpy()

    basis = 1e-6 * tf.eye(point.shape[0], dtype=tf.float64)
    columns = [(move(point + basis[i]) - move(point - basis[i])) / 2e-6 for i in range(point.shape[0])]
    return float(abs(np.linalg.eigvals(np.stack(columns, axis=1))).max() ** (1 / cycle))


def double(tree):
    """The tree with its floating-point leaves in float64."""
    return trees.map(lambda x: tf.cast(x, tf.float64) if x.dtype.is_floating else x, tree)


def toy_table():
    """The contests on two numbers: the field's norm at the end, relative to that at the start."""
    made = {}
    for game_name, (game, batches) in toys().items():
        for name, make in toy_rules().items():
            template = game.init(0)

            def players(seed, template=template):
                normal = [tf.random.stateless_normal(p.params.shape, s) for p, s in zip(
                    template, seeds.split(seeds.fold_in(seed, "start"), 2), strict=True)]  # fmt: skip
                return double(Players(*(p._replace(params=x) for p, x in zip(template, normal, strict=True))))

            def measure(players, seed, game=game, batches=batches):
                field = trees.norm(mg.games.field(game, players, batches(seeds.make(0))))
                return {"field": min(max(float(field), 1e-12), 1e12)}

            found = contest(
                game, make, batches, rates=TOY_RATES, budget=TOY_BUDGET, players=players, measure=measure,
                loss=lambda measured: measured["field"],
            )  # fmt: skip
            found["modulus"] = modulus(found["run"], make(0.1), game, found["lr"])
            made[f"{game_name}: {name}"] = report(f"{game_name}: {name}", found)
    return made


# --- networks


def net_rules(nets):
    """name -> (game, make): every rule on the non-saturating GAN; competitive needs the minimax one, and R1 is what the
    rules compete with."""
    plain = mg.games.gan(*nets)
    minimax, damped = mg.games.gan(*nets, loss=mg.losses.minimax()), mg.games.gan(*nets, penalty=mg.losses.r1(R1))

    def on(game, name):
        return game, lambda lr: RULES[name](ADAM, ADAM, REACTION)

    made = {name: on(plain, name) for name in RULES if name != "competitive"}
    made["competitive, minimax"], made["simultaneous, minimax"] = (
        on(minimax, "competitive"),
        on(minimax, "simultaneous"),
    )
    return made | {"alternating, R1": on(damped, "alternating")}


def net_table(name, nets, batches, budget, quality, loss):
    """The contests on one data set."""
    judge = mg.games.gan(*nets)  # one game's field for all contenders
    fixed = tf.concat([batches(seeds.make(s)) for s in range(4)], 0)
    made = {}
    for rule_name, (game, make) in net_rules(nets).items():

        def measure(players, seed, game=game):
            return {
                "field": float(trees.norm(mg.games.field(judge, players, fixed, 1))),
                **quality(game, players, seed),
            }

        found = contest(
            game, make, batches, rates=RATES, budget=budget, players=lambda seed, game=game: game.init(seed),
            measure=measure, loss=loss,
        )  # fmt: skip
        made[f"{name}: {rule_name}"] = report(f"{name}: {rule_name}", found)
    return made


def ring_quality(game, players, seed):
    """Mode coverage of 2,500 samples."""
    coverage = mg.metrics.mode_coverage(mg.sample(game, players, 2500, seed=seed), mg.data.ring())
    return {
        "modes20": coverage.modes20,
        "high_quality": coverage.high_quality,
        "reverse_kl_all": coverage.reverse_kl_all,
    }


def ring_nets():
    """Generator and discriminator for the plane."""
    return mg.networks.mlp(16, (64, 64), 2), mg.networks.mlp(2, (64, 64), 1)


def ring_table():
    """The ring: 8 modes of standard deviation 0.02; the rate is chosen by the reverse KL over all samples."""
    return net_table("ring", ring_nets(), mg.data.ring().batches(128), RING_BUDGET, ring_quality,
                     lambda m: m["reverse_kl_all"])  # fmt: skip


def digits_table():
    """8x8 digits: the classifier's score of 1,000 samples as a share of that of real test images."""
    train, test, classifier = mg.data.digits("train"), mg.data.digits("test"), mg.metrics.classifier("digits")
    ceiling = mg.metrics.classifier_score(test.images, classifier)

    def quality(game, players, seed):
        score = mg.metrics.classifier_score(mg.sample(game, players, 1000, seed=seed), classifier)
        return {"share_of_real": score / ceiling}

    nets = (
        mg.networks.dcgan_generator(32, (8, 8, 1), width=8, norm=mg.normalization.BatchNorm),
        mg.networks.dcgan_discriminator((8, 8, 1), width=8),
    )
    return net_table("digits", nets, train.batches(32), DIGITS_BUDGET, quality, lambda m: -m["share_of_real"])


def optimizer_table():
    """Optimizers under the alternating rule, on 512 fixed points: full batch against batches of 64."""
    points = mg.data.ring().sample(512, seeds.make(77))
    plain, heavy = mg.optimizers.sgd(1.0), functools.partial(mg.optimizers.momentum, 1.0)
    game, made = mg.games.gan(*ring_nets()), {}
    for name, optimizer, size in (
        ("full-batch GD", plain, 512), ("SGD", plain, 64), ("momentum +0.9", heavy(0.9), 64),
        ("momentum -0.5", heavy(-0.5), 64), ("RMSProp", mg.optimizers.rmsprop(1.0, decay=0.99), 64), ("Adam", ADAM, 64),
    ):  # fmt: skip
        found = contest(
            game, lambda lr, o=optimizer: mg.rules.alternating(o, o),
            (lambda seed: points) if size == 512 else mg.data.batches(points, size),
            rates=OPTIMIZER_RATES, budget=OPTIMIZER_BUDGET // size, players=game.init,
            measure=functools.partial(ring_quality, game), loss=lambda m: m["reverse_kl_all"],
        )  # fmt: skip
        made[f"optimizers: {name}"] = report(f"optimizers: {name}", found)
    return made


def report(name, found):
    """Print a line of progress, and hand the contest through."""
    means = {k: f"{np.mean(v):.3g}" for k, v in found["results"].items()}
    print(f"{name}: rate {found['lr']}, {found['num_steps']} steps, {means}", flush=True)
    return {key: value for key, value in found.items() if key != "run"}


PARTS = (toy_table, ring_table, digits_table, optimizer_table)


def assemble(*parts):
    """The record of the parts' contests."""
    found = {name: contest for part in parts for name, contest in part.items()}
    config = {
        "search": __doc__, "rates": {"toys": TOY_RATES, "networks": RATES, "optimizers": OPTIMIZER_RATES},
        "budget": {"toys": TOY_BUDGET, "ring": RING_BUDGET, "digits": DIGITS_BUDGET, "optimizers": OPTIMIZER_BUDGET},
        "r1": R1, "lookahead": [EVERY, ALPHA], "num_unroll": NUM_UNROLL, "gamma": GAMMA, "strength": STRENGTH,
        "reaction": REACTION, "iterations": ITERATIONS, "chosen": {name: c["lr"] for name, c in found.items()},
        "modulus": {name: c["modulus"] for name, c in found.items() if "modulus" in c},
    }  # fmt: skip
    record = {"name": "", "command": "", "config": config, "seeds": list(SEEDS)}
    record |= {field: {name: c[field] for name, c in found.items()} for field in ("num_steps", "seconds", "results")}
    return record | mg.experiments.provenance()


def make():
    """The record."""
    return assemble(*(part() for part in PARTS))
