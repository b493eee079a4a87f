# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What networks learn to read by: heads that must tell from a text encoder's features what a caption claims, and from
a transformer's what is in each cell. They are dropped after training.
"""

import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.nn import softmax
from jax.typing import DTypeLike

from vidgen.models.layers import Dense, LayerNorm
from vidgen.models.text import TextConfig, TextEncoder


@dataclasses.dataclass(frozen=True)
class ReaderConfig:
    """Shape of a text encoder with its heads.

    Attributes:
        text: the encoder.
        concepts, settings, attributes: how many things can be named, said of a clip, and said of a thing.
    """

    text: TextConfig
    concepts: int
    settings: int
    attributes: int


class Reading(NamedTuple):
    """Logits. pooled_BO and spotted_BO: of each concept, from the mean of the features and from single words.
    settings_BO: of each setting. attributes_BNO: of what is said of each asked subject.
    """

    pooled_BO: Array
    spotted_BO: Array
    settings_BO: Array
    attributes_BNO: Array


class CaptionReader(nn.Module):
    """Ids [B, S] and the concepts that are asked about [B, N] -> `Reading`.

    The mean of the features, which modulates the transformer, must tell what is named and where it happens. What is
    said of a thing is looked up as the transformer looks it up: by attention from the thing to the words. The same
    scores must tell whether the thing is named at all, by their greatest; without that, attention does not learn which
    words are the thing's as long as these say nothing of it, nor the encoder to say it there.
    """

    config: ReaderConfig

    @nn.compact
    def __call__(self, ids_BS: Array, subject_BN: Array) -> Reading:
        cfg = self.config
        D = cfg.text.width
        features_BSD, real_BS = TextEncoder(cfg.text, name="text")(ids_BS)
        share_BS = real_BS / real_BS.sum(-1, keepdims=True)
        pooled_BD = jnp.einsum("BS,BSD->BD", share_BS, features_BSD)
        table_OD = self.param("subjects", initializers.normal(1.0), (cfg.concepts, D))
        scores_BSO = jnp.einsum("BSD,OD->BSO", Dense(D, name="key")(features_BSD), table_OD) * D**-0.5
        scores_BSO = jnp.where(real_BS[..., None], scores_BSO, jnp.finfo(jnp.float32).min)
        rare = self.param("rare", initializers.constant(-4.0), (cfg.concepts,))
        asked_BSN = jnp.take_along_axis(scores_BSO, jnp.maximum(subject_BN, 0)[:, None], axis=-1)
        found_BND = jnp.einsum("BSN,BSD->BND", softmax(asked_BSN, axis=1), features_BSD)
        return Reading(
            Dense(cfg.concepts, name="named")(pooled_BD),
            scores_BSO.max(axis=1) + rare,
            Dense(cfg.settings, name="settings")(pooled_BD),
            Dense(cfg.attributes, name="attributes")(found_BND),
        )


class PlaceReader(nn.Module):
    """Features of tokens [B, L, D] -> where each token's thing is in the frame, and the way from it to the others:
    x and y of each, as shares of the frame, [B, L, 4].
    """

    dtype: DTypeLike = jnp.bfloat16

    @nn.compact
    def __call__(self, features_BLD: Array) -> Array:
        x = LayerNorm(affine=True, name="norm")(features_BLD)
        x = nn.silu(Dense(features_BLD.shape[-1], dtype=self.dtype, name="hidden")(x))
        return Dense(4, dtype=self.dtype, name="told")(x)


class CellReading(NamedTuple):
    """cells_BLO: logits of each concept in each token's cell, and last of none. places_BL4: where in the thing the
    cell is, and where the thing goes; see `vidgen.worlds.cells`.
    """

    cells_BLO: Array
    places_BL4: Array


class CellReader(nn.Module):
    """A transformer's features of noisy tokens [B, L, D] -> `CellReading`.

    Representation alignment (arXiv 2410.06940): a block in the middle of the transformer must know what a good
    encoder would see in the clean clip. Worlds know it better than any encoder.
    """

    concepts: int
    dtype: DTypeLike = jnp.bfloat16

    @nn.compact
    def __call__(self, features_BLD: Array) -> CellReading:
        x = LayerNorm(affine=True, name="norm")(features_BLD)
        x = nn.silu(Dense(features_BLD.shape[-1], dtype=self.dtype, name="hidden")(x))
        out = Dense(self.concepts + 1 + 4, dtype=self.dtype, name="told")(x)
        return CellReading(out[..., :-4], out[..., -4:])
