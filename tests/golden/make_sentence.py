# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Small random BERTs, made and run by transformers: weights, ids, and the mean of their tokens, of length 1.

python tests/golden/make_sentence.py

Needs torch and transformers (the versions that made the files are in their metadata); the tests need neither.
"""

import goldens
import torch
import transformers

# Vocabulary, width, heads, MLP, layers, positions; batch, tokens, real ones.
CONFIGS = {"plain": (50, 16, 2, 24, 2, 12, 3, 9, (9, 4, 1)), "odd": (30, 18, 3, 28, 3, 40, 2, 31, (31, 17))}


def make(name: str, seed: int) -> None:
    """Writes sentence_NAME.safetensors: tensors "weights/...", "inputs/..." and "outputs/..."."""
    vocabulary, width, heads, hidden, layers, positions, B, S, real = CONFIGS[name]
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=vocabulary, hidden_size=width, num_attention_heads=heads, intermediate_size=hidden,
        num_hidden_layers=layers, max_position_embeddings=positions, layer_norm_eps=1e-12,
    )  # fmt: skip
    model = transformers.BertModel(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.normal_(std=0.3 if parameter.ndim < 2 else 2 * parameter[0].numel() ** -0.5)
            if "LayerNorm.weight" in key:
                parameter += 1
    mask = torch.arange(S)[None] < torch.tensor(real)[:, None]
    ids = torch.where(mask, torch.randint(1, vocabulary, (B, S)), 0)
    with torch.no_grad():
        features = model(ids, attention_mask=mask.long()).last_hidden_state
    mean = (features * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    weights = {f"weights/{key}": value.clone().numpy() for key, value in model.state_dict().items()}
    said = {"outputs/sentence": torch.nn.functional.normalize(mean, dim=-1).numpy()}
    everything = {**weights, **said, "inputs/ids": ids.int().numpy()}
    goldens.keep(f"sentence_{name}", everything, torch, transformers)


def main() -> None:
    for seed, name in enumerate(CONFIGS):
        make(name, seed)


if __name__ == "__main__":
    main()
