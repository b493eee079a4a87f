# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Puts a trained run into a folder that `vidgen generate --model` takes, with its card.

python experiments/first_light/bundle.py --run runs/cells_clips --vae runs/vae_decoder/model/vae.safetensors \
    --report runs/evaluate/report.json
"""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import tyro

from vidgen import trees
from vidgen.data.pipeline import WorldSource
from vidgen.eval.alignment import Rate
from vidgen.eval.report import ROWS
from vidgen.sample.autoencoder import Autoencoder, load_autoencoder
from vidgen.sample.card import Card
from vidgen.sample.pipeline import assemble
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID
from vidgen.worlds.sprites import FIRST_LIGHT, load_atlas

MOST_APART = 0.02
"""See `difference`."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Where the parts are."""

    run: Path
    """The run's folder; its model/ has the weights."""
    vae: Path | None = None
    """A better VAE whose latents are those of the run's own, or aligned with them."""
    out: Path = Path("vidgen/assets/default")
    """Where the model goes."""
    report: Path | None = None
    """report.json of evaluate.py, whose scores go into the card."""
    trained_on: str = ""
    """What it was trained on, in a sentence."""


def scores(report: dict) -> dict[str, str]:
    """The lines of the card, from a report of evaluate.py: each score beside its floor."""
    lines = {}
    model, floor = report["alignment"]["model"], report["alignment"]["floor"]
    for field, title in ROWS.items():
        of_model, of_floor = Rate(**model[field]), Rate(**floor[field])
        lines[title] = f"{of_model}, n {of_model.n} (true renders: {100 * of_floor.value:.1f} %)"
    for name, values in report["vae"].items():
        lines[f"VAE, {name}"] = f"{values['psnr']:.2f} dB, SSIM {values['ssim']:.3f}, {values['clips']} clips"
    return lines


def difference(own: Autoencoder, other: Autoencoder, clips: int = 32) -> float:
    """Squared difference of both VAEs' latents of held-out scenes, as a share of the variance of the first one's."""
    if own.hash() == other.hash():
        return 0.0
    scenes = dataclasses.replace(FIRST_LIGHT_ON_GRID, split="all")
    source = WorldSource(scenes, size=clips, seed=1)
    video = np.stack([source[index]["video"] for index in range(clips)])
    latent, others = (np.asarray(vae.encode(video)) for vae in (own, other))
    return float(np.square(latent - others).mean() / latent.var((0, 1, 2, 3)).mean())


def main(options: Options) -> None:
    """Copies the weights and writes the card.

    Raises:
        ValueError: the other VAE's latents are not those that the run has learned.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    own = options.run / "model" / "vae.safetensors"
    vae_file = options.vae or own
    vae = load_autoencoder(vae_file)
    apart = difference(load_autoencoder(own), vae)
    if apart > MOST_APART:
        raise ValueError(
            f"the latents of {vae_file} differ from those of {own} by {100 * apart:.1f} % of their variance; at most "
            f"{100 * MOST_APART:g} % are allowed: the transformer does not know them"
        )
    shutil.copyfile(vae_file, options.out / "vae.safetensors")
    shutil.copyfile(options.run / "model" / "dit.safetensors", options.out / "dit.safetensors")
    pipeline = assemble(vae, options.out / "dit.safetensors")
    multiple = max(
        side * cell for side, cell in zip(pipeline.networks.dit.patch[1:], vae.config.patch[1:], strict=True)
    )
    atlas = load_atlas()
    concepts = [atlas.concepts[atlas.index(name)] for name in FIRST_LIGHT]
    card = {
        "name": "vidgen first light",
        "parameters": {name: trees.count(pipeline.params[name]) for name in ("dit", "text", "vae")},
        "trained_on": options.trained_on,
        "scores": scores(json.loads(options.report.read_text())) if options.report else {},
        "limits": [
            f"It knows {len(concepts)} things, one or two at a time, and no others.",
            "It was trained at 64x64 pixels, single frames and clips of 17 frames (2 seconds).",
            "Things are half as large as the frame, stand on a grid of 8 pixels and move by 2 pixels a frame.",
            "It knows standing still and moving left, right, up and down; the camera does not move.",
            "It draws flat scenes of emoji art; it has seen no photograph, no real video and no real person.",
        ],
        "concepts": [{"name": c.name, "synonyms": list(c.synonyms)} for c in concepts],
        "size": [64, 64],
        "size_multiple": multiple,
        "least_side": 64,
        "most_side": 64,
        "max_frames": 17,
        "fps": 8,
    }
    Card.from_dict(card).save(options.out)


if __name__ == "__main__":
    main(tyro.cli(Options))
