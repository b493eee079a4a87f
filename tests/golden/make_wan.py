# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Small random Wan 2.1 transformers, made and run by diffusers: weights, inputs, and what each block says.

python tests/golden/make_wan.py

Needs torch and diffusers (the versions that made the files are in their metadata); the tests that read the files need
neither. Every parameter is random, so that no term of the network is silent.
"""

import tempfile

import diffusers
import goldens
import numpy as np
import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

# Patch, channels, heads, width of a head, MLP, layers, text width, time width; batch, frames, rows, columns, words.
CONFIGS = {
    "plain": ((1, 2, 2), 4, 2, 12, 40, 3, 16, 8, 2, 3, 4, 6, 5),
    "odd": ((2, 1, 3), 3, 3, 16, 56, 2, 10, 12, 1, 4, 3, 9, 7),
    "wide": ((1, 2, 2), 16, 4, 16, 128, 2, 32, 64, 2, 2, 6, 4, 11),
}


def keep(said: dict[str, np.ndarray], name: str):
    """A hook that keeps what a block says the first time."""

    def hook(_module, _inputs, out: torch.Tensor) -> None:
        said.setdefault(name, out.float().numpy())

    return hook


def make(name: str, seed: int) -> None:
    """Writes wan_NAME.safetensors: tensors "weights/...", "inputs/..." and "outputs/..."."""
    patch, channels, heads, head, hidden, layers, text_width, time_width, B, T, H, W, S = CONFIGS[name]
    torch.manual_seed(seed)
    model = WanTransformer3DModel(
        patch_size=patch, num_attention_heads=heads, attention_head_dim=head, in_channels=channels,
        out_channels=channels, text_dim=text_width, freq_dim=time_width, ffn_dim=hidden, num_layers=layers,
        cross_attn_norm=True, qk_norm="rms_norm_across_heads", eps=1e-6, rope_max_seq_len=64,
    ).eval()  # fmt: skip
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Of a size that keeps features near 1, and norms near 1 rather than 0.
            size = 0.2 if parameter.ndim < 2 else parameter[0].numel() ** -0.5
            parameter.normal_(std=size)
            if "norm" in key and key.endswith("weight"):
                parameter += 1
    weights = {f"weights/{key}": value.detach().clone().numpy() for key, value in model.state_dict().items()}
    x, text = torch.randn(B, channels, T, H, W), torch.randn(B, S, text_width)
    time = torch.tensor([750.0, 125.0][:B])  # exact as shares of 1000
    said: dict[str, np.ndarray] = {}
    for number, block in enumerate(model.blocks):
        block.register_forward_hook(keep(said, f"outputs/block{number}"))
    with torch.no_grad():
        said["outputs/velocity"] = model(x, time, text, return_dict=False)[0].numpy()
    # As diffusers loads it, which leaves norms and tables in float32.
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        model.save_pretrained(folder)
        half = WanTransformer3DModel.from_pretrained(folder, torch_dtype=torch.bfloat16)
        low = half(x.bfloat16(), time, text.bfloat16(), return_dict=False)[0].float().numpy()
    said["outputs/velocity_bfloat16"] = low
    inputs = {"inputs/x": x.numpy(), "inputs/text": text.numpy(), "inputs/time": time.numpy()}
    everything = {**weights, **inputs, **said}
    goldens.keep(f"wan_{name}", everything, torch, diffusers)


def main() -> None:
    for seed, name in enumerate(CONFIGS):
        make(name, seed)


if __name__ == "__main__":
    main()
