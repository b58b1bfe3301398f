"""Pictures in a row as a film: GIF with Pillow, MP4 with ffmpeg."""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from PIL import Image

Colour = tuple[int, int, int]

UNCHANGED = 255
"""The colour of a GIF that stands for what does not change."""
LAST = 2.0
"""Seconds for which the last picture of a GIF stays before it begins again."""


class NoEncoder(Exception):
    """There is nothing to write an MP4 with, or it could not do it; the message says what to do."""


def gif_centiseconds(count: int, fps: float) -> list[int]:
    """How long each picture of a GIF stays: whole hundredths of a second that do not drift; the last one longer."""
    ends = [round(100 * number / fps) for number in range(count + 1)]
    stays = [end - start for start, end in pairwise(ends)]
    stays[-1] = max(stays[-1], round(100 * LAST))
    return stays


def write_gif(file: BinaryIO, pictures: Iterable[Image.Image], stays: Sequence[int], palette: Sequence[Colour]) -> None:
    """Write a GIF that goes round for ever, picture by picture: one palette for all, and of each what has changed.

    Args:
        file: where to.
        pictures: all of one size.
        stays: how long each is shown, in hundredths of a second.
        palette: at most 255 colours.
    """
    from PIL import GifImagePlugin, Image, ImageChops

    table = bytes(part for colour in palette for part in colour)
    assert len(palette) <= UNCHANGED
    colours = Image.new("P", (1, 1))
    colours.putpalette(table)
    table = table.ljust(768, b"\0")
    before: Image.Image | None = None
    for picture, stay in zip(pictures, stays, strict=True):
        now = picture.quantize(palette=colours, dither=Image.Dither.NONE)
        if before is None:
            file.write(b"GIF89a" + struct.pack("<HHBBB", now.width, now.height, 0xF7, 0, 0) + table)
            file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
            part, corner = now, (0, 0)
        else:
            change = ImageChops.subtract_modulo(now, before)
            box = change.getbbox() or (0, 0, 1, 1)
            part, corner = now.crop(box), box[:2]
            part.paste(UNCHANGED, mask=change.crop(box).point([255] + [0] * 255, "1"))
        before = now
        for block in GifImagePlugin.getdata(
            part, corner, duration=10 * stay, disposal=1, transparency=UNCHANGED, interlace=0
        ):
            file.write(block)
    file.write(b";")


def ffmpeg() -> str:
    """The program that writes an MP4: of the system, else the one that imageio-ffmpeg brings.

    Raises:
        NoEncoder: if there is none.
    """
    found = shutil.which("ffmpeg")
    if found:
        return found
    if importlib.util.find_spec("imageio_ffmpeg") is not None:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    raise NoEncoder(
        "an .mp4 needs ffmpeg, which is not installed; pip install 'marl-health[video]', install ffmpeg, "
        "or name a file that ends in .gif, which needs neither"
    )


def write_mp4(path: str, pictures: Iterable[Image.Image], fps: float) -> None:
    """Write an MP4 (H.264), over whatever ``path`` holds.

    Raises:
        NoEncoder: if ffmpeg is missing, or fails.
    """
    program = ffmpeg()
    todo = iter(pictures)
    first = next(todo)
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            _command(program, first, fps, path), stdin=subprocess.PIPE, stdout=told, stderr=told, bufsize=0
        )
        assert process.stdin is not None
        try:
            for picture in chain([first], todo):
                process.stdin.write(picture.tobytes())
            process.stdin.close()
            process.wait()
        except BrokenPipeError:  # it has given up, and told why
            process.wait()
        finally:
            process.stdin.close()
            process.kill()
            process.wait()
        if process.returncode:
            told.seek(0)
            lines = told.read().decode(errors="replace").strip().splitlines() or ["it does not say why"]
            raise NoEncoder(f"ffmpeg ({program}) could not write it: {lines[-1]}")


def _command(program: str, picture: Image.Image, fps: float, path: str) -> list[str]:
    size = f"{picture.width}x{picture.height}"
    into = ["-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", f"{fps:g}", "-i", "-"]
    # H.264 as every player knows it has even sides.
    even = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20"]
    return [program, "-y", *into, *even, "-movflags", "+faststart", "-f", "mp4", path]
