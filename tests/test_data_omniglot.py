"""Omniglot's zips: what is drawn is read, and unsafe or damaged archives are refused by name."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from metagan_edu.data.omniglot import read_folder, read_zip


def png(ink, mode="1"):
    buffer = io.BytesIO()
    Image.fromarray(np.where(ink, 0, 255).astype(np.uint8)).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def stroke(column):
    ink = np.zeros((105, 105), bool)
    ink[20:85, column : column + 3] = True
    return ink


def pictures(drawings=3):
    return {
        f"small/{alphabet}/character{i:02}/{i:04}_{d + 1:02}.png": png(stroke(15 + 15 * i + 2 * d))
        for alphabet in ("Aaa", "Bbb")
        for i in (1, 2)
        for d in range(drawings)
    }


def write(path, entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("size", [8, 16, 28])
def test_strokes_come_out_where_they_were_drawn(tmp_path, size):
    shuffled = dict(reversed(pictures().items())) | {"small/": b"", "small/.DS": b"x"}
    characters = read_zip(write(tmp_path / "a.zip", shuffled), size=size)
    assert characters.images.shape == (4, 3, size, size, 1)
    assert characters.alphabets == ("Aaa", "Aaa", "Bbb", "Bbb")
    assert characters.names[1] == "Aaa/character02"
    ink = (characters.images[..., 0] + 1) / 2
    centers = (ink.sum(axis=2) @ (np.arange(size) + 0.5)) / ink.sum(axis=(2, 3)) * 105 / size
    want = np.array([[15 * i + 16.5 + 2 * d for d in range(3)] for i in (1, 2, 1, 2)])
    np.testing.assert_allclose(centers, want, atol=0.3)
    assert ink[..., size // 2, :].max(axis=-1).min() > 0.4  # visible in every drawing
    assert ink[..., 0, :].max() < 0.05


@pytest.mark.parametrize(
    "name", ["../evil.png", "/etc/evil.png", "small/../../evil.png", "small\\evil.png", "C:/a.png"]
)
def test_an_entry_that_leaves_its_folder_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"a\.zip has an entry that leaves its folder: '.*' ?. It was not read"):
        read_zip(write(tmp_path / "a.zip", pictures() | {name: png(stroke(50))}))
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: {"readme.txt": b"x"}, "holds no picture of the form folder/Alphabet/character/drawing.png"),
        (lambda p: p | {next(iter(p)): png(np.zeros((28, 28)))}, "0001_01.png has 28x28 pixels, not 105x105"),
        (lambda p: p | {next(iter(p)): b"not a picture"}, "0001_01.png is not a readable PNG picture"),
        (lambda p: p | {next(iter(p)): png(stroke(9))[:60]}, "0001_01.png is not a readable PNG picture"),
        (lambda p: p | {next(iter(p)): bytes(200_000)}, "0001_01.png would unpack to 200000 bytes, over 100000"),
        (lambda p: dict(list(p.items())[1:]), "has 2 of Aaa/character01 and 3 of Aaa/character02"),
    ],
)
def test_damage_is_named(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        read_zip(write(tmp_path / "a.zip", change(pictures())))


def clear(ink, color=0):
    """A PNG of ink in one gray on transparent ground."""
    buffer = io.BytesIO()
    levels = np.full((105, 105), color)
    Image.fromarray(np.stack([levels, levels, levels, 255 * ink], -1).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_transparent_ground_is_paper(tmp_path):
    first = next(iter(pictures()))
    plain = read_zip(write(tmp_path / "a.zip", pictures()))
    other = read_zip(write(tmp_path / "b.zip", pictures() | {first: clear(stroke(30))}))
    np.testing.assert_array_equal(plain.images, other.images)


@pytest.mark.parametrize(
    ("picture", "share"),
    [(clear(stroke(30), 255), "0.0"), (png(~stroke(30)), "98.2"), (png(np.zeros((105, 105), bool)), "0.0"),
     (clear(np.ones((105, 105))), "100.0")],
)  # fmt: skip
def test_a_picture_of_nearly_all_ink_or_none_is_refused(tmp_path, picture, share):
    entries = pictures() | {next(iter(pictures())): picture}
    with pytest.raises(ValueError, match=f"0001_01.png is {share} % ink, where a drawing has 0.1 to 50 %: dark ink on"):
        read_zip(write(tmp_path / "a.zip", entries))


def test_an_unpacked_archive_reads_the_same(tmp_path):
    packed = write(tmp_path / "small.zip", pictures())
    zipfile.ZipFile(packed).extractall(tmp_path)
    (tmp_path / "small" / ".DS_Store").write_bytes(b"x")
    one, other = read_zip(packed), read_folder(tmp_path / "small")
    np.testing.assert_array_equal(one.images, other.images)
    assert (one.names, one.alphabets) == (other.names, other.alphabets)
    (tmp_path / "small" / "Aaa" / "character01" / "0001_01.png").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"small: small/Aaa/character01/0001_01\.png is not a readable PNG picture"):
        read_folder(tmp_path / "small")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.99])
def test_truncated_zip_is_refused(tmp_path, keep):
    path = write(tmp_path / "a.zip", pictures())
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match=r"a\.zip cannot be unpacked"):
        read_zip(path)


def test_altered_zip_is_refused(tmp_path):
    path = write(tmp_path / "a.zip", pictures())
    content = bytearray(path.read_bytes())
    content[100] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.zip cannot be unpacked \(Bad CRC-32"):
        read_zip(path)
