"""One of two workers that train together: ``python one_worker.py INDEX PORTS FOLDER NUM_STEPS STOP_AT``.

The chief's hook writes a line for each ten steps. What is printed at the end, as JSON, is how the run ended.
"""

import json
import sys

import metagan_edu as mg

index, ports, folder, num_steps, stop_at = sys.argv[1:]
addresses = [f"127.0.0.1:{port}" for port in ports.split(",")]
STRATEGY = mg.workers.join(addresses, int(index), wait=60) if len(addresses) > 1 else None

ADAM = mg.optimizers.adam(1e-2)
GAME = mg.games.gan(mg.networks.mlp(3, (4,), 2), mg.networks.mlp(2, (4,), 1), penalty=mg.losses.r1(0.1))
RULE = mg.rules.alternating(ADAM, ADAM)


def look(step, players):
    print(step, flush=True)
    metric = {"gen": players.gen.params[1]}
    return mg.stop(metric) if step == int(stop_at) else metric


try:
    result = mg.train(
        GAME, RULE, mg.data.ring().batches(16), num_steps=int(num_steps), seed=4, strategy=STRATEGY,
        hooks=mg.every(10, look), checkpoint=folder, checkpoint_every=20, resume=True, progress=False,
    )  # fmt: skip
    said = "done"
except (mg.Interrupted, ValueError) as error:
    result, said = getattr(error, "result", None), f"{type(error).__name__}: {error}"
measured = sorted(result.history.metrics) if result else []
gen = [float(x) for x in result.players.gen.params[0].numpy().ravel()] if result else []
print(json.dumps({"said": said, "gen": gen, "metrics": measured}), flush=True)
