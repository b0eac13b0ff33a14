"""One of several workers that train together: ``python one_worker.py INDEX PORTS FOLDER RUN ...``, runs in JSON.

The chief's hook writes a line for each ten steps. After each run it prints, as JSON, how that ended.
"""

import functools
import json
import sys

import metagan_edu as mg


@functools.cache
def played():
    adam = mg.optimizers.adam(1e-2)
    game = mg.games.gan(mg.networks.mlp(3, (4,), 2), mg.networks.mlp(2, (4,), 1), penalty=mg.losses.r1(0.1))
    return game, mg.rules.alternating(adam, adam), mg.data.ring().batches(16)


def train(folder, num_steps, stop_at=-1, seed=4, strategy=None):
    """How the run ended: what was said, the generator's weights, and the names of what was measured."""

    def look(step, players):
        print(step, flush=True)
        metric = {"gen": players.gen.params[1]}
        return mg.stop(metric) if step == stop_at else metric

    try:
        result = mg.train(
            *played(), num_steps=num_steps, seed=seed, strategy=strategy, hooks=mg.every(10, look), checkpoint=folder,
            checkpoint_every=20, resume=True, progress=False,
        )  # fmt: skip
        said = "done"
    except (mg.Interrupted, ValueError, RuntimeError) as error:
        result, said = getattr(error, "result", None), f"{type(error).__name__}: {error}"
    measured = sorted(result.history.metrics) if result else []
    gen = [float(x) for x in result.players.gen.params[0].numpy().ravel()] if result else []
    return {"said": said, "gen": gen, "metrics": measured}


if __name__ == "__main__":
    index, ports, folder, *runs = sys.argv[1:]
    strategy = mg.workers.join([f"127.0.0.1:{port}" for port in ports.split(",")], int(index))
    for run in runs:
        print(json.dumps(train(folder, strategy=strategy, **json.loads(run))), flush=True)
