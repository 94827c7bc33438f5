"""A task that computes: in a process of its own it slows down nothing else, and `s` ends it at any moment."""

import struct
import zlib
from pathlib import Path

from taskkit import Task


class Mandelbrot(Task):
    """Paints the picture of the site, row by row. `program` registers it with `executor="process"`."""

    def __init__(self, site: Path, width: int = 600, depth: int = 400) -> None:
        """Take the folder of the site, the width in pixels, and the number of steps for each pixel."""
        self.site = site
        self.width = width
        self.height = width * 2 // 3
        self.depth = depth

    def run(self) -> None:
        """Compute, and write the picture. It asks `proceed()` only once for each row."""
        rows = []
        for y in range(self.height):
            if not self.proceed():
                print(f"asked to stop: left off at row {y} of {self.height}")
                return
            self.progress(y, self.height, f"row {y}")
            rows.append(bytes(self._shade(x, y) for x in range(self.width)))
        path = self.site / "mandelbrot.png"
        self.site.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}")
        unfinished.write_bytes(grey_png(rows))
        unfinished.replace(path)
        print(f"wrote {path.name}, {path.stat().st_size // 1024} kB")

    def _shade(self, x: int, y: int) -> int:
        """Return how bright a pixel is: the longer its point stays near the middle, the brighter."""
        point = complex(3 * x / self.width - 2.2, 2 * y / self.height - 1)
        z = 0j
        for step in range(self.depth):
            z = z * z + point
            if z.real * z.real + z.imag * z.imag > 4:
                return int(255 * (step / self.depth) ** 0.4)
        return 0


def grey_png(rows: list[bytes]) -> bytes:
    """Return a picture in shades of grey as a PNG file: a byte for each pixel, rows of the same length."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
