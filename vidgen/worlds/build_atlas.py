# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rebuild `atlas.webp` from the art package: `python -m vidgen.worlds.build_atlas [--package FILE.tgz] [--out FILE]`.

Needs `npm`, unless --package is given. The same package and the same Pillow give the same bytes.
"""

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from PIL import Image

from vidgen.worlds.sprites import ATLAS_FILE, CELL, COLUMNS, CONTENT, read_concepts

PACKAGE = "@lobehub/fluent-emoji-3d@1.1.0"
QUALITY = 92
ALPHA_FLOOR = 8
"""Alpha below this does not count as part of the object when it is cropped: the art has faint halos."""


def download(directory: Path) -> Path:
    """Fetch the art package into `directory` by `npm pack`; returns the archive's path."""
    command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", str(directory)]
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(
            f"`{' '.join(command)}` failed ({error}); install npm, or give an archive by --package"
        ) from error
    return next(directory.glob("*.tgz"))


def fit_cell(picture: Image.Image) -> Image.Image:
    """Crop an RGBA picture to its alpha box, scale the longer side to CONTENT, centre it in a CELL x CELL picture."""
    box = picture.getchannel("A").point([255 * (a > ALPHA_FLOOR) for a in range(256)]).getbbox()
    picture = picture.crop(box)
    scale = CONTENT / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    # Pillow premultiplies by alpha while it resizes RGBA, so no dark fringe appears.
    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    cell = Image.new("RGBA", (CELL, CELL))
    cell.paste(picture, ((CELL - width) // 2, (CELL - height) // 2))
    return cell


def build(archive: Path) -> bytes:
    """The atlas as WebP bytes, from the art package's archive. Raises ValueError when a picture is missing."""
    concepts = read_concepts()
    rows = -(-len(concepts) // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * CELL, rows * CELL))
    with tarfile.open(archive) as tar:
        for place, concept in enumerate(concepts):
            try:
                member = tar.extractfile(f"package/assets/{concept.code}.webp")
            except KeyError:
                member = None
            if member is None:
                raise ValueError(f"{archive} has no picture {concept.code}.webp for {concept.name!r}; correct its code")
            cell = fit_cell(Image.open(io.BytesIO(member.read())).convert("RGBA"))
            sheet.paste(cell, (place % COLUMNS * CELL, place // COLUMNS * CELL))
    out = io.BytesIO()
    sheet.save(out, "WEBP", quality=QUALITY, alpha_quality=100, method=6)
    return out.getvalue()


def main(argv: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m vidgen.worlds.build_atlas", description="Rebuild the sprite atlas."
    )
    parser.add_argument("--package", type=Path, help=f"archive of {PACKAGE}; fetched by npm pack when not given")
    parser.add_argument("--out", type=Path, default=ATLAS_FILE, help="file to write (%(default)s)")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as directory:
        content = build(arguments.package or download(Path(directory)))
    arguments.out.write_bytes(content)
    sys.stdout.write(f"{arguments.out}: {len(read_concepts())} concepts, {len(content) / 1e6:.2f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
