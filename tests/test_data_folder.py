"""Folders of pictures: what is seen is read, whatever the format, and what cannot be taken is refused by name."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from metagan_edu import data, seeds
from metagan_edu.data import picture_files

RNG = np.random.default_rng(0)


def bars(width=32, height=32, mode="RGB"):
    """Left half dark, right half bright, with a thin red line on top."""
    values = np.zeros((height, width, 3), np.uint8)
    values[:, width // 2 :] = 200
    values[0] = (255, 0, 0)
    return Image.fromarray(values).convert(mode)


def drawing(ink="black"):
    """A transparent RGBA picture with a square of ink that covers an eighth and a bit (12 of 32 pixels squared)."""
    picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    picture.paste(Image.new("RGBA", (12, 12), ink), (10, 10))
    return picture


def fill(folder, **pictures):
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        picture.save(folder / name.replace("__", "."))
    return folder


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "gif", "tiff", "webp", "ppm", "tga"])
@pytest.mark.parametrize("channels", [1, 3])
def test_formats(tmp_path, ending, channels):
    made = data.folder(fill(tmp_path, **{f"a__{ending}": bars()}), size=32, channels=channels)
    assert made.pixels.dtype == np.uint8 and made.pixels.shape == (1, 32, 32, channels)
    assert made.labels.tolist() == [0] and made.classes == () and made.name == tmp_path.name
    assert made.pixels[0, 8:, :12].max() <= 12 and np.abs(made.pixels[0, 8:, 20:].astype(int) - 200).max() <= 12


def test_subfolders_are_classes_in_the_order_of_their_names(tmp_path):
    for name, level in (("b", 10), ("a", 20), ("C", 30)):
        shade = Image.new("L", (8, 8), level)
        fill(tmp_path / name / "more", y__png=shade)
        fill(tmp_path / name, x__png=shade)
    (tmp_path / "a" / "notes.txt").write_text("not a picture")
    (tmp_path / "a" / ".hidden.png").write_text("nor this")
    fill(tmp_path / "__MACOSX", x__png=bars())
    fill(tmp_path / ".ipynb_checkpoints", x__png=bars())
    made = data.folder(str(tmp_path), size=8, channels=1)
    assert made.classes == ("C", "a", "b") and made.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert made.pixels[:, 0, 0, 0].tolist() == [30, 30, 20, 20, 10, 10]
    batch, labels = made.batches(40, labels=True)(seeds.make(0))
    np.testing.assert_allclose(batch[:, 0, 0, 0], np.array([30, 20, 10])[labels] / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_transparency_is_laid_on_white(tmp_path, mode):
    if mode == "P":
        picture = Image.fromarray(np.where(np.asarray(drawing())[..., 3] > 0, 1, 0).astype(np.uint8), "L").convert("P")
        picture.putpalette([255, 0, 0, 0, 0, 0])
        picture.save(tmp_path / "a.gif", transparency=0)
    else:
        drawing().convert(mode).save(tmp_path / f"a.{'tiff' if mode == 'PA' else 'png'}")
    made = data.folder(tmp_path, size=32, channels=1).images[0]
    assert np.mean(made < 0) == pytest.approx(144 / 1024)  # 14 % ink, not 100 %
    assert set(np.unique(made)) == {-1.0, 1.0}


def test_half_transparent_ink_is_gray(tmp_path):
    drawing((0, 0, 0, 128)).save(tmp_path / "a.png")
    made = data.folder(tmp_path, size=32, channels=3).pixels[0]
    assert np.abs(made[16, 16].astype(int) - 127).max() <= 1 and made[0, 0].tolist() == [255, 255, 255]


def test_pictures_are_turned_upright(tmp_path):
    lying = bars().rotate(90)  # what a camera held sideways saves
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees clockwise to show"
    lying.save(tmp_path / "a.png", exif=exif)
    bars().save(tmp_path / "b.png")
    turned, plain = data.folder(tmp_path, size=32).pixels
    np.testing.assert_array_equal(turned, plain)


@pytest.mark.parametrize("shape", [(64, 32), (32, 64), (47, 33)])
def test_the_middle_square_is_taken(tmp_path, shape):
    values = np.zeros((*shape, 3), np.uint8)
    side = min(shape)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    values[top : top + side, left : left + side] = 180
    Image.fromarray(values).save(tmp_path / "a.png")
    assert (data.folder(tmp_path, size=16).pixels == 180).all()


def test_a_reduction_averages(tmp_path):
    Image.fromarray((RNG.random((64, 64)) < 0.5).astype(np.uint8) * 255).save(tmp_path / "a.png")
    Image.fromarray((RNG.random((640, 640)) < 0.5).astype(np.uint8) * 255).save(tmp_path / "b.png")
    small = data.folder(tmp_path, size=8, channels=1).pixels.astype(float)
    assert np.abs(small[0] - 127.5).max() < 60 and np.abs(small[1] - 127.5).max() < 8  # averaged, not picked


def test_sixteen_bits_are_scaled_not_cut(tmp_path):
    Image.fromarray(np.full((16, 16), 257 * 99, np.uint16)).save(tmp_path / "a.png")
    assert (data.folder(tmp_path, size=16, channels=1).pixels == 99).all()


def bomb():
    """A PNG whose header says 30,000 x 30,000 pixels."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def content(picture, kind="PNG"):
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


