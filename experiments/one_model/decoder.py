# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One model for all worlds: the VAE's decoder alone, on what the transformer of shapes.py says of clips.

vidgen train experiments/one_model/decoder.py --workdir runs/one_decoder

Two CPU cores, 13 minutes; no paper's row. This decoder ships. Of 64 held-out pairs (samplers.py, measured 2026-11-28)
clips change 1.73 times as much where a latent frame begins as within one, through the decoder before 2.02; the weights
of `paced.py` go from 2.01 to 1.71 by the same decoder. What is found in clips stays (82.0 % of 128, 86.7 %). Of 16
unseen clips 29.87 dB are kept.

Where things move, sampled latents are a little wrong in each cell, and a decoder that has only seen the encoder's shows
that as a mosaic of cells. The last step of the sampler goes from t = 0.42 to 0.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.decoder import DecoderTraining
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.vae import VAELossConfig
from vidgen.worlds.holdout import SplitConfig

PAIRS = 8
"""How often pairs are drawn beside the eight kinds of stories and the thirteen of moving cameras."""


def get_config() -> DecoderTraining:
    """2,000 steps of 8 clips of 17 frames, as long as the transformer's own."""
    model: DiTTraining = load_experiment(Path(__file__).with_name("shapes.py"))
    scenes = {data.name: data.scenes for data in model.data}
    pairs = dataclasses.replace(scenes["pairs"], split="all", object_weights=None)
    shown = SplitConfig((*PAIRS * (pairs,), *scenes["stories"].scenes, *scenes["paced"].scenes), ("pair",))
    return DecoderTraining(
        vae=model.vae,
        transformer="runs/one_shapes/model/dit.safetensors",
        scenes=shown,
        loss=VAELossConfig(square=4.0, structure=0.2, kl=0.0),
        batch_size=8,
        times=(0.1, 0.5),
        optim=OptimConfig(lr=8e-4, warmup=50, b2=0.99, weight_decay=0.0, cooldown=0.8, lr_end=0.02, ema=0.995),
        loop=LoopConfig(steps=2_000, log_every=50, eval_every=600, save_every=300),
    )
