# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What `vidgen weights export` writes is read by diffusers, and says there what the folder it came from says.

python tests/golden/check_export.py EXPORTED ORIGINAL

Both are folders of Wan or DiT as diffusers keeps them, such as one that went through `vidgen weights import` and
`export`, and the tests' own. Needs torch, diffusers, transformers and accelerate, and nothing of vidgen: it is run by
the Python that has them. Ends with an error where an output differs in a bit.
"""

import json
import sys
from pathlib import Path

import diffusers
import torch
import transformers


def outputs(folder: Path) -> dict[str, torch.Tensor]:
    """What each network says of the same input."""
    torch.manual_seed(0)
    index = json.loads((folder / "model_index.json").read_text())["_class_name"]
    said = {}
    if index == "WanPipeline":
        dit = diffusers.WanTransformer3DModel.from_pretrained(folder / "transformer").eval()
        vae = diffusers.AutoencoderKLWan.from_pretrained(folder / "vae").eval()
        reader = transformers.UMT5EncoderModel.from_pretrained(folder / "text_encoder").eval()
        text = reader(torch.arange(3, 15)[None]).last_hidden_state
        x = torch.randn(1, dit.config.in_channels, 3, 4, 6)
        said["text"] = text
        said["transformer"] = dit(x, torch.tensor([500.0]), text, return_dict=False)[0]
        said["encoder"] = vae.encode(torch.randn(1, 3, 9, 32, 48)).latent_dist.mean
        said["decoder"] = vae.decode(torch.randn(1, vae.config.z_dim, 3, 4, 6), return_dict=False)[0]
        return said
    dit = diffusers.DiTTransformer2DModel.from_pretrained(folder / "transformer").eval()
    vae = diffusers.AutoencoderKL.from_pretrained(folder / "vae").eval()
    side = dit.config.sample_size
    x = torch.randn(2, dit.config.in_channels, side, side)
    said["transformer"] = dit(x, torch.tensor([500, 7]), torch.tensor([1, 207]), return_dict=False)[0]
    said["encoder"] = vae.encode(torch.randn(1, 3, 32, 32)).latent_dist.mean
    said["decoder"] = vae.decode(torch.randn(1, vae.config.latent_channels, side, side), return_dict=False)[0]
    return said


def main() -> None:
    exported, original = (Path(folder) for folder in sys.argv[1:3])
    with torch.no_grad():
        ours, theirs = outputs(exported), outputs(original)
    for name, other in theirs.items():
        apart = (ours[name] - other).abs().max()
        sys.stdout.write(f"{name:12} {tuple(other.shape)!s:24} largest {other.abs().max():.3f}, apart {apart}\n")
    if not all(torch.equal(ours[name], other) for name, other in theirs.items()):
        sys.exit("outputs differ")


if __name__ == "__main__":
    main()