NOISE = Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("name", "made", "message"),
    [
        ("bad.png", b"not a picture", r"bad\.png is not a picture that can be read"),
        ("bad.jpg", b"", r"bad\.jpg is not a picture that can be read"),
        ("bad.png", content(NOISE)[:2000], r"bad\.png is a damaged picture"),
        ("bad.jpg", content(NOISE, "JPEG")[:2000], r"bad\.jpg is a damaged picture"),
        ("bad.png", bomb(), r"bad\.png has (more than 100000000 pixels|30000x30000 pixels, over 100000000)"),
        ("bad.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", r"bad\.eps is not a picture"),
        ("bad.png", content(drawing("white")), r"bad\.png shows nothing once its transparency is laid on white"),
        ("bad.png", content(Image.new("RGBA", (9, 9))), r"bad\.png shows nothing once its transparency"),
        ("bad.png", content(Image.new("L", (1, 9))), r"bad\.png has 1x9 pixels"),
        ("bad.tiff", content(Image.fromarray(np.ones((9, 9), np.float32)), "TIFF"), r"bad\.tiff has floating-point"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named(tmp_path, name, made, message):
    fill(tmp_path / "cats", good__png=bars())
    (tmp_path / "cats" / name).write_bytes(made)
    with pytest.raises(ValueError, match=f"has 1 of 2 files that cannot be taken: cats/{message}.*Mend them or move"):
        data.folder(tmp_path)


def test_many_faults_are_counted(tmp_path):
    for i in range(9):
        (tmp_path / f"{i}.png").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"has 9 of 9 files .*: 0\.png is .*, 4\.png is [^,]*, and 4 more\."):
        data.folder(tmp_path)


def test_a_plain_picture_without_transparency_is_what_it_is(tmp_path):
    fill(tmp_path, a__png=Image.new("RGBA", (9, 9), (9, 9, 9, 255)), b__png=Image.new("L", (9, 9), 255))
    assert data.folder(tmp_path, size=8, channels=1).pixels[:, 0, 0, 0].tolist() == [9, 255]


def test_bad_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*/nowhere\."):
        data.folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no pictures"):
        data.folder(tmp_path)
    fill(tmp_path, a__png=bars())
    fill(tmp_path / "cats", b__png=bars())
    with pytest.raises(ValueError, match=r"pictures in subfolders \(cats\) and beside them \(a\.png\): move"):
        data.folder(tmp_path)
    with pytest.raises(ValueError, match="size must be 8 to 64 pixels and divisible by 4, not 30"):
        data.folder(tmp_path, size=30)
    with pytest.raises(ValueError, match="channels must be one of 1, 3, not 4"):
        data.folder(tmp_path, channels=4)


def test_the_ghostscript_formats_are_not_opened():
    assert "EPS" not in picture_files._formats() and {"PNG", "JPEG", "GIF"} <= set(picture_files._formats())
