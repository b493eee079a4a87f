# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The encoder of UMT5 (arXiv 2304.09151) under the names of transformers' UMT5EncoderModel."""

from vidgen.weights.keymap import TRANSPOSED, Keymap, Rule


def encoder() -> Keymap:
    """The table of the encoder, of any size. `shared.weight` is written; files that hold the same table a second time,
    as encoder.embed_tokens.weight, must leave it out.
    """
    block, ours = "encoder.block.{N}.layer", "block{N}"
    products = [
        Rule(f"{block}.{theirs}.weight", f"{ours}/{name}/kernel", TRANSPOSED)
        for theirs, name in (
            ("0.SelfAttention.q", "q"), ("0.SelfAttention.k", "k"), ("0.SelfAttention.v", "v"),
            ("0.SelfAttention.o", "out"), ("1.DenseReluDense.wi_0", "gate"), ("1.DenseReluDense.wi_1", "up"),
            ("1.DenseReluDense.wo", "down"),
        )
    ]  # fmt: skip
    return (
        Rule("shared.weight", "embedding"),
        *products,
        Rule(f"{block}.0.SelfAttention.relative_attention_bias.weight", f"{ours}/relative_bias"),
        Rule(f"{block}.0.layer_norm.weight", f"{ours}/norm1/scale"),
        Rule(f"{block}.1.layer_norm.weight", f"{ours}/norm2/scale"),
        Rule("encoder.final_layer_norm.weight", "norm/scale"),
    )
