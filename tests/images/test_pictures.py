import dataclasses
import errno
import os
import struct
import subprocess
import sys
import threading
import tracemalloc
import warnings
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin

from kerasgan.errors import DataError, OutputError
from kerasgan.images import formats
from kerasgan.images.formats import find_images
from kerasgan.images.pictures import Picture, read_picture, write_picture
from kerasgan.images.pixels import from_float, to_float, with_channels

RANDOM = np.random.default_rng(0)


def pixels(channels, dtype=np.uint8, height=20, width=30):
    top = np.iinfo(dtype).max
    return RANDOM.integers(0, top + 1, (height, width, channels), dtype=dtype)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [(".png", np.uint8), (".tif", np.uint8), (".png", np.uint16), (".tiff", np.uint16)],
)
def test_pictures_come_back_as_they_were_written(tmp_path, suffix, dtype, channels, alpha):
    path = tmp_path / f"picture{suffix}"
    picture = Picture(pixels(channels, dtype), pixels(1, dtype) if alpha else None)
    write_picture(path, picture)
    again = read_picture(path)
    np.testing.assert_array_equal(again.pixels, picture.pixels)
    assert again.pixels.dtype == dtype
    if alpha:
        np.testing.assert_array_equal(again.alpha, picture.alpha)
    else:
        assert again.alpha is None


