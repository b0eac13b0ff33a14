"""Speed as ratios within one run: ``make bench`` prints a table and writes ``build/bench.json``.

Machines are shared and noisy, so each pair of contenders is timed in turns and the best of several rounds is kept; only
ratios mean anything. A target that is missed is named and makes the exit status 1.
"""

import json
import pathlib
import sys
import time

import reference
import tensorflow as tf

import metagan_edu as mg
from metagan_edu import seeds
from metagan_edu.training import STEPS_PER_CALL, compiled

ROUNDS = 5


def steps_per_second(contenders, seconds=1.0):
    """``name -> (run, steps per run)`` to ``name -> steps per second``: the best of the rounds, taken in turns."""
    best = dict.fromkeys(contenders, 0.0)
    for run, _ in contenders.values():
        run()
    for _ in range(ROUNDS):
        for name, (run, steps) in contenders.items():
            began, done = time.perf_counter(), 0
            while time.perf_counter() - began < seconds:
                run()
                done += steps
            best[name] = max(best[name], done / (time.perf_counter() - began))
    return best


def package_loop(game, rule, batches, count=STEPS_PER_CALL):
    """The package's loop on a game, as a contender."""
    loop = compiled(game, rule, batches, False)
    state = rule.init(game, game.init(0))
    seed = seeds.make(0)
    return lambda: loop(state, seed, tf.constant(0), tf.constant(count))[1].numpy(), count


def adam_pair():
    """The optimizers of the reference loops."""
    return mg.optimizers.adam(1e-3), mg.optimizers.adam(1e-4)


def dense_game():
    """The 2-D game of the reference."""
    return mg.games.gan(mg.networks.mlp(64, (128, 128), 2), mg.networks.mlp(2, (128, 128), 1))


def convolutional_game(dtype=None):
    """The 28x28 game of the reference."""
    shape = (28, 28, 1)
    return mg.games.gan(
        mg.networks.dcgan_generator(64, shape, dtype=dtype), mg.networks.dcgan_discriminator(shape, dtype=dtype)
    )


def two_dimensional():
    """The 2-D game, batch 256: an eager Keras loop, the same step as a tf.function called per step, the package."""
    points = mg.data.ring().sample(50_000, 0)
    eager = reference.keras_step(*reference.dense_models(), points, 256)
    function = tf.function(reference.keras_step(*reference.dense_models(), points, 256))
    loop = package_loop(dense_game(), mg.rules.simultaneous(*adam_pair()), mg.data.batches(points, 256))
    speed = steps_per_second({"eager Keras": (eager, 1), "tf.function per step": (function, 1), "package": loop})
    return speed, [("package", "eager Keras", 25, None), ("package", "tf.function per step", 1.4, None)]


def convolutional():
    """The 28x28 convolutional game, width 32, batch 64."""
    images = tf.random.stateless_uniform([2000, 28, 28, 1], [0, 0], -1, 1)
    eager = reference.keras_step(*reference.convolutional_models(), images, 64)
    rule, batches = mg.rules.simultaneous(*adam_pair()), mg.data.batches(images, 64)
    contenders = {
        "eager Keras": (eager, 1),
        "package": package_loop(convolutional_game(), rule, batches, 10),
        "package, mixed_bfloat16": package_loop(convolutional_game("mixed_bfloat16"), rule, batches, 10),
    }
    targets = [("package", "eager Keras", 5, None)]
    flags = pathlib.Path("/proc/cpuinfo")
    amx = flags.exists() and "amx_bf16" in flags.read_text()
    targets.append(("package, mixed_bfloat16", "package", 1.3 if amx else None, None))
    return steps_per_second(contenders), targets


def unrolling():
    """The 2-D game with K = 0, 1, 2, 5, 10 unrolled steps."""
    batches = mg.data.ring().batches(256)
    contenders = {"plain": package_loop(dense_game(), mg.rules.simultaneous(*adam_pair()), batches)}
    for k in (1, 2, 5, 10):
        contenders[f"K = {k}"] = package_loop(dense_game(), mg.rules.unrolled(*adam_pair(), num_unroll=k), batches, 20)
    targets = [("plain", f"K = {k}", None, 8.5 if k == 5 else None) for k in (1, 2, 5, 10)]
    return steps_per_second(contenders), targets


def meta_training():
    """Inner steps of the 16x16 game, width 24, batch 20: Reptile's, and the same steps as an ordinary run."""
    shape = (16, 16, 1)
    gen = mg.networks.dcgan_generator(32, shape, width=24, norm=mg.normalization.LayerNorm)
    game = mg.games.gan(gen, mg.networks.dcgan_discriminator(shape, width=24), penalty=mg.losses.r1(0.3))
    adam = mg.optimizers.adam(1e-3, beta1=0.0, beta2=0.9)
    rule, letters = mg.rules.alternating(adam, adam), mg.data.glyph_splits(16)["train"]
    learner = mg.meta.learned_initialization(game, rule)
    estimator = mg.meta.over_tasks(mg.meta.reptile(25), 4)
    meta = mg.meta.train.meta_rule(learner, None, estimator, mg.optimizers.sgd(0.5))
    loop = compiled(game, meta, letters.tasks(10), False)
    state, seed = meta.init(game, learner.init(0)), seeds.make(0)
    contenders = {
        "outside": package_loop(game, rule, letters.batches(20)),
        "inside meta-training": (lambda: loop(state, seed, tf.constant(0), tf.constant(1))[1].numpy(), 100),
    }
    return steps_per_second(contenders, 2.0), [("inside meta-training", "outside", 0.9, None)]


BENCHMARKS = {
    "2-D": two_dimensional, "convolutional": convolutional, "unrolling": unrolling, "meta-training": meta_training,
}  # fmt: skip


def main(only):
    """Run the benchmarks whose names are given (default: all); the exit status says whether all targets were met."""
    report, missed = {}, []
    for name in only or BENCHMARKS:
        speed, targets = BENCHMARKS[name]()
        print(f"\n{name}")
        for contender, value in speed.items():
            print(f"  {contender:<28}{value:10.1f} steps/s")
        ratios = []
        for fast, slow, least, most in targets:
            ratio = speed[fast] / speed[slow]
            wanted = f"at least {least}" if least else f"at most {most}" if most else "no target here"
            met = (least is None or ratio >= least) and (most is None or ratio <= most)
            print(f"  {fast} / {slow}: {ratio:.2f} ({wanted}{'' if met else ', MISSED'})")
            ratios.append({"of": fast, "to": slow, "ratio": round(ratio, 3), "least": least, "most": most, "met": met})
            missed += [] if met else [f"{name}: {fast} / {slow}"]
        report[name] = {"steps_per_second": {k: round(v, 1) for k, v in speed.items()}, "ratios": ratios}
    path = pathlib.Path("build/bench.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report | mg.experiments.provenance(), indent=1) + "\n")
    print(f"\nwritten to {path}" + (f"; missed: {', '.join(missed)}" if missed else "; all targets met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
