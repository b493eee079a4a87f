# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The diffusion transformer: full attention over the spacetime patches of a whole clip (arXiv 2212.09748, and the
Wan 2.1 arrangement: one shared modulation MLP plus a table a block, cross-attention to text, 3-D rotary positions).
The arrangement of DiT itself, a modulation MLP a block and a class label, is the same module with other settings.

Time is per token. A row brings a few distinct times `t_BE` and says for every token which one is its own, so
modulation is computed E times a row and spread to the tokens where it is used.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.typing import DTypeLike

from vidgen.models import estimate, rope
from vidgen.models.attention import Attention, AttnFn, KeysValues
from vidgen.models.estimate import Says
from vidgen.models.layers import Dense, LayerNorm, ShardFn, gelu, sinusoid, unsharded
from vidgen.models.positions import coordinate_features, sines_2d
from vidgen.typing import ATTENTION


@dataclasses.dataclass(frozen=True)
class DiTConfig:
    """Shape of a diffusion transformer.

    Attributes:
        patch: latent frames, rows and columns in a token.
        channels: of the latents.
        width, layers, heads, hidden: features of a token, blocks, heads, width of the MLP.
        text_width: features of a text token.
        time_width: features of the time sinusoid.
        time_scale: t in [0, 1] is multiplied by this before the sinusoid (timesteps 0-1000 in Wan and DiT).
        whole_times: whether samplers round t down to a whole step of `time_scale`, as those of public models do.
        coordinates: whether tokens also learn where they are in the clip as a share of its size and length, so that
            "left" means the same at every size and a thing that moves to the right starts at the left; rotary positions
            alone are relative.
        precondition: whether the network predicts what a linear estimate of the velocity leaves over, so that it need
            not carry the noise through its width (see `linear_velocity`).
        deviation: standard deviation of each channel of the latents, which `precondition` reckons with; empty is 1.
        pooled_text: whether the mean of the caption's features joins the time in the modulation, as the class does in
            DiT (arXiv 2212.09748, section 3.2): it tells every token what the clip is about long before cross-attention
            has learned to. A time must then belong to one caption.
        cross: whether blocks attend to the caption. Where they do not, its mean joins the time as it is, so that
            text_width is width: a class label is a caption of one token.
        rotary, qk_norm: whether queries and keys are turned by their positions; whether they are normalised.
        grid: side of the square, in tokens, whose fixed sines and cosines tokens are given as positions; 0 for none.
        own_modulation: whether each block makes its modulation by a layer of its own (adaLN-Zero) rather than by a
            table beside what all share; the last layer then has one too.
        says, steps: see `vidgen.models.estimate`; how many steps there are, where it is asked at whole ones.
        doubled: whether it says twice as many channels, the second half of them of the variance (arXiv 2102.09672).
        as_diffusers: whether to compute as diffusers' DiT does, which differs from the published equations that its
            weights were trained by: in the frequencies of the time, and in an epsilon.
        remat: what is recomputed in the backward pass: "none"; "dots" (keep the results of matmuls and of
            self-attention); "attention" (keep the latter alone, which are most of the work of a long clip; plain
            attention keeps nothing); "full".
        dtype: rounding of the operands of matmuls.
    """

    patch: tuple[int, int, int] = (1, 2, 2)
    channels: int = 32
    width: int = 320
    layers: int = 6
    heads: int = 5
    hidden: int = 1152
    text_width: int = 256
    time_width: int = 256
    time_scale: float = 1000.0
    whole_times: bool = False
    coordinates: bool = True
    precondition: bool = True
    deviation: tuple[float, ...] = ()
    pooled_text: bool = False
    cross: bool = True
    rotary: bool = True
    qk_norm: bool = True
    grid: int = 0
    own_modulation: bool = False
    says: Says = "velocity"
    steps: int = 1000
    doubled: bool = False
    as_diffusers: bool = False
    remat: str = "none"
    unroll: int = 1
    dtype: str = "bfloat16"

    def __post_init__(self) -> None:
        if self.unroll < 1 or self.layers % self.unroll:
            raise ValueError(f"unroll is {self.unroll}; it must divide the {self.layers} layers")
        if not self.cross and self.text_width != self.width:
            raise ValueError(
                f"without cross-attention a caption joins the time as it is: text_width is {self.text_width} and must "
                f"be the width, {self.width}"
            )


_KEEP_ATTENTION = jax.checkpoint_policies.save_only_these_names(ATTENTION)
REMAT_POLICIES = {
    "dots": jax.checkpoint_policies.save_from_both_policies(
        jax.checkpoint_policies.dots_with_no_batch_dims_saveable, _KEEP_ATTENTION
    ),
    "attention": _KEEP_ATTENTION,
    "full": jax.checkpoint_policies.nothing_saveable,
}


