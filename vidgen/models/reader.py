# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a text encoder learns to read by: heads that must tell from its features what a caption claims."""

import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.nn import softmax

from vidgen.models.layers import Dense
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
    """Logits: named_BO of each concept, settings_BE of each setting, attributes_BNA of each asked subject."""

    named_BO: Array
    settings_BE: Array
    attributes_BNA: Array


class CaptionReader(nn.Module):
    """Ids [B, S] and the concepts that are asked about [B, N] -> `Reading`.

    The mean of the features, which modulates the transformer, must tell what is named and where it happens. What is
    said of a thing is looked up as the transformer looks it up: by attention from the thing to the words.
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
        asked_BND = table_OD[jnp.maximum(subject_BN, 0)]
        key_BSD = Dense(D, name="key")(features_BSD)
        scores_BNS = jnp.einsum("BND,BSD->BNS", asked_BND, key_BSD) * D**-0.5
        scores_BNS = jnp.where(real_BS[:, None], scores_BNS, jnp.finfo(jnp.float32).min)
        found_BND = jnp.einsum("BNS,BSD->BND", softmax(scores_BNS, axis=-1), features_BSD)
        return Reading(
            Dense(cfg.concepts, name="named")(pooled_BD),
            Dense(cfg.settings, name="settings")(pooled_BD),
            Dense(cfg.attributes, name="attributes")(found_BND),
        )
