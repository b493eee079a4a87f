# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Packs a run's captioner for the package: eight bits a weight, and a card with what was measured.

python experiments/recaptioning/pack.py --run runs/captioner/model --report runs/captions --out vidgen/assets/captioner
"""

import dataclasses
import json
from pathlib import Path

import tyro

from vidgen.sample.captioner import WEIGHTS, load_captioner


@dataclasses.dataclass(frozen=True)
class Options:
    """run: a captioner's folder. report: the folder of evaluate.py, with captions.json. out: what to write."""

    run: Path
    report: Path
    out: Path = Path("vidgen/assets/captioner")


def scores(report: dict) -> dict[str, str]:
    """The figures of held-out pairs and of stories, beside their floor, as a card says them."""
    found = {}
    for kind in ("held-out pairs", "stories"):
        own, floor = report[kind]["captioner"], report[kind]["floor: the worlds' own"]
        for name in ("precision", "recall", "sides"):
            one, best = own[name], floor[name]
            if one["n"]:
                interval = f"[{100 * one['low']:.1f}, {100 * one['high']:.1f}]"
                found[f"{name}, {kind}"] = f"{100 * one['value']:.1f} % {interval} (floor: {100 * best['value']:.1f} %)"
    return found


def main(options: Options) -> None:
    """Writes the folder and says how large it is. Measure what was packed again: eight bits change it a little."""
    captioner = load_captioner(options.run)
    report = json.loads((options.report / "captions.json").read_text(encoding="utf-8"))
    card = dataclasses.replace(
        captioner.card,
        name="vidgen captioner",
        scores=scores(report),
        limits=(
            f"It knows {len(captioner.card.concepts)} things of emoji art, and has seen no real video.",
            "In made clips of one thing it at times tells of a second one; stories of small things it tells badly.",
            "It was trained at 64x64 pixels; other sizes are cropped and scaled to it.",
        ),
    )
    dataclasses.replace(captioner, card=card).save(options.out, small=True)
    print(f"{options.out}: {(options.out / WEIGHTS).stat().st_size:,} bytes of weights")


if __name__ == "__main__":
    main(tyro.cli(Options))