def gather_time(x_BED: Array, chosen_BLE: Array | None) -> Array:
    """The row of each token's own time: [B, E, D], one-hot [B, L, E] -> [B, L, D].

    A product with a one-hot matrix, since the gradient of a gather is a scatter, which no accelerator likes and
    which took a third of a training step on CPU. With one time a row (None) it only broadcasts.
    """
    if chosen_BLE is None:
        return x_BED
    return jnp.einsum("BLE,BED->BLD", chosen_BLE, x_BED)


class DiTBlock(nn.Module):
    """Self-attention, cross-attention and MLP; the first and the last are modulated and gated by time.

    `time_BE` is what all blocks share of it, [B, E, 6, D], or where each has a layer of its own, what that is given.
    Returns its features twice where they are to be `kept`, as `nn.scan` stacks what comes second.
    """

    config: DiTConfig
    attn_fn: AttnFn
    cross_attn_fn: AttnFn
    shard: ShardFn
    kept: bool

    @nn.compact
    def __call__(
        self,
        x_BLD: Array,
        time_BE: Array,
        chosen_BLE: Array | None,
        angles_BLK: Array | None,
        segment_ids: tuple[Array, Array] | None,
        text: Array | KeysValues,
        text_segment_ids: tuple[Array, Array],
    ) -> tuple[Array, Array | None]:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        dense = functools.partial(Dense, dtype=dtype, shard=self.shard)
        attention = functools.partial(Attention, cfg.heads, dtype=dtype, shard=self.shard, qk_norm=cfg.qk_norm)
        if cfg.own_modulation:
            modulation_BE6D = _apart(dense(6 * cfg.width, zero=True, name="modulation")(time_BE), 6)
        else:
            table = self.param("modulation", initializers.normal(cfg.width**-0.5), (6, cfg.width))
            modulation_BE6D = time_BE + table

        def chosen(i: int) -> Array:
            return gather_time(modulation_BE6D[:, :, i], chosen_BLE)

        h = LayerNorm(name="norm1")(x_BLD) * (1 + chosen(1)) + chosen(0)
        h = attention(attn_fn=self.attn_fn, name="self")(h, None, angles_BLK, segment_ids)
        x_BLD = x_BLD + h * chosen(2)
        if cfg.cross:
            h = LayerNorm(affine=True, name="norm2")(x_BLD)
            x_BLD = x_BLD + attention(attn_fn=self.cross_attn_fn, name="cross")(h, text, None, text_segment_ids)
        h = LayerNorm(1e-5 if cfg.as_diffusers else 1e-6, name="norm3")(x_BLD) * (1 + chosen(4)) + chosen(3)
        h = self.shard(gelu(dense(cfg.hidden, axes="DM", name="up")(h)), "BLM")
        x_BLD = self.shard(x_BLD + dense(cfg.width, axes="MD", name="down")(h) * chosen(5), "BLD")
        return x_BLD, x_BLD if self.kept else None


