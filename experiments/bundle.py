# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Puts a trained run into a folder that `vidgen generate --model` takes, with its card.

python experiments/bundle.py --run runs/one_average --vae runs/one_decoder/model/vae.safetensors \
    --card experiments/one_model/card.json --report runs/evaluate/report.json

The card is the one that the run wrote, with the words of the file (name, trained_on, limits) and what was measured.
"""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import tyro

from vidgen.data.pipeline import WorldSource
from vidgen.eval.alignment import Rate
from vidgen.eval.report import ROWS
from vidgen.sample.autoencoder import Autoencoder, load_autoencoder
from vidgen.sample.card import Card
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID

MOST_APART = 0.02
"""See `difference`."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Where the parts are."""

    run: Path
    """The run's folder; its model/ has the weights."""
    card: Path
    """What the card says in words: name, trained_on, limits."""
    vae: Path | None = None
    """A better VAE whose latents are those of the run's own, or aligned with them."""
    out: Path = Path("vidgen/assets/default")
    """Where the model goes."""
    report: Path | None = None
    """report.json of evaluate.py, whose scores go into the card."""


def scores(report: dict) -> dict[str, str]:
    """The lines of the card, from a report of evaluate.py: each score beside its floor."""
    lines = {}
    model, floor = report["alignment"]["model"], report["alignment"]["floor"]
    for field, title in ROWS.items():
        of_model, of_floor = Rate(**model[field]), Rate(**floor[field])
        lines[title] = f"{of_model}, n {of_model.n} (true renders: {100 * of_floor.value:.1f} %)"
    even = report["jumps"]
    lines["change where a latent frame begins, over change within"] = (
        f"{even['model']['value']:.2f} [{even['model']['low']:.2f}, {even['model']['high']:.2f}], "
        f"n {even['model']['n']} (true renders: {even['floor']['value']:.2f})"
    )
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
    """Copies the weights and writes the card; fields of the run's card that `--card` gives are replaced.

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
    card = {
        **json.loads((options.run / "model" / "card.json").read_text()),
        **json.loads(options.card.read_text()),
        "scores": scores(json.loads(options.report.read_text())) if options.report else {},
    }
    Card.from_dict(card).save(options.out)


if __name__ == "__main__":
    main(tyro.cli(Options))
