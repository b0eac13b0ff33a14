"""The code of the page "Data": pictures in a folder, arrays, data that does not fit in memory, labels and tasks.

It runs without a network, in a temporary folder, and checks what the page says.
"""

import os
import tempfile
from pathlib import Path

import metagan_edu as mg  # first: it quiets the log of TensorFlow's start

import numpy as np
from PIL import Image, ImageDraw

scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
here = Path(scratch.name)


def refused(call, words):
    """Whether ``call`` is refused with a sentence that holds ``words``."""
    try:
        call()
    except (ValueError, FileNotFoundError) as error:
        return words in str(error)
    return False


# -- draw pictures
for kind in ("disc", "frame"):
    (here / "shapes" / kind).mkdir(parents=True)
    for i in range(20):
        picture = Image.new("RGBA", (40, 30), (0, 0, 0, 0))  # transparent
        pen, box = ImageDraw.Draw(picture), (12 - i % 5, 6, 26 + i % 4, 22)
        if kind == "disc":
            pen.ellipse(box, fill="black")
        else:
            pen.rectangle(box, outline="black", width=2)
        picture.save(here / "shapes" / kind / f"{i:02d}.png")
# -- end draw pictures

# -- read a folder
shapes = mg.data.folder(here / "shapes", size=16, channels=1)
print(shapes.pixels.shape, shapes.pixels.dtype, shapes.classes)
# -- end read a folder
assert shapes.pixels.shape == (40, 16, 16, 1) and shapes.pixels.dtype == np.uint8
assert shapes.classes == ("disc", "frame") and shapes.labels.tolist() == [0] * 20 + [1] * 20
assert (shapes.pixels[:, 0, 0] == 255).all()  # what was transparent is white
assert mg.data.folder(here / "shapes").pixels.shape == (40, 32, 32, 3)
assert refused(lambda: mg.data.folder(here / "shapes", size=30), "divisible by 4")
assert refused(lambda: mg.data.folder(here / "nowhere"), "there is no folder")
(here / "mixed" / "a").mkdir(parents=True)
for name in ("a/one.png", "two.png"):
    Image.new("RGB", (9, 9), "red").save(here / "mixed" / name)
assert refused(lambda: mg.data.folder(here / "mixed"), "in subfolders (a) and beside them (two.png)")
(here / "mixed" / "two.png").write_text("no picture")
(here / "mixed" / "two.png").rename(here / "mixed" / "a" / "two.png")
assert refused(lambda: mg.data.folder(here / "mixed"), "a/two.png is not a picture that can be read")

# -- train on the folder
game = mg.games.gan(
    mg.networks.dcgan_generator(16, (16, 16, 1), width=8),
    mg.networks.dcgan_discriminator((16, 16, 1), width=8),
)
adam = mg.optimizers.adam(2e-4)
rule = mg.rules.alternating(adam, adam)
result = mg.train(game, rule, shapes.batches(16), num_steps=20, seed=0)
drawn = mg.sample(game, result.players, 4, seed=1)
# -- end train on the folder
assert len(result.history.scalars["gen_loss"]) == 20
assert drawn.shape == (4, 16, 16, 1) and drawn.dtype == np.float32 and abs(drawn).max() <= 1