def test_webp_keeps_the_colours_of_what_is_clear(tmp_path):
    picture = Picture(pixels(3), pixels(1) // 200 * 255)
    write_picture(tmp_path / "a.webp", picture)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.webp").pixels, picture.pixels)


@pytest.mark.parametrize("name", ["a.bmp", "a.webp"])
def test_lossless_color_formats_come_back(tmp_path, name):
    picture = Picture(pixels(3))
    write_picture(tmp_path / name, picture)
    np.testing.assert_array_equal(read_picture(tmp_path / name).pixels, picture.pixels)


def test_jpeg_comes_back_nearly(tmp_path):
    smooth = np.tile(np.arange(64, dtype=np.uint8)[:, np.newaxis, np.newaxis] * 3, (1, 64, 3))
    write_picture(tmp_path / "a.jpg", Picture(smooth))
    error = read_picture(tmp_path / "a.jpg").pixels.astype(int) - smooth
    assert np.abs(error).max() <= 3


def test_palettes_and_bilevel_images_are_unfolded(tmp_path):
    grey = Image.fromarray(pixels(1)[..., 0])
    grey.convert("P").save(tmp_path / "palette.png")
    grey.convert("1").save(tmp_path / "bilevel.png")
    transparent = grey.convert("P")
    transparent.save(tmp_path / "transparent.png", transparency=3)
    assert read_picture(tmp_path / "palette.png").pixels.shape == (20, 30, 3)
    assert set(np.unique(read_picture(tmp_path / "bilevel.png").pixels)) == {0, 255}
    assert read_picture(tmp_path / "transparent.png").alpha.shape == (20, 30, 1)


def test_sixteen_bit_grey_as_other_programs_write_it(tmp_path):
    values = pixels(1, np.uint16)
    Image.fromarray(values[..., 0]).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", values[..., 0], photometric="miniswhite")
    planar = pixels(3, np.uint16)
    tifffile.imwrite(
        tmp_path / "b.tif", np.moveaxis(planar, -1, 0), photometric="rgb", planarconfig="separate"
    )
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").pixels, values)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, 65535 - values)
    np.testing.assert_array_equal(read_picture(tmp_path / "b.tif").pixels, planar)


def test_compressed_sixteen_bit_tiff_is_read(tmp_path):
    values = pixels(3, np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", compression="lzw")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, values)


def test_profiles_of_other_color_models_are_dropped(tmp_path):
    cmyk = Image.fromarray(pixels(3)).convert("CMYK")
    cmyk.save(tmp_path / "a.jpg", icc_profile=b"profile")
    assert "icc_profile" not in read_picture(tmp_path / "a.jpg").metadata


def test_turned_photographs_are_read_upright_and_keep_their_metadata(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    Image.fromarray(pixels(3)).save(tmp_path / "turned.jpg", exif=exif, icc_profile=b"profile")
    picture = read_picture(tmp_path / "turned.jpg")
    assert picture.pixels.shape == (30, 20, 3)
    write_picture(tmp_path / "again.jpg", picture)
    with Image.open(tmp_path / "again.jpg") as again:
        assert again.getexif()[0x010F] == "a camera"
        assert 0x0112 not in again.getexif()
        assert again.info["icc_profile"] == b"profile"


def png_without_pixels(width, height):
    def chunk(kind, content):
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


def truncated(path, share=0.5):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def bad_files(folder):
    (folder / "empty.png").write_bytes(b"")
    yield "empty.png", "is an empty file"
    (folder / "text.png").write_text("hello")
    yield "text.png", "not an image"
    (folder / "none.png").write_bytes(png_without_pixels(0, 0))
    yield "none.png", "decode|no pixels"
    (folder / "huge.png").write_bytes(png_without_pixels(100_000, 100_000))
    yield "huge.png", "more than 178,956,970 pixels"
    for name in ("cut.jpg", "cut.png", "cut.tif", "cut.bmp"):
        Image.fromarray(pixels(3, height=100, width=100)).save(folder / name)
        truncated(folder / name)
        yield name, name
    write_picture(folder / "deep.png", Picture(pixels(3, np.uint16)))
    truncated(folder / "deep.png")
    yield "deep.png", "decode"
    write_picture(folder / "deep.tif", Picture(pixels(3, np.uint16)))
    truncated(folder / "deep.tif")
    yield "deep.tif", "decode"
    Image.fromarray(np.zeros((8, 8), np.float32)).save(folder / "float.tif")
    yield "float.tif", "32 bits"
    for name, dtype in (("float rgb.tif", np.float32), ("signed.tif", np.int16)):
        tifffile.imwrite(folder / name, pixels(3).astype(dtype), photometric="rgb")
        yield name, "32 bits, or signed"
    tifffile.imwrite(folder / "cmyk.tif", pixels(4, np.uint16), photometric="separated")
    yield "cmyk.tif", "a SEPARATED picture"
    tifffile.imwrite(
        folder / "spectral.tif",
        pixels(6, np.uint16),
        photometric="minisblack",
        planarconfig="contig",
    )
    yield "spectral.tif", "no picture"
    yield "missing.png", "cannot read"


def test_bad_files_are_named(tmp_path):
    for name, message in bad_files(tmp_path):
        with pytest.raises(DataError, match=message) as caught:
            read_picture(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "picture", "message"),
    [
        ("a.gif", Picture(pixels(1)), "must end in one of"),
        ("a.jpg", Picture(pixels(1, np.uint16)), "no 16 bits"),
        ("a.jpg", Picture(pixels(3), pixels(1)), "no transparency"),
        ("a.bmp", Picture(pixels(1), pixels(1)), "no transparency"),
        ("a.bmp", Picture(pixels(3), pixels(1)), "no transparency"),
    ],
)
def test_formats_that_cannot_hold_the_picture_are_refused(tmp_path, name, picture, message):
    with pytest.raises(OutputError, match=message):
        write_picture(tmp_path / name, picture)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_scaling_there_and_back_changes_nothing(dtype):
    every = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    np.testing.assert_array_equal(from_float(to_float(every), dtype), every)
    assert to_float(every).max() == 1.0


def test_ranges_are_not_guessed():
    with pytest.raises(ValueError, match="uint8 or uint16"):
        to_float(np.zeros((2, 2), np.int32))


def test_grey_is_pillows_luma():
    color = pixels(3)
    luma = np.asarray(Image.fromarray(color).convert("L"))
    error = with_channels(color, 1)[..., 0].astype(int) - luma
    assert np.abs(error).max() <= 1  # Pillow works in integers
    grey = pixels(1)
    np.testing.assert_array_equal(with_channels(with_channels(grey, 3), 1), grey)


def test_find_images_is_recursive_sorted_and_passes_over_the_rest(photos):
    (photos / "notes.txt").write_text("no picture")
    (photos / ".hidden.png").write_text("no picture")
    (photos / ".trash" / "files").mkdir(parents=True)
    (photos / ".trash" / "files" / "g.png").write_text("no picture")
    names = [str(path.relative_to(photos)) for path in find_images(photos)]
    assert names == ["a.png", "b.bmp", "c.webp", "d.tif", "more/e.png", "more/f.png"]


def test_a_disk_that_fails_once_is_read_again(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    write_picture(path, Picture(np.full((8, 8, 1), 9, np.uint8)))
    read, failures = type(path).read_bytes, []

    def fail(times):
        def read_bytes(self):
            if len(failures) < times:
                failures.append(self)
                raise OSError(errno.EIO, "Input/output error")
            return read(self)

        failures.clear()
        monkeypatch.setattr(type(path), "read_bytes", read_bytes)

    fail(1)
    assert (read_picture(path).pixels == 9).all()
    fail(2)
    with pytest.raises(DataError, match=r"cannot read .*picture\.png: Input/output error"):
        read_picture(path)


def test_content_of_other_formats_reaches_no_decoder(tmp_path):
    (tmp_path / "page.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n")
    Image.fromarray(pixels(1)[..., 0]).save(tmp_path / "a.pgm")
    (tmp_path / "a.pgm").rename(tmp_path / "a.png")
    for name in ("page.png", "a.png"):
        with pytest.raises(DataError, match="not an image"):
            read_picture(tmp_path / name)


def test_the_first_of_several_pictures_in_a_jpeg_is_read(tmp_path):
    first, second = (Image.fromarray(pixels(3)) for _ in range(2))
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second])
    assert read_picture(tmp_path / "a.jpg").pixels.shape == (20, 30, 3)


def test_pillows_limit_may_be_switched_off(tmp_path):
    write_picture(tmp_path / "a.png", Picture(pixels(1)))
    program = (
        "import sys, PIL.Image; PIL.Image.MAX_IMAGE_PIXELS = None\n"
        "from kerasgan.images.pictures import read_picture\n"
        "print(read_picture(sys.argv[1]).pixels.shape)"
    )
    command = [sys.executable, "-c", program, tmp_path / "a.png"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "(20, 30, 1)\n"


def test_pillows_limit_may_be_lowered(tmp_path, monkeypatch):
    write_picture(tmp_path / "a.png", Picture(pixels(1)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DataError, match="has more than 200 pixels"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("samples", [5, 60_000])
def test_absurd_tiff_headers_are_refused_before_memory_is_asked_for(tmp_path, samples):
    def entry(tag, kind, value):
        return struct.pack("<HHII", tag, kind, 1, value)

    values = {256: 10_000, 257: 10_000, 258: 16, 259: 1, 262: 1, 273: 8, 277: samples}
    values |= {278: 10_000, 279: 16, 284: 1}
    entries = b"".join(entry(tag, 4, value) for tag, value in values.items())
    header = b"II*\0" + struct.pack("<IH", 8, len(values))
    (tmp_path / "a.tif").write_bytes(header + entries + bytes(64))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=f"has {samples} values a pixel"):
            read_picture(tmp_path / "a.tif")
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_metadata_that_a_format_cannot_hold_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"^cannot write \S*a\.jpg: EXIF data is too long"):
        write_picture(tmp_path / "a.jpg", Picture(pixels(3), metadata={"exif": bytes(70_000)}))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("tag", [700, 34377])
def test_what_editors_keep_beside_exif_data_does_not_stop_a_jpeg(tmp_path, tag):
    exif = Image.Exif()
    exif[0x010F], exif[tag] = "a camera", bytes(70_000)
    Image.fromarray(pixels(3)).save(tmp_path / "a.tif", exif=exif)
    write_picture(tmp_path / "a.jpg", read_picture(tmp_path / "a.tif"))
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.getexif()[0x010F] == "a camera"


def test_threads_that_read_leave_filters_of_warnings_as_they_were(tmp_path):
    write_picture(tmp_path / "a.png", Picture(pixels(3)))
    before = list(warnings.filters)

    def read():
        for _ in range(100):
            read_picture(tmp_path / "a.png")

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert warnings.filters == before


@pytest.mark.parametrize(("name", "longest"), [("a.webp", 16_383), ("a.jpg", 65_500)])
def test_pictures_longer_than_a_format_holds_are_refused(tmp_path, name, longest):
    write_picture(tmp_path / name, Picture(np.zeros((1, longest, 1), np.uint8)))
    for shape in [(1, longest + 1, 1), (longest + 1, 1, 1)]:
        with pytest.raises(OutputError, match=f"holds at most {longest} pixels a side; use .png"):
            write_picture(tmp_path / name, Picture(np.zeros(shape, np.uint8)))


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png"):
        with pytest.raises(DataError, match="no regular file"):
            read_picture(tmp_path / name)


def test_sixteen_bits_need_no_tensorflow(tmp_path):
    write_picture(tmp_path / "a.png", Picture(pixels(3, np.uint16)))
    program = (
        "import sys\nfrom kerasgan.images.pictures import read_picture\n"
        "print(read_picture(sys.argv[1]).pixels.dtype, 'tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", program, tmp_path / "a.png"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "uint16 False\n"


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "P", "RGB", "RGBA", "LA", "L", "1"])
@pytest.mark.parametrize("options", [{}, {"big_tiff": True}, {"compression": "tiff_lzw"}])
def test_what_a_tiff_says_of_its_layout_does_not_travel(tmp_path, mode, options):
    """The colours of another mode would be read with the old file's layout."""
    source = Image.fromarray(pixels(3)).convert("RGB").convert(mode if mode != "LAB" else "RGB")
    if mode == "LAB":
        source = Image.frombytes("LAB", source.size, source.tobytes())
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    source.save(tmp_path / "old.tif", exif=exif, **options)
    picture = read_picture(tmp_path / "old.tif")
    for name in ("new.tif", "new.png"):
        write_picture(tmp_path / name, picture)
        again = read_picture(tmp_path / name)
        np.testing.assert_array_equal(again.pixels, picture.pixels)
        with Image.open(tmp_path / name) as image:
            assert image.size == (picture.pixels.shape[1], picture.pixels.shape[0])
            assert image.getexif()[0x010F] == "a camera"


def test_of_a_gif_the_first_frame_is_read(tmp_path):
    first, second = (Image.fromarray(pixels(1)[..., 0]) for _ in range(2))
    first.save(tmp_path / "grey.gif", save_all=True, append_images=[second])
    read = read_picture(tmp_path / "grey.gif").pixels
    np.testing.assert_array_equal(read, np.broadcast_to(np.asarray(first)[..., None], read.shape))
    colours = Image.fromarray(pixels(3) // 64 * 64).quantize(64)
    colours.save(tmp_path / "colour.gif")
    read = read_picture(tmp_path / "colour.gif").pixels
    np.testing.assert_array_equal(read, np.asarray(colours.convert("RGB")))


def test_heic_is_read_where_its_package_is(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "photo.HEIC"
    smooth = np.tile(np.arange(64, dtype=np.uint8)[:, np.newaxis, np.newaxis] * 3, (1, 64, 3))
    pillow_heif.from_pillow(Image.fromarray(smooth)).save(path, quality=95)
    read = read_picture(path)
    assert np.abs(read.pixels.astype(int) - smooth).max() <= 4
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="cannot decode"):
        read_picture(path)
    # By its name alone: a decoder of video does not look at whatever is called a PNG.
    pillow_heif.from_pillow(Image.fromarray(smooth)).save(tmp_path / "a.heic")
    (tmp_path / "a.heic").rename(tmp_path / "a.png")
    with pytest.raises(DataError, match="not an image"):
        read_picture(tmp_path / "a.png")


def test_heic_says_what_to_install_where_its_package_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None)
    (tmp_path / "photo.heic").touch()
    with pytest.raises(DataError, match=r"photo.heic: pip install 'kerasgan\[heic\]' reads it"):
        read_picture(tmp_path / "photo.heic")


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_white_is_white_where_fewer_than_sixteen_bits_are_used(tmp_path, bits, suffix):
    path, white = tmp_path / f"scan{suffix}", 2**bits - 1
    values = RANDOM.integers(0, white + 1, (20, 30, 1), dtype=np.uint16)
    values[0, 0] = white
    write_picture(path, Picture(values))
    picture = read_picture(path)
    assert picture.white == white
    np.testing.assert_allclose(to_float(picture.pixels), values / white, atol=1e-5)
    write_picture(path, picture)
    assert read_picture(path).white == white
    written = tifffile.imread(path) if suffix == ".tif" else np.asarray(Image.open(path))
    np.testing.assert_array_equal(written, values[..., 0])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_the_resolution_of_a_scan_is_kept(tmp_path, suffix):
    scan, again = tmp_path / f"scan{suffix}", tmp_path / f"again{suffix}"
    Image.new("L", (30, 20), 99).save(scan, dpi=(300, 200))
    write_picture(again, read_picture(scan))
    with Image.open(again) as image:
        assert image.info["dpi"] == pytest.approx((300, 200), rel=1e-4)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_the_resolution_is_turned_with_the_picture(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (30, 20), 99).save(tmp_path / f"scan{suffix}", dpi=(300, 200), exif=exif)
    write_picture(tmp_path / f"again{suffix}", read_picture(tmp_path / f"scan{suffix}"))
    with Image.open(tmp_path / f"again{suffix}") as image:
        assert image.size == (20, 30)
        assert image.info["dpi"] == pytest.approx((200, 300), rel=1e-4)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_the_resolution_of_sixteen_bits_is_turned_and_may_be_absurd(tmp_path, suffix):
    deep = pixels(1, np.uint16)[..., 0]
    for number, (given, kept) in enumerate([((300, 200), (200, 300)), ((2**32 - 1, 1), None)]):
        scan, again = tmp_path / f"{number}.tif", tmp_path / f"again{number}{suffix}"
        turned = [(274, "H", 1, 6, True)]
        tifffile.imwrite(scan, deep, resolution=given, resolutionunit=2, extratags=turned)
        write_picture(again, read_picture(scan))
        with Image.open(again) as image:
            found = image.info.get("dpi")
        assert kept is None or found == pytest.approx(kept, rel=1e-4)


def test_white_may_be_zero_and_opacity_not(tmp_path):
    grey, alpha = pixels(1, np.uint16), pixels(1, np.uint16)
    both = np.concatenate([65535 - grey, alpha], axis=-1)
    options = {"photometric": "miniswhite", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(tmp_path / "a.tif", both, planarconfig="contig", **options)
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.pixels, grey)
    np.testing.assert_array_equal(picture.alpha, alpha)


@pytest.mark.parametrize("unit", [2, 3])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_keep_their_colours_and_their_size_on_paper(tmp_path, suffix, unit):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    per_unit = (300, 200) if unit == 2 else (300 / 2.54, 200 / 2.54)
    options = {"iccprofile": profile, "resolution": per_unit, "resolutionunit": unit}
    deep = pixels(3, np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb", **options)
    write_picture(tmp_path / f"b{suffix}", read_picture(tmp_path / "a.tif"))
    write_picture(tmp_path / f"c{suffix}", read_picture(tmp_path / f"b{suffix}"))
    found, resolution = profile_and_resolution(tmp_path / f"c{suffix}")
    assert found == profile and resolution == pytest.approx((300, 200), rel=1e-4)
    np.testing.assert_array_equal(read_picture(tmp_path / f"c{suffix}").pixels, deep)


def profile_and_resolution(path):
    if path.suffix == ".png":
        with Image.open(path) as image:
            return image.info["icc_profile"], image.info["dpi"]
    with tifffile.TiffFile(path) as file:
        tags = file.pages.first.tags
        assert tags.valueof(296) == 2
        per_inch = tuple(over / under for over, under in map(tags.valueof, (282, 283)))
        return tags.valueof(34675), per_inch


def test_colours_that_were_multiplied_by_their_opacity_come_back(tmp_path):
    color, opacity = pixels(3, np.uint16), np.full((*pixels(3).shape[:2], 1), 0.5)
    opacity[0] = 0.0
    alpha = np.rint(65535 * opacity).astype(np.uint16)
    multiplied = np.concatenate([np.rint(color * opacity).astype(np.uint16), alpha], axis=2)
    options = {"photometric": "rgb", "extrasamples": ["assocalpha"]}
    tifffile.imwrite(tmp_path / "a.tif", multiplied, **options)
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_allclose(picture.pixels[1:], color[1:], atol=2)
    np.testing.assert_array_equal(picture.pixels[0], 0)
    write_picture(tmp_path / "b.tif", picture)
    again = read_picture(tmp_path / "b.tif")
    np.testing.assert_array_equal(again.pixels, picture.pixels)
    np.testing.assert_array_equal(again.alpha, alpha)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pages_are_counted_and_the_first_is_read(tmp_path, dtype, capfd):
    pages = [pixels(1, dtype)[..., 0] for _ in range(3)]
    with tifffile.TiffWriter(tmp_path / "pages.tif") as file:
        for page in pages:
            file.write(page, photometric="minisblack")
    picture = read_picture(tmp_path / "pages.tif")
    assert picture.images == 3
    np.testing.assert_array_equal(picture.pixels[..., 0], pages[0])
    content = (tmp_path / "pages.tif").read_bytes()
    (tmp_path / "damaged.tif").write_bytes(content[: len(content) // 2])
    damaged = read_picture(tmp_path / "damaged.tif")
    np.testing.assert_array_equal(damaged.pixels, picture.pixels)
    assert not any(capfd.readouterr())


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_deep_pictures_are_upright_as_pillow_has_those_of_8_bits(tmp_path, suffix, turned):
    shallow, exif = pixels(1), Image.Exif()
    exif[0x0112] = turned
    Image.fromarray(shallow[..., 0]).save(tmp_path / f"a{suffix}", exif=exif)
    deep = shallow.astype(np.uint16) * 257
    deep[0, 0] = 65535
    if suffix == ".tif":
        tag = (0x0112, 3, 1, turned, True)
        tifffile.imwrite(tmp_path / f"b{suffix}", deep[..., 0], extratags=[tag])
    else:
        png = imagecodecs.png_encode(deep)
        body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        (tmp_path / f"b{suffix}").write_bytes(png[:33] + chunk + png[33:])
    expected = read_picture(tmp_path / f"a{suffix}").pixels.copy()
    upright = read_picture(tmp_path / f"b{suffix}").pixels
    assert upright.dtype == np.uint16
    differ = np.argwhere((upright // 257).astype(np.uint8) != expected)
    assert len(differ) <= 1


@pytest.mark.parametrize("sampling", [0, 2])
def test_colours_are_sampled_as_they_were(tmp_path, sampling):
    smooth = np.repeat(np.repeat(pixels(3, height=8, width=8), 8, axis=0), 8, axis=1)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=98, subsampling=sampling)
    write_picture(tmp_path / "b.jpg", read_picture(tmp_path / "a.jpg"))
    write_picture(tmp_path / "c.jpg", Picture(smooth))
    for name, expected in (("b.jpg", sampling), ("c.jpg", 0)):
        with Image.open(tmp_path / name) as image:
            assert JpegImagePlugin.get_sampling(image) == expected


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".png"])
@pytest.mark.parametrize("source", [".jpg", ".webp", ".png"])
def test_captions_and_copyright_travel(tmp_path, source, suffix):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rights>Ours</rights></x:xmpmeta>'
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    info.add_text("Author", "us")
    options = {"pnginfo": info} if source == ".png" else {"xmp": xmp}
    Image.fromarray(pixels(3)).save(tmp_path / f"a{source}", comment=b"by us", **options)
    write_picture(tmp_path / f"b{suffix}", read_picture(tmp_path / f"a{source}"))
    with Image.open(tmp_path / f"b{suffix}") as image:
        assert image.info["xmp"] == xmp
        if source == suffix == ".jpg":
            assert image.info["comment"] == b"by us"
        if source == suffix == ".png":
            assert image.text["Author"] == "us"


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_one_bit_stays_one_bit(tmp_path, suffix):
    page = Image.fromarray(pixels(1)[..., 0]).convert("1")
    page.save(tmp_path / f"a{suffix}", **({"compression": "group4"} if suffix == ".tif" else {}))
    picture = read_picture(tmp_path / f"a{suffix}")
    soft = np.clip(picture.pixels, 60, 190)
    write_picture(tmp_path / f"b{suffix}", picture.restored(soft))
    with Image.open(tmp_path / f"b{suffix}") as image:
        assert image.mode == "1" and (suffix != ".tif" or image.info["compression"] == "group4")
        np.testing.assert_array_equal(image, page)
    write_picture(
        tmp_path / "grey.tif", dataclasses.replace(picture, pixels=soft, is_bilevel=False)
    )
    np.testing.assert_array_equal(read_picture(tmp_path / "grey.tif").pixels, soft)


@pytest.mark.parametrize("compression", ["lzw", "zlib", "packbits"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiffs_stay_as_small_as_they_were(tmp_path, dtype, compression):
    flat = np.full((90, 80), 0x0303 % 2 ** (8 * np.dtype(dtype).itemsize), dtype)
    tifffile.imwrite(tmp_path / "a.tif", flat, compression=compression)
    picture = read_picture(tmp_path / "a.tif")
    write_picture(tmp_path / "b.tif", picture)
    assert (tmp_path / "b.tif").stat().st_size < 0.2 * flat.nbytes
    np.testing.assert_array_equal(read_picture(tmp_path / "b.tif").pixels, picture.pixels)
    write_picture(tmp_path / "b.png", picture)
    np.testing.assert_array_equal(read_picture(tmp_path / "b.png").pixels, picture.pixels)


def test_what_a_jpeg_file_has_no_room_for_costs_no_picture(tmp_path):
    Image.fromarray(pixels(3)).save(tmp_path / "a.webp", xmp=b"x" * 70_000, lossless=True)
    picture = read_picture(tmp_path / "a.webp")
    for name in ("b.jpg", "b.webp", "b.png"):
        write_picture(tmp_path / name, picture)
        with Image.open(tmp_path / name) as image:
            assert ("xmp" in image.info) == (name != "b.jpg")


@pytest.mark.parametrize("damage", [False, True])
def test_of_an_animation_the_first_frame_is_read_upright(tmp_path, damage):
    frames, exif = [Image.fromarray(pixels(1)[..., 0]) for _ in range(3)], Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.png"
    frames[0].save(path, save_all=True, append_images=frames[1:], exif=exif)
    if damage:
        path.write_bytes(path.read_bytes()[:-200])
    expected = np.rot90(np.asarray(frames[0]), -1)
    np.testing.assert_array_equal(read_picture(path).pixels[..., 0], expected)
