"""Glyphs: legible, repeatable, cached safely, and split so that no letter shape is in two splits."""

import concurrent.futures
import logging
import sys
import unicodedata

import numpy as np
import pytest
import tensorflow as tf

from metagan_edu import data, seeds
from metagan_edu.data import drawings

module = sys.modules["metagan_edu.data.glyphs"]  # the package's attribute of this name is the function


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The whole set at 16 pixels, with few drawings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METAGAN_EDU_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield data.glyph_splits(16, drawings=6), data.glyphs(16, drawings=6)


@pytest.fixture
def few(tmp_path, monkeypatch):
    """A cache folder of its own, and three small scripts, one of each split."""
    monkeypatch.setenv("METAGAN_EDU_CACHE", str(tmp_path))
    keep = {name: module.SCRIPTS[name] for name in ("Greek", "Lao", "Hebrew")}
    monkeypatch.setattr(module, "SCRIPTS", keep)
    return tmp_path / "glyphs"


def test_fifteen_scripts_and_their_names(whole):
    characters = whole[1]
    assert len(set(characters.alphabets)) == 15 and len(set(characters.names)) == len(characters.names)
    for script, name in zip(characters.alphabets, characters.names, strict=True):
        assert script.upper().replace("N'KO", "NKO").split()[0] in unicodedata.name(unicodedata.lookup(name))


def test_bright_strokes_on_a_dark_ground(whole):
    images = whole[1].images
    assert images.dtype == np.float32 and images.shape[1:] == (6, 16, 16, 1)
    ink = (images[..., 0] + 1) / 2
    border = np.concatenate([ink[..., 0, :], ink[..., -1, :], ink[..., :, 0], ink[..., :, -1]], axis=-1)
    assert border.mean() < 0.01
    assert ink.mean(axis=(2, 3)).min() > 0.005 and ink.mean(axis=(2, 3)).max() < 0.5
    assert np.mean(ink.max(axis=(2, 3)) > 0.8) > 0.99  # every stroke stays visible
    assert np.abs(np.diff(images, axis=1)).mean(axis=(1, 2, 3, 4)).min() > 0.005  # no two drawings alike


def test_no_letter_shape_is_in_two_splits(whole):
    splits = whole[0]
    field = {unicodedata.name(character): field for _, character, field in module._fields()}
    shapes = {
        split: np.stack([drawings.clean(field[name], module.SHAPE_SIZE) for name in characters.names])
        for split, characters in splits.items()
    }
    first = len(shapes["train"])
    second = first + len(shapes["validation"])
    distance = module.shape_distances(np.concatenate(list(shapes.values())))
    apart = [distance[:first, first:second], distance[:first, second:], distance[first:second, second:]]
    assert min(block.min() for block in apart) >= 0.6
    counts = [first, second - first, len(shapes["test"])]
    np.testing.assert_allclose(counts, [521, 77, 162], atol=8)  # as said; another FreeType may move a letter or two


def test_splits_share_no_script_and_drop_what_leaks(whole):
    splits, everything = whole
    scripts = [set(characters.alphabets) for characters in splits.values()]
    assert not (scripts[0] & scripts[1] or scripts[0] & scripts[2] or scripts[1] & scripts[2])
    assert {"Georgian", "Hebrew", "Tifinagh"} == scripts[2]
    leaks = {"LATIN CAPITAL LETTER O", "CYRILLIC CAPITAL LETTER E", "LISU LETTER E"}  # like Tifinagh yar and yey
    assert leaks & set(everything.names) and not leaks & set(splits["train"].names)


def test_shape_distance_on_known_pictures():
    shapes = np.zeros((3, 9, 9), np.float32)
    shapes[0, :, 2] = shapes[1, :, 4] = shapes[2, :, 4] = 1  # two bars 2 pixels apart; the second bar again, with
    shapes[2, 4, 7] = 1  # a dot 3 pixels from it: 9 pixels at 0, one at 3
    distance = module.shape_distances(shapes)
    np.testing.assert_allclose(np.diag(distance), 0)
    np.testing.assert_allclose([distance[0, 1], distance[1, 2]], [2, 0.3], rtol=1e-6)
    np.testing.assert_array_equal(distance, distance.T)


def test_one_seed_one_set(few, monkeypatch):
    first = data.glyphs(16, drawings=3)
    monkeypatch.setenv("METAGAN_EDU_CACHE", str(few / "other"))
    again, other = data.glyphs(16, drawings=3), data.glyphs(16, drawings=3, seed=1)
    np.testing.assert_array_equal(first.images, again.images)
    assert first.names == again.names == other.names
    assert np.abs(first.images - other.images).mean() > 0.05


