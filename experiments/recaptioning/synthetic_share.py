# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""DALL-E 3, section 3.4, figure 5, at small scale: generators trained on 0, 65, 80, 95 and 100 % of our captions.

python experiments/recaptioning/synthetic_share.py --out runs/synthetic_share
python experiments/recaptioning/synthetic_share.py --out runs/synthetic_share --only table

Five shares and three seeds, 32x32 pixels, 9 frames, 32 concepts; and for the cause that the paper suspects (section
5.1) 95 % with the sides swapped in 0, 25 and 50 % of the captions. Every cell of the grid trains as many steps on the
same clips; cells that are there are not run again, so that the same command goes on where it was stopped. Two CPU
cores: each cell is to take 15 minutes at most, the grid about 6 hours. Not yet run.

The originals are weak as those of the web are: of all captions 30 % name one of the things, 25 % are a short true
caption, 25 % say nothing of the clip ("a short video of things"), and 20 % are another clip's.

The rule, written before any run. Of each share the means over three seeds of identity and of relation (of those found)
are taken. The paper's result holds here if (1) 95 % scores higher than 0 % in both, in every seed; (2) the means over
seeds do not fall from 0 to 65, 80 and 95 % by more than 2 points from one to the next; and (3) the intervals (95 %,
over the seeds' totals) of 0 % and 95 % do not overlap in identity. The cause holds if the relation score falls with the
swapped share in every seed, and at 50 % lies within 15 points of chance (50 %). Motion and camera are reported beside
them and decide nothing.
"""

import dataclasses
import json
from pathlib import Path
from typing import Literal

import numpy as np
import tyro

from vidgen.cli import eval as evaluation
from vidgen.compilation import enable_compilation_cache
from vidgen.data.builders.recaptioned import Clip
from vidgen.data.pipeline import WorldSource
from vidgen.data.recaptions import TABLE, read_table
from vidgen.eval.estimates import interval
from vidgen.models.dit import DiTConfig
from vidgen.sample.captioner import load_captioner
from vidgen.sample.pipeline import load_pipeline, model_folder
from vidgen.sample.recaption import RecaptionConfig, recaption
from vidgen.train import run
from vidgen.train.cells import AlignmentConfig
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData
from vidgen.train.text import save_text
from vidgen.worlds.captions import caption
from vidgen.worlds.checking import swapped_sides
from vidgen.worlds.motion import FPS
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID
from vidgen.worlds.sprites import FIRST_LIGHT

SHARES, SWAPPED, SEEDS = (0.0, 0.65, 0.8, 0.95, 1.0), (0.0, 0.25, 0.5), (0, 1, 2)
SCENES = dataclasses.replace(
    FIRST_LIGHT_ON_GRID,
    width=32,
    height=32,
    frames=9,
    concepts=FIRST_LIGHT[:32],
    cameras=("still", "still", "pan left", "pan right", "zoom in", "zoom out"),
)
SUITES = ("identity", "relation", "motion", "camera")
MAIN_SCORES = {"identity": "identity", "relation": "relation", "motion": "motion", "camera": "camera"}


@dataclasses.dataclass(frozen=True)
class Options:
    """What to run. out: folder of all. captioner: who wrote the captions. count: clips. n: cases of a suite. cells: at
    most so many are run now, 0 for all. only: "table" shows what is there.
    """

    out: Path = Path("runs/synthetic_share")
    captioner: str = "default"
    count: int = 12_288
    steps: int = 2500
    batch_size: int = 32
    n: int = 200
    cells: int = 0
    only: Literal["all", "table"] = "all"


@dataclasses.dataclass(frozen=True)
class WeakExamples:
    """Clips with weak captions, to be recaptioned."""

    count: int

    def ids(self) -> tuple[str, ...]:
        """See `Examples`."""
        return tuple(f"train-{i}" for i in range(self.count))

    def clip(self, key: str) -> Clip:
        """See `Examples`."""
        source, number = WorldSource(SCENES, self.count, 0), int(key.rpartition("-")[2])
        return Clip(source[number]["video"], (weak_caption(source, number),), {"number": number})

    def fps(self) -> float:
        """See `Examples`."""
        return FPS


def weak_caption(source: WorldSource, number: int) -> str:
    """See the file."""
    rng = np.random.default_rng((number, 7))
    scene, dice = source.scene(number), rng.random()
    if dice < 0.3:
        names = [thing.concept for thing in scene.objects]
        return f"{names[int(rng.integers(len(names)))]}"
    if dice < 0.55:
        return caption(scene, 0, "short")
    if dice < 0.8:
        return "a short video of things"
    return caption(source.scene((number + 1) % len(source)), 0, "short")


def swapped_table(table: Path, out: Path, share: float) -> Path:
    """A table in which a share of the new captions has left and right exchanged."""
    rng = np.random.default_rng(11)
    with out.open("w", encoding="utf-8") as stream:
        for row in read_table(table).values():
            text = swapped_sides(row["caption"]) if rng.random() < share else row["caption"]
            stream.write(json.dumps({**row, "caption": text}, ensure_ascii=False) + "\n")
    return out


def training(options: Options, table: Path, share: float, seed: int, text_file: Path) -> DiTTraining:
    """A cell's generator: the same for all but for its captions and its seed."""
    data = LatentData(
        "clips",
        SCENES,
        options.count,
        options.batch_size,
        text_length=32,
        shift=6.0,
        recaptions=str(table),
        synthetic=share,
    )
    return DiTTraining(
        vae=str(model_folder() / "vae.safetensors"),
        data=(data,),
        model=DiTConfig(patch=(1, 1, 1), width=192, layers=4, heads=3, hidden=640, pooled_text=True),
        text=load_pipeline().networks.text,
        text_from=str(text_file),
        text_frozen=True,
        cache=str(options.out / "latents"),
        alignment=AlignmentConfig(block=2, weight=0.2, concepts=SCENES.concepts or ()),
        optim=OptimConfig(lr=2e-3, warmup=50, b2=0.98, ema=0.995, cooldown=0.6, lr_end=0.02),
        loop=LoopConfig(steps=options.steps, seed=seed, log_every=50, eval_every=0, save_every=500),
    )


def cells() -> list[tuple[str, float, float, int]]:
    """(name, share of new captions, share of swapped ones, seed) of the whole grid; seeds are outermost."""
    plain = [(f"share{100 * share:g}", share, 0.0) for share in SHARES]
    swapped = [(f"swapped{100 * part:g}", 0.95, part) for part in SWAPPED if part]
    return [(f"{name}-seed{seed}", share, part, seed) for seed in SEEDS for name, share, part in (*plain, *swapped)]


def run_cell(options: Options, table: Path, text_file: Path, cell: tuple[str, float, float, int]) -> None:
    """Trains and scores one; both go on where they were stopped."""
    name, share, part, seed = cell
    folder = options.out / name
    folder.mkdir(parents=True, exist_ok=True)
    captions = swapped_table(table, options.out / f"swapped{100 * part:g}.jsonl", part) if part else table
    run(training(options, captions, share, seed, text_file), folder / "run")
    if not (folder / "run" / "checkpoints" / str(options.steps)).exists():
        raise SystemExit(f"{name} was stopped before its last step; the same command goes on from there")
    suites = [word for suite in SUITES for word in ("--suite", suite)]
    argv = ["--model", str(folder / "run" / "model"), "--n", str(options.n), "--controls", "1"]
    evaluation.world([*suites, *argv, "--out", str(folder / "report")])


def score(options: Options, name: str, suite: str) -> dict | None:
    """The model's estimate of a suite's main score, if the cell was run."""
    file = options.out / name / "report" / "report.json"
    if not file.exists():
        return None
    columns = json.loads(file.read_text())["suites"][suite]["columns"]
    return columns.get("model", {}).get(MAIN_SCORES[suite])


def show(options: Options) -> None:
    """The table of what is there: means over seeds, with intervals over the cases of all seeds."""
    print(f"| cell | {' | '.join(SUITES)} |\n|---|{'---|' * len(SUITES)}")
    for name in dict.fromkeys(cell[0].rpartition("-seed")[0] for cell in cells()):
        row = []
        for suite in SUITES:
            found = [one for seed in SEEDS if (one := score(options, f"{name}-seed{seed}", suite)) and one["n"]]
            if not found:
                row.append("-")
                continue
            trials = [one["n"] for one in found]
            hits = [round(one["value"] * one["n"]) for one in found]
            spread = interval(hits, trials)
            mean = float(np.mean([one["value"] for one in found]))
            row.append(f"{100 * mean:.1f} % [{100 * spread.low:.1f}, {100 * spread.high:.1f}], {len(found)} seeds")
        print(f"| {name} | {' | '.join(row)} |")


def main(options: Options) -> None:
    """Runs the cells that are missing and shows the table."""
    if options.only == "all":
        enable_compilation_cache()
        options.out.mkdir(parents=True, exist_ok=True)
        data, text_file = options.out / "captions", options.out / "text.safetensors"
        recaption(WeakExamples(options.count), load_captioner(options.captioner), data, RecaptionConfig(), print)
        if not text_file.exists():
            shipped = load_pipeline()
            save_text(text_file, shipped.networks.text, shipped.params["text"])
        missing = [cell for cell in cells() if score(options, cell[0], "identity") is None]
        for cell in missing[: options.cells or None]:
            print(f"running {cell[0]}", flush=True)
            run_cell(options, data / TABLE, text_file, cell)
    show(options)


if __name__ == "__main__":
    main(tyro.cli(Options))
