# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Small random UMT5 encoders, made and run by transformers: weights, ids, and what each block says.

python tests/golden/make_umt5.py

Needs torch and transformers (the versions that made the files are in their metadata); the tests need neither.
"""

import goldens
import torch
import transformers

# Vocabulary, width, heads, width of a head, MLP, layers, buckets, furthest distance; batch, tokens, real ones.
CONFIGS = {
    "plain": (50, 16, 2, 8, 24, 2, 32, 128, 3, 9, (9, 4, 1)),
    "odd": (30, 20, 3, 6, 28, 3, 8, 20, 2, 70, (70, 33)),
}


def make(name: str, seed: int) -> None:
    """Writes umt5_NAME.safetensors: tensors "weights/...", "inputs/..." and "outputs/..."."""
    vocabulary, width, heads, head, hidden, layers, buckets, distance, B, S, real = CONFIGS[name]
    torch.manual_seed(seed)
    config = transformers.UMT5Config(
        vocab_size=vocabulary, d_model=width, num_heads=heads, d_kv=head, d_ff=hidden, num_layers=layers,
        relative_attention_num_buckets=buckets, relative_attention_max_distance=distance,
        feed_forward_proj="gated-gelu", dropout_rate=0.0,
    )  # fmt: skip
    model = transformers.UMT5EncoderModel(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.normal_(std=0.2 if parameter.ndim < 2 else parameter[0].numel() ** -0.5)
            if "norm" in key:
                parameter += 1
            if "relative" in key or "shared" in key:
                parameter *= 3
    ids = torch.randint(1, vocabulary, (B, S))
    mask = torch.arange(S)[None] < torch.tensor(real)[:, None]
    ids = torch.where(mask, ids, 0)
    with torch.no_grad():
        out = model(ids, attention_mask=mask.long(), output_hidden_states=True)
    kept = {k: v.clone().numpy() for k, v in model.state_dict().items() if k != "encoder.embed_tokens.weight"}
    weights = {f"weights/{key}": value for key, value in kept.items()}
    with torch.no_grad():
        low = model.to(torch.bfloat16)(ids, attention_mask=mask.long()).last_hidden_state.float()
    said = {f"outputs/block{i}": x.numpy() for i, x in enumerate(out.hidden_states[1:-1])}
    said |= {"outputs/features": out.last_hidden_state.numpy(), "outputs/features_bfloat16": low.numpy()}
    everything = {**weights, **said, "inputs/ids": ids.int().numpy()}
    goldens.keep(f"umt5_{name}", everything, torch, transformers)


def main() -> None:
    for seed, name in enumerate(CONFIGS):
        make(name, seed)


if __name__ == "__main__":
    main()
