# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where the transformer's batches come from: streams of cached latents, each of clips of one size.

Either a batch has clips of one stream, and the streams take turns (buckets), or its rows hold clips of all (packing).
"""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import grain
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from vidgen.data.latents import LatentSource, write_latents
from vidgen.data.packing import Captions, PackingConfig, Plan, Size, Stream, packed_batches, plan, shares, with_room
from vidgen.data.pipeline import SYNTHETIC_SHARE, LatentItems, WorldSource, latent_batches, mix
from vidgen.data.tokenizer import AnyTokenizer, load_tokenizer
from vidgen.parallel import hosts
from vidgen.parallel.shard import own_rows
from vidgen.sample.autoencoder import AnyVAEConfig, Autoencoder
from vidgen.worlds.holdout import AnyScenes


@dataclasses.dataclass(frozen=True)
class LatentData:
    """One stream of clips of equal shape.

    Attributes:
        name: of its folder of cached latents.
        scenes: what is drawn.
        count: how many scenes are encoded; a run visits each several times, with another caption each time.
        batch_size: clips a batch; packed rows hold as many as fit.
        text_length: tokens of a caption, the rest is cut.
        weight: share of the batches, or of the tokens in packed rows.
        shift: a of the shift of training times; more tokens want more.
        crop: width and height, in pixels, of what is cut from the middle of the frames, as trainers do that take one
            size alone; None keeps all. Captions stay those of the whole.
        seed: of the scenes; None takes the run's, so that a run with another seed has other scenes.
        recaptions: a table of `vidgen recaption` (recaptions.jsonl), whose captions take the place of the scenes' own;
            empty for these. It tells of the scenes of one seed, which must then be given.
        synthetic: share of a clip's visits that are shown with what the captioner wrote.
    """

    name: str
    scenes: AnyScenes
    count: int
    batch_size: int
    text_length: int = 64
    weight: float = 1.0
    shift: float = 1.0
    crop: tuple[int, int] | None = None
    seed: int | None = None
    recaptions: str = ""
    synthetic: float = SYNTHETIC_SHARE

    def __post_init__(self) -> None:
        whole = self.scenes.width, self.scenes.height
        if self.crop is not None and not all(0 < side <= most for side, most in zip(self.crop, whole, strict=True)):
            raise ValueError(f"crop of {self.name} is {self.crop}; it must lie within the scenes' {whole}")
        if self.recaptions and self.seed is None:
            raise ValueError(
                f"recaptions of {self.name} is {self.recaptions!r}, which tells of the scenes of one seed: give seed, "
                "the one with which they were drawn; with None a run with another seed would draw others"
            )

    @property
    def width(self) -> int:
        """Of the clips, pixels."""
        return self.crop[0] if self.crop else self.scenes.width

    @property
    def height(self) -> int:
        """Of the clips, pixels."""
        return self.crop[1] if self.crop else self.scenes.height

    def cut(self, video_BFHWC: np.ndarray) -> np.ndarray:
        """What is kept of rendered scenes."""
        top, left = (self.scenes.height - self.height) // 2, (self.scenes.width - self.width) // 2
        return video_BFHWC[:, :, top : top + self.height, left : left + self.width]


def world_source(data: LatentData, seed: int) -> WorldSource:
    """The scenes of a stream in a run of this seed."""
    return WorldSource(data.scenes, size=data.count, seed=seed if data.seed is None else data.seed)


def cached_latents(data: LatentData, vae: Autoencoder, cache: Path, seed: int) -> LatentSource:
    """The latents of a stream, encoded and written now if they are not there; each machine has its own."""
    source = world_source(data, seed)
    batch = 128 if data.scenes.frames == 1 else 16
    with hosts.first_then_rest():
        write_latents(
            cache / data.name,
            source,
            lambda video: np.asarray(vae.encode(data.cut(video))).astype(np.float16),
            batch,
            source_description=repr(source) + (f" cut to {data.crop}" if data.crop else ""),
            vae_hash=vae.hash(),
        )
    return LatentSource(cache / data.name)


@dataclasses.dataclass(frozen=True)
class Streams:
    """The streams of a run.

    Attributes:
        data: the streams; packing: how they share rows.
        vae: shape of the autoencoder; patch: of the transformer's tokens.
        tokenizer: of captions; None is ours.
        start, whole: how an encoder reads packed captions, see `vidgen.data.packing.Captions`.
    """

    data: tuple[LatentData, ...]
    packing: PackingConfig
    vae: AnyVAEConfig
    patch: tuple[int, int, int]
    tokenizer: AnyTokenizer | None = None
    start: int = 1
    whole: bool = False

    @property
    def text_length(self) -> int:
        """The most tokens of a caption."""
        return max(data.text_length for data in self.data)

    @property
    def captions(self) -> Captions:
        """How they are put into packed rows."""
        return Captions(self.tokenizer or load_tokenizer(), self.start, self.whole)

    @property
    def rows(self) -> PackingConfig:
        """The packed rows. Raises ValueError where there is no room for a caption."""
        return with_room(self.packing, self.captions, self.text_length)

    @property
    def sizes(self) -> list[Size]:
        """The tokens of each stream's clips."""
        return [Size(data.name, self.extent(data), data.weight) for data in self.data]

    @property
    def lengths(self) -> tuple[int, ...]:
        """Frames of clips, in tokens, in order."""
        return tuple(sorted({size.extent[0] for size in self.sizes}))

    def latent_shape(self, data: LatentData) -> tuple[int, int, int, int]:
        """(T, H, W, C) of a stream's latents."""
        return self.vae.latent_shape(data.scenes.frames, data.height, data.width)

    def extent(self, data: LatentData) -> tuple[int, int, int]:
        """Frames, rows and columns of tokens of a stream's clips. Raises ValueError where tokens do not divide them."""
        T, H, W, _ = self.latent_shape(data)
        p, q, r = self.patch
        if T % p or H % q or W % r:
            raise ValueError(f"{data.name} has latents of {T}x{H}x{W}, which tokens of {p}x{q}x{r} do not divide")
        return T // p, H // q, W // r

    def largest(self) -> tuple[int, int]:
        """(the index in `data` of the stream with most tokens a batch, tokens of one of its clips)."""
        tokens = [size.tokens for size in self.sizes]
        stream = max(range(len(tokens)), key=lambda i: tokens[i] * self.data[i].batch_size)
        return stream, tokens[stream]

    def plan(self) -> Plan:
        """What a batch holds on average. Raises ValueError where a clip does not fit a row, or a size is starved."""
        if self.packing.rows:
            return plan(self.sizes, self.rows)
        return shares(self.sizes, [data.batch_size for data in self.data])

    def batches(self, items: Sequence[LatentItems], seed: int, mesh: Mesh) -> grain.IterDataset:
        """Endless batches of the items of each stream, of which this process reads its own rows."""
        if self.packing.rows:
            streams = [
                Stream(size, some, data.shift, data.text_length)
                for size, some, data in zip(self.sizes, items, self.data, strict=True)
            ]
            rows = own_rows(mesh, self.packing.rows)
            return packed_batches(streams, self.packing, seed, self.captions, self.patch, rows)
        batches = [
            latent_batches(
                some,
                data.batch_size,
                seed,
                self.captions.tokenizer,
                data.text_length,
                rows=own_rows(mesh, data.batch_size),
                shift=data.shift,
            )
            for data, some in zip(self.data, items, strict=True)
        ]
        return mix(batches, [data.weight for data in self.data])

    def abstract_batch(self, aligned: bool) -> dict[str, jax.ShapeDtypeStruct]:
        """The shapes of a packed batch, or of one of the stream with most tokens a batch."""
        if self.packing.rows:
            B, L, E, S = self.rows.rows, self.rows.tokens, self.rows.clips, self.rows.text
            P = math.prod(self.patch) * self.vae.channels
            shapes = {
                "tokens_BLP": ((B, L, P), jnp.float16),
                "positions_BL3": ((B, L, 3), jnp.int32),
                "extent_BL3": ((B, L, 3), jnp.int32),
                "segments_BL": ((B, L), jnp.int32),
                "text_BS": ((B, S), jnp.int32),
                "captions_BS": ((B, S), jnp.int32),
                "shift_BE": ((B, E), jnp.float32),
            }
            if aligned:
                shapes |= {"cells_BL": ((B, L), jnp.int16), "places_BL4": ((B, L, 4), jnp.float16)}
        else:
            data = self.data[self.largest()[0]]
            B, shape = data.batch_size, self.latent_shape(data)
            shapes = {
                "latent_BTHWC": ((B, *shape), jnp.float16),
                "text_BS": ((B, data.text_length), jnp.int32),
                "shift_B": ((B,), jnp.float32),
            }
            if aligned:
                shapes["cells_BTHW"] = ((B, *shape[:3]), jnp.int16)
                shapes["places_BTHW4"] = ((B, *shape[:3], 4), jnp.float16)
        return {name: jax.ShapeDtypeStruct(*shape) for name, shape in shapes.items()}
