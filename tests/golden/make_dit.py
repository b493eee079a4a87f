# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Small random DiTs, made and run by diffusers, and by the published equations of DiT and SiT: weights, inputs, blocks.

python tests/golden/make_dit.py

Needs torch and diffusers (the versions that made the files are in their metadata); the tests that read the files need
neither. Every parameter is random, so that no term of the network is silent. diffusers computes the sinusoid of the
time and one epsilon in another way than the original does; both are kept.
"""

import diffusers
import goldens
import numpy as np
import torch
from diffusers import DiTTransformer2DModel
from torch.nn.functional import gelu, layer_norm, linear, silu

# Patch, channels, heads, width of a head, layers, rows of cells, classes, whether channels are doubled, batch.
CONFIGS = {
    "plain": (2, 4, 2, 12, 3, 8, 10, True, 2),
    "odd": (1, 3, 3, 8, 2, 5, 7, False, 3),
    "wide": (2, 4, 4, 8, 2, 12, 3, True, 1),
}
STEPS = (750, 3, 481)


def sines(time: torch.Tensor) -> torch.Tensor:
    """cos, sin of 128 frequencies each, as the original has them."""
    angles = time[:, None].float() * torch.exp(-np.log(10_000) * torch.arange(128, dtype=torch.float32) / 128)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def published(weights: dict[str, torch.Tensor], shape: tuple, x, time, labels, said: dict) -> torch.Tensor:
    """What the original says, written down from its paper and code: adaLN-Zero blocks, all of it from one embedding."""
    patch, channels, heads, head, layers, side, _, doubled, batch = shape
    D, rows = heads * head, side // patch

    def layer(name: str, h: torch.Tensor) -> torch.Tensor:
        return linear(h, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def modulated(h: torch.Tensor, add: torch.Tensor, multiply: torch.Tensor) -> torch.Tensor:
        return layer_norm(h, (D,), eps=1e-6) * (1 + multiply[:, None]) + add[:, None]

    emb = "transformer_blocks.0.norm1.emb"
    told = layer(f"{emb}.timestep_embedder.linear_2", silu(layer(f"{emb}.timestep_embedder.linear_1", sines(time))))
    told = silu(told + weights[f"{emb}.class_embedder.embedding_table.weight"][labels])
    h = torch.nn.functional.conv2d(x, weights["pos_embed.proj.weight"], weights["pos_embed.proj.bias"], stride=patch)
    h = h.flatten(2).transpose(1, 2)
    frequencies = 1 / 10_000 ** (torch.arange(D // 4, dtype=torch.float64) / (D // 4))
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(rows), indexing="ij")
    angles = [at.flatten()[:, None] * frequencies for at in (column, row)]
    h = h + torch.cat([f(angle) for angle in angles for f in (torch.sin, torch.cos)], dim=1).float()
    for number in range(layers):
        block = f"transformer_blocks.{number}"
        add1, multiply1, gate1, add2, multiply2, gate2 = layer(f"{block}.norm1.linear", told).chunk(6, dim=1)
        inner = modulated(h, add1, multiply1)
        q, k, v = (
            layer(f"{block}.attn1.to_{name}", inner).reshape(batch, -1, heads, head).transpose(1, 2) for name in "qkv"
        )
        mixed = torch.softmax(q @ k.transpose(2, 3) * head**-0.5, dim=-1) @ v
        h = h + gate1[:, None] * layer(f"{block}.attn1.to_out.0", mixed.transpose(1, 2).reshape(batch, -1, D))
        inner = gelu(layer(f"{block}.ff.net.0.proj", modulated(h, add2, multiply2)), approximate="tanh")
        h = h + gate2[:, None] * layer(f"{block}.ff.net.2", inner)
        said[f"outputs/block{number}"] = h.numpy()
    add, multiply = layer("proj_out_1", told).chunk(2, dim=1)
    out = layer("proj_out_2", modulated(h, add, multiply)).reshape(batch, rows, rows, patch, patch, -1)
    return torch.einsum("nhwpqc->nchpwq", out).reshape(batch, channels * (1 + doubled), side, side)


def make(name: str, seed: int) -> None:
    """Writes dit_NAME.safetensors: tensors "weights/...", "inputs/..." and "outputs/..."."""
    patch, channels, heads, head, layers, side, classes, doubled, batch = shape = CONFIGS[name]
    torch.manual_seed(seed)
    model = DiTTransformer2DModel(
        num_attention_heads=heads, attention_head_dim=head, in_channels=channels, num_layers=layers,
        out_channels=channels * (1 + doubled), sample_size=side, patch_size=patch, num_embeds_ada_norm=classes,
    ).eval()  # fmt: skip
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            size = 0.2 if parameter.ndim < 2 or "embedding_table" in key else parameter[0].numel() ** -0.5
            parameter.normal_(std=size)
        first = model.transformer_blocks[0].norm1.emb.state_dict()
        for block in model.transformer_blocks:  # one embedding, which diffusers keeps a copy of in each block
            block.norm1.emb.load_state_dict(first)
    weights = {key: value.detach().clone() for key, value in model.state_dict().items()}
    x, labels = torch.randn(batch, channels, side, side), torch.randint(0, classes + 1, (batch,))
    labels[0] = classes
    steps, shares = torch.tensor(STEPS[:batch]), torch.tensor([0.25, 0.8, 0.5][:batch])
    said: dict[str, np.ndarray] = {}
    with torch.no_grad():
        said["outputs/sit"] = published(weights, shape, x, shares, labels, {}).numpy()
        exact = said["outputs/noise"] = published(weights, shape, x, steps, labels, said).numpy()
        said["outputs/diffusers"] = model(x, steps, labels).sample.numpy()
        # With the published sinusoid and epsilon diffusers says what the equations say.
        for block in model.transformer_blocks:
            block.norm1.emb.time_proj.downscale_freq_shift = 0
            block.norm3.eps = 1e-6
        same = model(x, steps, labels).sample.numpy()
        assert np.abs(same - exact).max() < 1e-5 * np.abs(exact).max()
        half = model.to(torch.bfloat16)
        with torch.autocast("cpu", torch.bfloat16):
            low = published(weights, shape, x, shares, labels, {})
        said["outputs/sit_bfloat16"] = low.float().numpy()
        said["outputs/noise_bfloat16"] = half(x.bfloat16(), steps, labels).sample.float().numpy()
    kept = {f"weights/{key}": value.numpy() for key, value in weights.items() if ".norm1.emb." not in key}
    kept |= {f"weights/{key}": value.numpy() for key, value in weights.items() if "blocks.0.norm1.emb." in key}
    inputs = {"inputs/x": x, "inputs/labels": labels, "inputs/steps": steps, "inputs/shares": shares}
    everything = {**kept, **{key: value.numpy() for key, value in inputs.items()}, **said}
    goldens.keep(f"dit_{name}", everything, torch, diffusers)


def main() -> None:
    for seed, name in enumerate(CONFIGS):
        make(name, seed)


if __name__ == "__main__":
    main()
