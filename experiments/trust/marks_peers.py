# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""RivaGAN and dwtDctSvd of PyPI's `invisible-watermark`, in an environment of their own; run by `marks.py`.

python marks_peers.py embed|read IN.npz OUT.npz

IN holds `method`, `bits` (32) and `clips_N`, uint8 [F, H, W, 3]. OUT holds the marked clips, or bits a frame [F, 32].
"""

import sys

import numpy as np
from imwatermark import WatermarkDecoder, WatermarkEncoder

BITS = 32


def main() -> None:
    action, source, target = sys.argv[1:]
    data = np.load(source)
    method = str(data["method"])
    clips = {name: data[name] for name in data.files if name.startswith("clips_")}
    if method == "rivaGan":
        (WatermarkEncoder if action == "embed" else WatermarkDecoder).loadModel()
    if action == "embed":
        encoder = WatermarkEncoder()
        encoder.set_watermark("bits", [int(bit) for bit in data["bits"]])
        done = {
            name: np.stack(
                [encoder.encode(np.ascontiguousarray(frame[..., ::-1]), method)[..., ::-1] for frame in clip]
            )
            for name, clip in clips.items()
        }
    else:
        decoder = WatermarkDecoder("bits", BITS)
        done = {name: np.stack([read(decoder, frame, method) for frame in clip]) for name, clip in clips.items()}
    np.savez(target, **done)


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