def cut_patches(params: dict, old: tuple[int, int, int], new: tuple[int, int, int], channels: int) -> dict:
    """Parameters for tokens of patch `new` from those for patch `old`, of which it is a part.

    A small token is read as if all of the large one were alike, and says the mean of what the large one said of its
    parts: where neighbours agree the network computes what it did, as when FlexiViT resizes its patches (arXiv
    2212.08013, section 3.4). Rotary positions count tokens, so that distances change; training goes on from there.

    Raises:
        ValueError: new does not divide old.
    """
    parts = [large // small for large, small in zip(old, new, strict=True)]
    if any(large % small for large, small in zip(old, new, strict=True)):
        raise ValueError(f"tokens of patch {old} cannot be cut into patches of {new}: every side must divide")
    split = [n for large, small in zip(parts, new, strict=True) for n in (large, small)]

    def cut(x: Array, axis: int, many: Callable[..., Array]) -> Array:
        x = jnp.moveaxis(x, axis, 0)
        x = many(x.reshape(*split, channels, *x.shape[1:]), axis=(0, 2, 4))
        return jnp.moveaxis(x.reshape(-1, *x.shape[4:]), 0, axis)

    first, last = params["patch_embedding"], params["out"]
    return {
        **params,
        "patch_embedding": {**first, "kernel": cut(first["kernel"], 0, jnp.sum)},
        "out": {"kernel": cut(last["kernel"], 1, jnp.mean), "bias": cut(last["bias"], 0, jnp.mean)},
    }


class Segments(NamedTuple):
    """What belongs together in a row.

    clips_BL: which clip each token is of: tokens of one clip see each other; None where all of a row is one.
    captions_BL, text_BS: which caption each token follows, and each text token is of.
    """

    clips_BL: Array | None
    captions_BL: Array
    text_BS: Array


class Prediction(NamedTuple):
    """What the transformer says of tokens.

    velocity_BLP: float32. features_BLD: those of the block that is read, or None. spare_BLP: what it says beside the
    velocity, where its channels are doubled.
    """

    velocity_BLP: Array
    features_BLD: Array | None = None
    spare_BLP: Array | None = None


class DiT(nn.Module):
    """Velocity of every token of a row.

    Attributes:
        attn_fn: kernel of self-attention.
        cross_attn_fn: kernel of attention to text, whose tokens are not divided over devices; None is attn_fn.
        shard: how arrays are divided over devices.
        read_block: the block, from 1, whose features are given too; 0 for none.

    Call arguments:
        tokens_BLP: patches of noisy latents (P = patch volume x channels).
        positions_BL3: (frame, row, column) of each token in its own clip, in patches.
        extent_BL3: (frames, rows, columns) of the clip that each token belongs to.
        t_BE: the distinct times of each row, in [0, 1]; 0 is given data, 1 is noise.
        time_ids_BL: which of them is each token's.
        text_BSD, text_real_BS: features of the caption and which of them are not padding.
        memory: of those features, if it is there already; see `vidgen.models.memory`.
        segments: of a row that holds several clips or captions; None where it is one clip with one caption.

    Returns:
        `Prediction` of the tokens.
    """

    config: DiTConfig
    attn_fn: AttnFn
    cross_attn_fn: AttnFn | None = None
    shard: ShardFn = unsharded
    read_block: int = 0

    @nn.compact
    def __call__(
        self,
        tokens_BLP: Array,
        positions_BL3: Array,
        extent_BL3: Array,
        t_BE: Array,
        time_ids_BL: Array,
        text_BSD: Array,
        text_real_BS: Array,
        segments: Segments | None = None,
        memory: KeysValues | None = None,
    ) -> Prediction:
        cfg = self.config
        tokens_BLP, text_BSD = self.shard(tokens_BLP, "BLP"), self.shard(text_BSD, "BSD")
        B, L, P = tokens_BLP.shape
        E = t_BE.shape[1]
        chosen_BLE = jax.nn.one_hot(time_ids_BL, E, dtype=jnp.float32) if E > 1 else None
        read = estimate.velocity_of(cfg.says, gather_time(t_BE[..., None], chosen_BLE), cfg.steps)
        if cfg.precondition:
            deviation_P = jnp.tile(jnp.array(cfg.deviation or (1.0,) * cfg.channels), P // cfg.channels)
            read = estimate.linear_velocity(gather_time(t_BE[..., None], chosen_BLE), deviation_P)
        x = self._dense(cfg.width, name="patch_embedding")(read.scale * tokens_BLP)
        if cfg.coordinates:
            x = x + self._dense(cfg.width, name="coordinates")(coordinate_features(positions_BL3, extent_BL3))
        if cfg.grid:
            x = x + sines_2d(positions_BL3, extent_BL3, cfg.width, cfg.grid)
        pooled_BED = None
        if cfg.pooled_text or not cfg.cross:
            pooled_BED = pool(text_BSD, text_real_BS, segments, time_ids_BL, E)
        time_BED = self._time(t_BE, pooled_BED)
        self_segments, cross_segments = _attended(segments, (B, L), text_real_BS)
        angles = self.shard(rope.angles(positions_BL3, cfg.width // cfg.heads), "BLK") if cfg.rotary else None
        text = memory
        if text is None:
            text = project_text(self._dense, cfg.width, text_BSD, self.shard) if cfg.cross else text_BSD
        blocks, shared = self._blocks(memory is not None), self._shared_modulation(time_BED)
        x, kept_NBLD = blocks(self.shard(x, "BLD"), shared, chosen_BLE, angles, self_segments, text, cross_segments)
        final_BE2D = self._final_modulation(time_BED)
        add, multiply = (gather_time(final_BE2D[:, :, i], chosen_BLE) for i in (0, 1))
        x = LayerNorm(name="final_norm")(x) * (1 + multiply) + add
        out = self._dense(P * (1 + cfg.doubled), zero=True, name="out")(x).astype(jnp.float32)
        spare = None
        if cfg.doubled:
            halves = out.reshape(B, L, -1, 2, cfg.channels)
            out, spare = (halves[..., i, :].reshape(B, L, P) for i in (0, 1))
        velocity = self.shard(read.slope * tokens_BLP + read.rest * out, "BLP")
        return Prediction(velocity, None if kept_NBLD is None else kept_NBLD[self.read_block - 1], spare)

    def _dense(self, features: int, **options: Any) -> Dense:
        return Dense(features, dtype=jnp.dtype(self.config.dtype), shard=self.shard, **options)

    def _time(self, t_BE: Array, pooled_BED: Array | None) -> Array:
        """Features of each time, [B, E, D], with those of its caption where that joins it."""
        cfg = self.config
        told = estimate.clock(cfg.says, t_BE, cfg.time_scale, cfg.steps)
        time = self._dense(cfg.width, name="time1")(sinusoid(told, cfg.time_width, to_the_end=cfg.as_diffusers))
        time_BED = self._dense(cfg.width, name="time2")(nn.silu(time))
        if pooled_BED is None:
            return time_BED
        if cfg.pooled_text:
            pooled_BED = self._dense(cfg.width, zero=True, name="pooled_text")(pooled_BED)
        return time_BED + pooled_BED

    def _shared_modulation(self, time_BED: Array) -> Array:
        """See `DiTBlock`."""
        if self.config.own_modulation:
            return nn.silu(time_BED)
        return _apart(self._dense(6 * self.config.width, zero=True, name="modulation")(nn.silu(time_BED)), 6)

    def _final_modulation(self, time_BED: Array) -> Array:
        """What is added and what multiplies before the last layer, [B, E, 2, D]."""
        D = self.config.width
        if self.config.own_modulation:
            return _apart(self._dense(2 * D, zero=True, name="final_modulation")(nn.silu(time_BED)), 2)
        table = self.param("final_modulation", initializers.normal(D**-0.5), (2, D))
        return time_BED.astype(jnp.float32)[:, :, None] + table

    def _blocks(self, remembered: bool) -> Callable[..., tuple[Array, Array | None]]:
        """All blocks as one; `remembered` is whether each is given keys and values of its own in place of the text."""
        cfg, block = self.config, DiTBlock
        if cfg.remat != "none":
            block = nn.remat(DiTBlock, policy=REMAT_POLICIES[cfg.remat], prevent_cse=False)
        # Of what blocks are given after x, only the text can be apart for each.
        of_each = (*[nn.broadcast] * 4, 0 if remembered else nn.broadcast, nn.broadcast)
        return nn.scan(
            block,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            in_axes=of_each,  # pyright: ignore[reportArgumentType] - Flax's own type forgets what it may be
            length=cfg.layers,
            unroll=cfg.unroll,
        )(cfg, self.attn_fn, self.cross_attn_fn or self.attn_fn, self.shard, self.read_block > 0, name="blocks")


def project_text(dense: Callable[..., Dense], width: int, text_BSD: Array, shard: ShardFn) -> Array:
    """Features of a caption at the width of the blocks; two submodules of the module that calls it."""
    text = dense(width, name="text1")(text_BSD)
    return shard(dense(width, name="text2")(gelu(text)), "BSD")


def _apart(x_BEM: Array, parts: int) -> Array:
    """[B, E, parts D] -> [B, E, parts, D], float32."""
    return x_BEM.reshape(*x_BEM.shape[:2], parts, -1).astype(jnp.float32)


def _attended(
    segments: Segments | None, shape: tuple[int, int], text_real_BS: Array
) -> tuple[tuple[Array, Array] | None, tuple[Array, Array]]:
    """What belongs together in self-attention (None: all) and in attention to text, of rows of a shape (B, L)."""
    if segments is None:
        return None, (jnp.ones(shape, jnp.int32), text_real_BS.astype(jnp.int32))
    clips_BL, captions_BL, text_BS = segments
    # Padding of text belongs to no caption.
    cross = captions_BL, jnp.where(text_real_BS, text_BS, -1)
    return None if clips_BL is None else (clips_BL, clips_BL), cross


def pool(text_BSD: Array, text_real_BS: Array, segments: Segments | None, time_ids_BL: Array, E: int) -> Array:
    """Mean features of the caption that belongs to each time of a row: [B, E, D].

    The caption of a time is that of the tokens which have it; without segments a row has one.
    """
    real_BES = jnp.broadcast_to(text_real_BS[:, None], (text_real_BS.shape[0], E, text_real_BS.shape[1]))
    if segments is not None:
        own_BEL = time_ids_BL[:, None] == jnp.arange(E)[:, None]
        caption_BE = jnp.max(jnp.where(own_BEL, segments.captions_BL[:, None], -1), axis=-1)
        real_BES = real_BES & (segments.text_BS[:, None] == caption_BE[..., None])
    share_BES = real_BES / jnp.maximum(real_BES.sum(-1, keepdims=True), 1)
    return jnp.einsum("BES,BSD->BED", share_BES, text_BSD.astype(jnp.float32))
