"""A run that is killed again and again: started by test_training.py as ``python kill_and_resume.py FOLDER KILLS``.

The parent imports TensorFlow without using it and forks; each child resumes the run in FOLDER and gets SIGKILL, SIGTERM
or SIGINT, in turn, at a random moment; the last one is left to finish. Then one child runs without being stopped, in
another folder. After each kill the newest checkpoint is not older than it was.
"""

import os
import pathlib
import random
import signal
import sys
import time

import metagan_edu as mg
from metagan_edu import checkpoints

NUM_STEPS = 400


def play(folder):
    adam = mg.optimizers.adam(1e-3)
    game = mg.games.gan(mg.networks.mlp(4, (16,), 2), mg.networks.mlp(2, (16,), 1))
    rule = mg.rules.averaged(mg.rules.unrolled(adam, adam, num_unroll=1))
    hooks = [mg.every(30, lambda step, players: {"samples": mg.sample(game, players, 5, seed=0)})]
    mg.train(
        game, rule, mg.data.ring().batches(32), num_steps=NUM_STEPS, seed=3, hooks=hooks, checkpoint=folder,
        checkpoint_every=7, resume=True, progress=False,
    )  # fmt: skip


SIGNALS = signal.SIGKILL, signal.SIGTERM, signal.SIGINT


def child(folder, killed_after=None, by=signal.SIGKILL):
    """Fork a child that plays; kill it so many seconds after its folder first shows a new file. Returns its status."""
    before = set(pathlib.Path(folder).glob("step-*"))
    pid = os.fork()
    if pid == 0:
        try:
            play(folder)
        except KeyboardInterrupt:
            os._exit(3)
        os._exit(0)
    if killed_after is not None:
        while set(pathlib.Path(folder).glob("step-*")) == before and os.waitpid(pid, os.WNOHANG) == (0, 0):
            time.sleep(0.005)
        time.sleep(killed_after)
        try:
            os.kill(pid, by)
        except ProcessLookupError:
            return 0
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return 0


if __name__ == "__main__":
    folder, kills = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    moments = random.Random(0)
    killed, newest = 0, 0
    for n in range(kills):
        killed += child(folder / "killed", moments.uniform(0.0, 0.06), SIGNALS[n % 3]) != 0
        kept = [step for step, _ in checkpoints.steps(folder / "killed")]
        assert not kept or kept[-1] >= newest, "a kill has lost a checkpoint"
        newest = kept[-1] if kept else 0
    print("killed", killed)
    sys.exit(child(folder / "killed") or child(folder / "whole"))
