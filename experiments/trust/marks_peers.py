# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""RivaGAN and dwtDctSvd of PyPI's `invisible-watermark`, in an environment of their own; run by `marks.py`.

python marks_peers.py embed|read IN.npz OUT.npz

IN holds `bits` (32) and clips, uint8 [F, H, W, 3], named METHOD_ANYTHING. OUT holds by the same names the marked clips,
or bits a frame [F, 32].
"""

import sys

import numpy as np
from imwatermark import WatermarkDecoder, WatermarkEncoder

BITS = 32


def main() -> None:
    action, source, target = sys.argv[1:]
    data = np.load(source)
    names = [name for name in data.files if name != "bits"]
    encoder, decoder = WatermarkEncoder(), WatermarkDecoder("bits", BITS)
    encoder.set_watermark("bits", [int(bit) for bit in data["bits"]])
    if any(name.startswith("rivaGan") for name in names):
        (encoder if action == "embed" else decoder).loadModel()
    work = {
        "embed": lambda frame, method: encoder.encode(np.ascontiguousarray(frame[..., ::-1]), method)[..., ::-1],
        "read": lambda frame, method: read(decoder, frame, method),
    }[action]
    np.savez(target, **{name: np.stack([work(frame, name.split("_")[0]) for frame in data[name]]) for name in names})


def read(decoder: WatermarkDecoder, frame_HWC: np.ndarray, method: str) -> np.ndarray:
    """Bits of a frame; a frame smaller than the method takes (256x256) is enlarged, which helps it."""
    import cv2

    height, width = frame_HWC.shape[:2]
    if min(height, width) < 256:
        factor = 256 / min(height, width)
        frame_HWC = cv2.resize(
            frame_HWC, (round(width * factor), round(height * factor)), interpolation=cv2.INTER_CUBIC
        )
    found = decoder.decode(np.ascontiguousarray(frame_HWC[..., ::-1]), method)
    return np.asarray(found, float).round().astype(int)


if __name__ == "__main__":
    main()
