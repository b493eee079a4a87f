# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""DiT (arXiv 2212.09748) and SiT (arXiv 2401.08740) under the names of facebookresearch/DiT, which are SiT's too, and
of diffusers' DiTTransformer2DModel. Our side is {"dit": ..., "text": {"labels": ...}}.
"""

import functools

import numpy as np

from vidgen.models.dit import DiTConfig
from vidgen.weights.keymap import Constant, Keymap, Rule, Rules, fused, linear, picture_patches


def original(config: DiTConfig) -> Keymap:
    """The table of the original files (.pt files, once converted): queries, keys and values are one layer there, and
    the fixed positions are stored.
    """
    block, ours = "blocks.{N}", "dit/blocks"
    return (
        *_patch_embedding("x_embedder.proj", config),
        *linear("t_embedder.mlp.0", "dit/time1"),
        *linear("t_embedder.mlp.2", "dit/time2"),
        Rule("y_embedder.embedding_table.weight", "text/labels"),
        Constant("pos_embed", functools.partial(positions, config.grid, config.width)),
        *fused(f"{block}.attn.qkv", *(f"{ours}/self/{name}" for name in "qkv")),
        *linear(f"{block}.attn.proj", f"{ours}/self/out"),
        *linear(f"{block}.mlp.fc1", f"{ours}/up"),
        *linear(f"{block}.mlp.fc2", f"{ours}/down"),
        *linear(f"{block}.adaLN_modulation.1", f"{ours}/modulation"),
        *linear("final_layer.adaLN_modulation.1", "dit/final_modulation"),
        *linear("final_layer.linear", "dit/out"),
    )


def diffusers(config: DiTConfig) -> Keymap:
    """The table of diffusers, where each block has a copy of what embeds times and classes."""
    block, ours = "transformer_blocks.{N}", "dit/blocks"
    shared = (
        *linear(f"{block}.norm1.emb.timestep_embedder.linear_1", "dit/time1"),
        *linear(f"{block}.norm1.emb.timestep_embedder.linear_2", "dit/time2"),
        Rule(f"{block}.norm1.emb.class_embedder.embedding_table.weight", "text/labels"),
    )
    return (
        *_patch_embedding("pos_embed.proj", config),
        *(Rule(rule.theirs, rule.ours, rule.change, config.layers) for rule in shared),
        *linear(f"{block}.norm1.linear", f"{ours}/modulation"),
        *linear(f"{block}.attn1.to_q", f"{ours}/self/q"),
        *linear(f"{block}.attn1.to_k", f"{ours}/self/k"),
        *linear(f"{block}.attn1.to_v", f"{ours}/self/v"),
        *linear(f"{block}.attn1.to_out.0", f"{ours}/self/out"),
        *linear(f"{block}.ff.net.0.proj", f"{ours}/up"),
        *linear(f"{block}.ff.net.2", f"{ours}/down"),
        *linear("proj_out_1", "dit/final_modulation"),
        *linear("proj_out_2", "dit/out"),
    )


def _patch_embedding(theirs: str, config: DiTConfig) -> Rules:
    _, q, r = config.patch
    change = picture_patches((q, r), config.channels)
    return (
        Rule(f"{theirs}.weight", "dit/patch_embedding/kernel", change),
        Rule(f"{theirs}.bias", "dit/patch_embedding/bias"),
    )


@functools.cache
def positions(side: int, width: int) -> np.ndarray:
    """The fixed positions as they are stored, [1, side^2, width]: those of `vidgen.models.positions.sines_2d`, rounded
    from float64.
    """
    quarter = width // 4
    frequencies = 1.0 / 10_000 ** (np.arange(quarter, dtype=np.float64) / quarter)
    rows, columns = np.divmod(np.arange(side * side), side)
    angles = [np.outer(at, frequencies) for at in (columns, rows)]
    features = [turn(angle) for angle in angles for turn in (np.sin, np.cos)]
    return np.concatenate(features, axis=1)[None].astype(np.float32)