def test_a_drawing_is_the_same_at_both_sizes(few):
    small, large = data.glyphs(16, drawings=2), data.glyphs(28, drawings=2)
    same = data.glyphs(16, drawings=2, seed=1)
    reduced = tf.image.resize(large.images.reshape(-1, 28, 28, 1), (16, 16), antialias=True).numpy()

    def gap(characters):
        return np.abs(characters.images.reshape(-1, 16, 16, 1) - reduced).mean()

    assert gap(small) < 0.5 * gap(same)


def test_cache_is_read_and_equal(few, monkeypatch):
    first = data.glyphs(16, drawings=2)
    files = list(few.iterdir())
    assert len(files) == 1 and files[0].suffix == ".npz"
    monkeypatch.setattr(module, "_generate", None)
    np.testing.assert_array_equal(data.glyphs(16, drawings=2).images, first.images)


def cut(content):
    return content[: len(content) // 2]


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize("size", [20, 64])
def test_other_sizes(few, size):
    letters = data.glyphs(size, drawings=2)
    assert letters.pixels.shape[2:] == (size, size, 1) and letters.pixels.dtype == np.uint8
    ink = (letters.images[..., 0] + 1) / 2
    assert 0.05 < ink.mean() < 0.35 and np.median(ink.max(axis=(2, 3))) > 0.8


@pytest.mark.parametrize("damage", [cut, flip, lambda c: b"", lambda c: b"not an archive"])
def test_damaged_cache_is_said_and_made_again(few, caplog, damage):
    first = data.glyphs(16, drawings=2)
    (path,) = few.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    with caplog.at_level(logging.WARNING, "metagan_edu"):
        again = data.glyphs(16, drawings=2)
    assert len(caplog.messages) == 1 and f"{path} is damaged" in caplog.messages[0]
    np.testing.assert_array_equal(again.images, first.images)
    assert path.read_bytes() == whole and list(few.iterdir()) == [path]


def test_a_cache_of_another_set_is_not_taken(few, caplog):
    data.glyphs(16, drawings=2)
    (path,) = few.iterdir()
    path.rename(path.with_name(path.name.replace("-2-0", "-3-0")))
    with caplog.at_level(logging.WARNING, "metagan_edu"):
        assert data.glyphs(16, drawings=3).images.shape[1] == 3
    assert "unexpected shape" in caplog.messages[0]


def test_without_a_cache_folder_it_still_works(tmp_path, few, monkeypatch, caplog):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("METAGAN_EDU_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING, "metagan_edu"):
        assert data.glyphs(16, drawings=2).images.shape[1] == 2
    assert "cannot be written" in caplog.messages[-1]


def test_writers_at_the_same_time_leave_one_whole_cache(few):
    arrays = {"images": np.arange(4_000_000, dtype=np.uint8), "names": np.array(["a"])}
    path = few / "cache.npz"

    def write_and_read(number):
        module._write(path, arrays)
        with np.load(path, allow_pickle=False) as stored:
            return np.array_equal(stored["images"], arrays["images"])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert all(pool.map(write_and_read, range(24)))
    assert list(few.iterdir()) == [path]


def test_tasks_hold_one_letter_of_their_split(few):
    splits, tasks = data.glyph_splits(16, drawings=5), data.glyph_tasks(16, shots=2, drawings=5)
    for split, sample in tasks._asdict().items():
        compiled = tf.function(sample)
        known = splits[split].images
        for number in range(5):
            task = compiled(seeds.make(number))
            assert task.support.shape == (2, 16, 16, 1) and task.query.shape == (3, 16, 16, 1)
            drawn = np.concatenate([task.support, task.query])
            same = (drawn[:, None, None] == known[None]).all(axis=(3, 4, 5))  # (5, letters, drawings)
            letters = same.any(axis=2).all(axis=0)
            assert letters.sum() == 1 and (same[:, letters].sum(axis=0) == 1).all()
        assert compiled.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.glyphs(8), "size must be 16 to 64 pixels and divisible by 4, not 8"),
        (lambda: data.glyphs(drawings=1), "drawings must be a whole number of at least 2, not 1"),
        (lambda: data.glyphs(drawings="many"), "drawings must be a whole number of at least 2, not 'many'"),
        (lambda: data.glyphs(seed=-1), "seed must be a whole number of at least 0, not -1"),
        (lambda: data.glyph_tasks(shots=2, drawings=2), "shots must be less than the 2 drawings"),
    ],
)
def test_bad_input_is_named(few, call, message):
    with pytest.raises(ValueError, match=message):
        call()
