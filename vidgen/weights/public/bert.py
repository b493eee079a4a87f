# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""BERT's encoder (arXiv 1810.04805) under the names of transformers' BertModel, without its pooler."""

from vidgen.weights.keymap import Keymap, Rule, linear, norm

PREFIXES = ("embeddings.word", "embeddings.position_embeddings", "embeddings.token", "embeddings.LayerNorm", "encoder.")
"""Of the tensors that a sentence encoder has; the pooler is left out, and so are numbers of positions in old files."""


def encoder() -> Keymap:
    """The table of the encoder, of any size."""
    block, ours = "encoder.layer.{N}", "block{N}"
    return (
        Rule("embeddings.word_embeddings.weight", "words"),
        Rule("embeddings.position_embeddings.weight", "positions"),
        Rule("embeddings.token_type_embeddings.weight", "kinds"),
        *norm("embeddings.LayerNorm", "norm"),
        *linear(f"{block}.attention.self.query", f"{ours}/q"),
        *linear(f"{block}.attention.self.key", f"{ours}/k"),
        *linear(f"{block}.attention.self.value", f"{ours}/v"),
        *linear(f"{block}.attention.output.dense", f"{ours}/out"),
        *norm(f"{block}.attention.output.LayerNorm", f"{ours}/norm1"),
        *linear(f"{block}.intermediate.dense", f"{ours}/up"),
        *linear(f"{block}.output.dense", f"{ours}/down"),
        *norm(f"{block}.output.LayerNorm", f"{ours}/norm2"),
    )
