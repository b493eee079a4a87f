# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Trains and measures the detector of the shipped model's clips (`vidgen.safety.detector`).

    python experiments/trust/detector.py --clips runs/marks/clips --films films --out runs/detector --install

CLIPS holds the shipped model's clips, as `marks.py --part generated` makes them. Beside them stand true renders of
scenes of the same kind at the same size, and other people's footage (`films.py`): random squares of it scaled to that
size, and others at their own. Every other clip trains, the rest is measured: of the model's, other prompts; of renders,
other scenes; of footage, other films. Each is sent as it is and some ways of `vidgen.eval.handling`. Half of all clips,
whoever made them, carry the invisible mark and half the visible one, so that marks are not what is learned. The
threshold is where 1 % of the training clips of others would be false alarms, each scored by weights that did not see
it, and at least 0.5; the clips that are measured do not decide it. --install writes the weights into the package.
"""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import tyro
from films import FURTHER, WHEEL, read_film
from plots import draw_roc

from vidgen.eval.handling import FPS, WAYS
from vidgen.safety import watermark
from vidgen.safety.badge import add_badge
from vidgen.safety.detector import WEIGHTS, Looks, features
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, draw_scene

UNSEEN = 2**43
FALSE_ALARMS = 0.01
LEAST_THRESHOLD = 0.5
FOLDS = 5
KINDS = ("vidgen", "renders", "footage", "large footage")


@dataclasses.dataclass(frozen=True)
class Options:
    """clips: a folder of the model's. films: a folder, see films.py. n: clips a kind. ways: drawn for each, beside
    "as made". penalty: of weights.
    """

    clips: Path = Path("runs/marks/clips")
    films: Path = Path("films")
    out: Path = Path("runs/detector")
    n: int = 192
    ways: int = 4
    penalty: float = 1.0
    install: bool = False


def trains(number: int) -> bool:
    """Whether the clips of a number train; the others are measured."""
    return number % 2 == 0


def make_clip(kind: str, number: int, options: Options) -> np.ndarray:
    """The clip of a number: uint8 [17, H, W, 3], of 64 pixels a side but for "large footage"."""
    if kind == "vidgen":
        files = sorted(options.clips.glob("*.npz"))
        return np.load(files[number // 8])["clips"][number % 8]
    if kind == "renders":
        return render(draw_scene(FIRST_LIGHT_ON_GRID, UNSEEN + number))
    names = WHEEL if trains(number) else FURTHER
    film = read_film(names[number // 2 % len(names)], options.films)
    rng = np.random.default_rng([number, KINDS.index(kind)])
    start = int(rng.integers(len(film) - 16))
    most = min(film.shape[1:3])
    side = int(rng.integers(min(128, most), most + 1)) if kind == "footage" else min(256, most)
    top, left = (int(rng.integers(whole - side + 1)) for whole in film.shape[1:3])
    part = np.ascontiguousarray(film[start : start + 17, top : top + side, left : left + side])
    if kind == "large footage":
        return part
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
                clip = watermark.embed(clip, rng.bytes(6)) if number // 2 % 2 else clip
                clip = add_badge(clip, FPS) if number // 4 % 2 else clip
                new = []
                for name in ("as made", *rng.choice(names, options.ways, replace=False)):
                    found = features(WAYS[str(name)](clip, rng)).tolist()
                    new.append({"kind": kind, "number": number, "way": str(name), "features": found})
                log.write("".join(json.dumps(row) + "\n" for row in new))
                log.flush()
                rows += new
            if number % 8 == 7:
                print(number + 1, flush=True)
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
    return Looks(mean, scale, weight[:-1], float(weight[-1]), LEAST_THRESHOLD, np.nan, np.nan, 0, 0)


def choose_threshold(feature_RK: np.ndarray, made_R: np.ndarray, number_R: np.ndarray, penalty: float) -> float:
    """Which score `FALSE_ALARMS` of others reach, by weights of the other folds; at least `LEAST_THRESHOLD`."""
    score_R, fold_R = np.zeros(len(made_R)), number_R // 2 % FOLDS
    for fold in range(FOLDS):
        held = fold_R == fold
        score_R[held] = train(feature_RK[~held], made_R[~held], penalty).score(feature_RK[held])
    return max(LEAST_THRESHOLD, float(np.quantile(score_R[~made_R], 1 - FALSE_ALARMS)))


def area(made: np.ndarray, other: np.ndarray) -> float:
    """Under the ROC curve: how often a clip of vidgen scores above another one."""
    return float(np.mean((made[:, None] > other) + 0.5 * (made[:, None] == other)))


def report(options: Options, looks: Looks, score_R: np.ndarray, rows: list[dict]) -> None:
    """A table of the clips that are measured, and their ROC curves."""
    kind_R, way_R = (np.array([row[name] for row in rows]) for name in ("kind", "way"))
    head = " | ".join(f"{kind}: area, false alarms" for kind in KINDS[1:])
    lines = [f"| way | n | found | {head} |", "|---|---|---|---|---|---|"]
    for name in ("all", *WAYS):
        chosen_R = (way_R == name) | (name == "all")
        ours, *others = (score_R[chosen_R & (kind_R == kind)] for kind in KINDS)
        cells = [str(len(ours)), f"{100 * np.mean(ours >= looks.threshold):.1f} %"]
        cells += [f"{area(ours, other):.3f}, {100 * np.mean(other >= looks.threshold):.1f} %" for other in others]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    worst = f"false alarms of the worst kind {looks.false_alarms:.4f}"
    lines.append(
        f"\nthreshold {looks.threshold:.3f}: found {looks.found:.4f} of {looks.made}, {worst}, {looks.others} others"
    )
    (options.out / "report.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    ours = score_R[kind_R == KINDS[0]]
    curves = {f"from {kind}": (list(ours), list(score_R[kind_R == kind])) for kind in KINDS[1:]}
    draw_roc(options.out / "roc_detector.png", curves, "false alarms of the learned detector", decades=2)


def main() -> None:
    options = tyro.cli(Options, description=__doc__)
    options.out.mkdir(parents=True, exist_ok=True)
    rows = collect(options)
    feature_RK = np.array([row["features"] for row in rows])
    kind_R, number_R = (np.array([row[name] for row in rows]) for name in ("kind", "number"))
    made_R, training_R = kind_R == "vidgen", np.array([trains(row["number"]) for row in rows])
    seen = feature_RK[training_R], made_R[training_R]
    looks = train(*seen, options.penalty)
    threshold = choose_threshold(*seen, number_R[training_R], options.penalty)
    scores, reached = looks.score(feature_RK), {}
    for kind in KINDS:
        score_R = scores[~training_R & (kind_R == kind)]
        reached[kind] = float(np.mean(score_R >= threshold)), len(score_R)
    # The worst kind's rate, since nobody knows which kinds a reader's files are of.
    alarms = max(rate for kind, (rate, _) in reached.items() if kind != "vidgen")
    others = sum(count for kind, (_, count) in reached.items() if kind != "vidgen")
    found, count = reached["vidgen"]
    looks = dataclasses.replace(looks, threshold=threshold, false_alarms=alarms, found=found, made=count, others=others)
    report(options, looks, scores[~training_R], [row for row in rows if not trains(row["number"])])
    if options.install:
        held = dataclasses.asdict(looks)
        rounded = {name: np.round(value, 5).tolist() if isinstance(value, np.ndarray) else round(value, 5)
                   for name, value in held.items()}  # fmt: skip
        WEIGHTS.write_text(json.dumps(rounded) + "\n")


if __name__ == "__main__":
    main()
