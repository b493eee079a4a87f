# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a transformer in training makes of a few prompts: a sheet of samples."""

import dataclasses
from typing import Literal

import jax

from vidgen.data.tokenizer import AnyTokenizer, load_tokenizer
from vidgen.parallel.attention import Kind
from vidgen.sample.autoencoder import Autoencoder
from vidgen.sample.export import contact_sheet
from vidgen.sample.pipeline import Pipeline
from vidgen.sample.program import Networks
from vidgen.sample.sampler import SampleConfig
from vidgen.train.loop import Results
from vidgen.train.streams import LatentData


@dataclasses.dataclass(frozen=True)
class SampleSheet:
    """A picture of what the averaged parameters make of fixed prompts with a fixed seed.

    Attributes:
        networks: shapes; vae: decodes; text_length: tokens of a caption.
        data: the stream whose size and length the samples have.
        prompts: what is shown; sample: how it is sampled.
        attention: a kind of `vidgen.parallel.attention.make_attention`, or "auto".
        tokenizer: of the prompts; None is ours.
    """

    networks: Networks
    vae: Autoencoder
    text_length: int
    data: LatentData
    prompts: tuple[str, ...]
    sample: SampleConfig
    attention: Kind | Literal["auto"]
    tokenizer: AnyTokenizer | None = None

    def __call__(self, params: dict) -> Results:
        """Samples with averaged parameters."""
        pipeline = Pipeline(
            self.networks,
            {**params, "vae": self.vae.params},
            self.vae.space,
            self.tokenizer or load_tokenizer(),
            self.text_length,
            defaults=self.sample,
            mesh=jax.sharding.get_mesh(),
            attention=self.attention,
        )
        frames = self.data.scenes.frames
        clips = pipeline.generate(self.prompts, frames=frames, width=self.data.width, height=self.data.height)
        if frames == 1:
            rows = [clips[i : i + 8, 0] for i in range(0, len(clips), 8)]
            return Results(pictures={"samples": contact_sheet(rows, scale=2)})
        return Results(pictures={"samples": contact_sheet(list(clips), self.prompts, scale=2)})
