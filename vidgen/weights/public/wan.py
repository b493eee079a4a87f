# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wan 2.1 (arXiv 2503.20314) under the names of diffusers' WanTransformer3DModel."""

from vidgen.models.dit import DiTConfig
from vidgen.weights.keymap import WITHOUT_FIRST, Keymap, Rule, linear, norm, patches


def transformer(config: DiTConfig) -> Keymap:
    """The table of the transformer; `config` is one of `vidgen.models.presets`."""
    block = "blocks.{N}"
    attention = [
        row
        for theirs, ours in (("attn1", "self"), ("attn2", "cross"))
        for row in (
            *linear(f"{block}.{theirs}.to_q", f"blocks/{ours}/q"),
            *linear(f"{block}.{theirs}.to_k", f"blocks/{ours}/k"),
            *linear(f"{block}.{theirs}.to_v", f"blocks/{ours}/v"),
            *linear(f"{block}.{theirs}.to_out.0", f"blocks/{ours}/out"),
            Rule(f"{block}.{theirs}.norm_q.weight", f"blocks/{ours}/q_norm/scale"),
            Rule(f"{block}.{theirs}.norm_k.weight", f"blocks/{ours}/k_norm/scale"),
        )
    ]
    return (
        Rule("patch_embedding.weight", "patch_embedding/kernel", patches(config.patch, config.channels)),
        Rule("patch_embedding.bias", "patch_embedding/bias"),
        *linear("condition_embedder.time_embedder.linear_1", "time1"),
        *linear("condition_embedder.time_embedder.linear_2", "time2"),
        *linear("condition_embedder.time_proj", "modulation"),
        *linear("condition_embedder.text_embedder.linear_1", "text1"),
        *linear("condition_embedder.text_embedder.linear_2", "text2"),
        *attention,
        *norm(f"{block}.norm2", "blocks/norm2"),
        *linear(f"{block}.ffn.net.0.proj", "blocks/up"),
        *linear(f"{block}.ffn.net.2", "blocks/down"),
        Rule(f"{block}.scale_shift_table", "blocks/modulation", WITHOUT_FIRST),
        Rule("scale_shift_table", "final_modulation", WITHOUT_FIRST),
        *linear("proj_out", "out"),
    )