# -- the rule for values
images = np.random.default_rng(0).integers(0, 256, (100, 16, 16, 1), np.uint8)
batch = mg.data.batches(images, 8)(0)  # a sampler is a function of a seed
halves = images / 255.0  # 0 to 1, as many programs want it
both = mg.data.batches(halves * 2.0 - 1.0, 8)(0)
# -- end the rule for values
assert batch.dtype == both.dtype == "float32" and abs(batch.numpy()).max() <= 1
np.testing.assert_allclose(batch, both, atol=1e-6)
np.testing.assert_array_equal(batch, mg.data.batches(images, 8)(0))
assert (mg.data.batches(np.full((2, 8, 8, 1), 255, np.uint8), 1)(0).numpy() == 1).all()
assert refused(lambda: mg.data.batches(halves, 8), "write images * 2.0 - 1")
assert refused(lambda: mg.data.batches(images.astype("float32"), 8), "images / 127.5 - 1")
assert refused(lambda: mg.data.batches(images // 128, 8), "none is above 1")
assert refused(lambda: mg.data.batches(np.moveaxis(images, -1, 1), 8), "channels second")
assert refused(lambda: mg.data.batches(np.full((4, 2), np.nan), 2), "finite")
points = mg.data.batches(np.linspace(0, 9, 20).reshape(10, 2), 4)(0)  # points are taken as they are
assert points.shape == (4, 2) and points.numpy().max() > 1

# -- read from a file
form = {"dtype": np.uint8, "shape": (2000, 16, 16, 1)}
stored = np.memmap(here / "large.bin", mode="w+", **form)
stored[:] = np.resize(shapes.pixels, stored.shape)  # yours: part by part
stored.flush()

on_disk = np.memmap(here / "large.bin", mode="r", **form)
large = mg.data.from_reader(lambda positions: on_disk[positions], len(on_disk))
batches = large.batches(16)
# -- end read from a file
np.testing.assert_array_equal(batches(5), batches(5))
assert batches(5).shape == (16, 16, 16, 1) and abs(batches(5).numpy()).max() <= 1
assert refused(lambda: mg.data.from_reader(lambda i: on_disk[i], 3000), "read failed")

# fmt: off
# -- stop and resume
whole = mg.train(game, rule, batches, num_steps=20, seed=0)

kept = {"seed": 0, "checkpoint": here / "run"}
mg.train(game, rule, batches, num_steps=10, **kept)
resumed = mg.train(game, rule, batches, num_steps=20, resume=True, **kept)

np.testing.assert_array_equal(
    resumed.history.scalars["disc_loss"], whole.history.scalars["disc_loss"]
)
# -- end stop and resume
# fmt: on
assert len(resumed.history.scalars["disc_loss"]) == 20
for a, b in zip(mg.trees.leaves(resumed.players), mg.trees.leaves(whole.players), strict=True):
    np.testing.assert_array_equal(a, b)
assert refused(lambda: mg.train(game, rule, batches, num_steps=20, **kept), "resume=True")

# -- labels
pairs = shapes.batches(16, labels=True)
pictures, labels = pairs(0)
# -- end labels
assert pictures.shape == (16, 16, 16, 1) and labels.shape == (16,) and labels.dtype == "int32"
marked = mg.data.from_reader(lambda positions: on_disk[positions], 2000, labels=np.arange(2000) % 2)
assert marked.batches(4, labels=True)(0)[1].shape == (4,)
assert refused(lambda: large.batches(4, labels=True), "this reader has no labels")
ours = mg.data.as_images(images, np.arange(100) % 10, "ours")
assert ours.images.min() >= -1 and ours.batches(4, labels=True)(0)[1].shape == (4,)

# fmt: off
# -- tasks
drawings = shapes.pixels.reshape(2, 20, 16, 16, 1)  # 2 characters, 20 drawings of each
characters = mg.data.as_characters(
    drawings, alphabets=["round", "square"], names=["disc", "frame"]
)
task = characters.tasks(shots=5)(0)
print(task.support.shape, task.query.shape)
# -- end tasks
# fmt: on
assert task.support.shape == (5, 16, 16, 1) and task.query.shape == (15, 16, 16, 1)
family = mg.data.mixture_tasks(shots=8, queries=8)
assert family.train(0).support.shape == family.test(0).query.shape == (8, 2)

# -- what is at hand
for name in ("mnist", "fashion_mnist", "omniglot"):
    print(name, "at hand" if mg.data.available(name) else "not at hand")
# -- end what is at hand

os.environ["METAGAN_EDU_DATA"] = str(here / "nowhere")
assert refused(lambda: mg.data.available("mnist"), "METAGAN_EDU_DATA is")
