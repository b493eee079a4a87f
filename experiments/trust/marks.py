# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The invisible mark after what clips go through; false alarms; and two public marks on the same clips.

    python experiments/trust/marks.py --part generated --out runs/marks
    python experiments/trust/marks.py --part worlds --out runs/marks
    python experiments/trust/marks.py --part footage --films films --out runs/marks
    python experiments/trust/marks.py --part unmarked --trials 10000 --out runs/marks
    python experiments/trust/marks.py --part peers --peers VENV/bin/python --out runs/marks
    python experiments/trust/marks.py --part report --out runs/marks

Clips of the shipped generator are made once and kept in OUT/clips. Footage is other people's (`films.py` says how it is
had). Marked clips bear the visible mark too, as files do. A part writes OUT/PART.json as it goes on, so a command that
was stopped goes on where it was; `report` makes report.md and ROC plots of what is there. Bits of a mark that is not
found count as half right. VENV is an environment with PyPI's `invisible-watermark` and `onnxruntime`: it holds PyTorch,
which vidgen never asks for, so it is run as a process of its own (`marks_peers.py`).
"""

import dataclasses
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import tyro
from films import read_film
from plots import draw_roc

from vidgen.eval.handling import FPS, WAYS
from vidgen.eval.recon import psnr
from vidgen.safety import watermark
from vidgen.safety.badge import add_badge, find_badge
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, SceneConfig, draw_scene

FOOTAGE = ("bikes.mp4", "bigbuckbunny.mp4", "Megamind.avi", "vtest.avi", "box.mp4", "cup.mp4")
"""Of 256 pixels and more a side."""
UNSEEN = 2**42
KEYS = 5
"""Keys that are tried on each unmarked clip: independent of each other, and each is a trial."""
PEERS = ("dwtDctSvd", "rivaGan")
PEER_WAYS = ("as made", "H.264 crf 18", "H.264 crf 23", "H.264 crf 28", "H.264 crf 35", "scaled to 50 %",
             "scaled to 150 %", "10 % of both sides cut off", "40 % of both sides cut off", "frame rate x 0.5",
             "blur and noise", "GIF")  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Options:
    """What to measure.

    part: see above. clips: how many of the part. trials: of false alarms, clips times keys. frames, side: of footage
    and worlds. films: a folder, see films.py. peers: the other environment's Python.
    """

    part: Literal["generated", "worlds", "footage", "unmarked", "peers", "report"] = "generated"
    out: Path = Path("runs/marks")
    clips: int = 100
    trials: int = 10000
    frames: int = 17
    side: int = 256
    films: Path | None = None
    peers: Path | None = None


def generated(options: Options) -> Iterator[np.ndarray]:
    """Clips of the shipped generator for captions of scenes that it was not trained on, kept in a folder."""
    folder, size = options.out / "clips", 8
    folder.mkdir(parents=True, exist_ok=True)
    model = None
    for start in range(0, options.clips, size):
        file = folder / f"{start:05d}.npz"
        if not file.exists():
            from vidgen.eval.alignment import draw_cases
            from vidgen.sample.pipeline import load_pipeline

            config = dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(2, 2), object_weights=None, split="heldout")
            model = model or load_pipeline()
            prompts = [case.prompt for case in draw_cases(config, start + size, seed=0)[start:]]
            np.savez_compressed(file, clips=model.generate(prompts, frames=17, width=64, height=64, seed=start))
        yield from np.load(file)["clips"]


def worlds(options: Options) -> Iterator[np.ndarray]:
    """True renders of scenes with moving cameras and all."""
    config = SceneConfig(width=options.side, height=options.side, frames=options.frames, objects=(1, 3))
    for seed in range(options.clips):
        yield render(draw_scene(config, UNSEEN + seed))


def footage(options: Options, seed: int = 0) -> Iterator[np.ndarray]:
    """Random squares of real and of drawn footage, from random times on."""
    rng = np.random.default_rng(seed)
    for number in range(options.clips):
        film = read_film(FOOTAGE[number % len(FOOTAGE)], options.films)
        start = int(rng.integers(len(film) - options.frames + 1))
        top, left = (int(rng.integers(side - options.side + 1)) for side in film.shape[1:3])
        part = film[start : start + options.frames, top : top + options.side, left : left + options.side]
        yield np.ascontiguousarray(part)


SOURCES = {"generated": generated, "worlds": worlds, "footage": footage}


def survive(options: Options) -> None:
    """Marks clips, sends each every way and looks for the mark; appends to what is there of the part."""
    file = options.out / f"{options.part}.json"
    record = json.loads(file.read_text()) if file.exists() else {"psnr": [], "seconds": [], "ways": {}}
    for number, clip in enumerate(SOURCES[options.part](options)):
        if number < len(record["psnr"]) or number >= options.clips:
            continue
        rng = np.random.default_rng(number)
        payload = rng.bytes(watermark.PAYLOAD_BYTES)
        started = time.process_time()
        marked = watermark.embed(clip, payload)
        record["seconds"].append(time.process_time() - started)
        written = add_badge(marked, FPS)
        for name, way in WAYS.items():
            sent = way(written, rng)
            found = watermark.detect(sent)
            right = found.payload == payload
            bits = _agreement(found.payload, payload) if found.found else 0.5
            result = {"found": found.found, "right": right, "bits": bits, "score": found.score, "p": found.p_value}
            result["badge"] = float(find_badge(sent).mean())
            record["ways"].setdefault(name, []).append(result)
        record["psnr"].append(float(psnr(clip, marked).min()))
        file.write_text(json.dumps(record))
        lost = [name for name, results in record["ways"].items() if not results[-1]["right"]]
        print(options.part, number, f"{record['psnr'][-1]:.2f} dB, lost: {lost}", flush=True)


def _agreement(one: bytes | None, other: bytes) -> float:
    pair = [np.unpackbits(np.frombuffer(each, np.uint8)) for each in (one or b"", other)]
    return float(np.mean(pair[0] == pair[1]))


def unmarked(options: Options) -> None:
    """Looks for marks where none are: generated clips, renders and footage, each as it is or sent some way."""
    file = options.out / "unmarked.json"
    record = json.loads(file.read_text()) if file.exists() else {"clips": 0, "p": [], "score": [], "badge": []}
    names = list(WAYS)
    for number in range(record["clips"], -(-options.trials // KEYS)):
        rng = np.random.default_rng([1, number])
        frames = _unmarked_clip(options, number, rng)
        if number % 4 == 0:
            frames = WAYS[names[int(rng.integers(len(names)))]](frames, rng)
        measured = watermark.measure(frames)
        record["badge"].append(float(find_badge(frames).mean()))
        for key in (None, *rng.integers(2**32, size=KEYS - 1)):
            found = watermark.read(measured, key)
            record["p"].append(found.p_value)
            record["score"].append(round(found.score, 4))
        record["clips"] = number + 1
        if number % 50 == 49:
            file.write_text(json.dumps(record))
            print(number + 1, "clips", len(record["p"]), "trials, least p", min(record["p"]), flush=True)
    file.write_text(json.dumps(record))


def _unmarked_clip(options: Options, number: int, rng: np.random.Generator) -> np.ndarray:
    """Two of five are footage of 64 to 256 pixels a side, two renders of 64 to 128, one is of the generator."""
    kind, frames = number % 5, int(rng.choice([1, 5, 9]))
    if kind < 2:
        side = 2 * int(rng.integers(32, 129))
        film = read_film(FOOTAGE[number // 5 % len(FOOTAGE)], options.films)
        start, top, left = (int(rng.integers(n + 1)) for n in np.subtract(film.shape[:3], (frames, side, side)))
        return np.ascontiguousarray(film[start : start + frames, top : top + side, left : left + side])
    if kind < 4:
        side = 2 * int(rng.integers(32, 65))
        config = SceneConfig(width=side, height=side, frames=frames, objects=(1, 3))
        return render(draw_scene(config, UNSEEN + 2**32 + number))
    clips = sorted((options.out / "clips").glob("*.npz"))
    if not clips:
        raise SystemExit(f"there are no clips in {options.out / 'clips'}: run --part generated first")
    return np.load(clips[number // 5 % len(clips)])["clips"][number // 5 // len(clips) % 8]


def peers(options: Options) -> None:
    """Two public marks on the same footage, a frame at a time; votes of frames give the bits of a clip."""
    if options.peers is None or not options.peers.exists():
        raise SystemExit("no --peers: give the Python of an environment with invisible-watermark and onnxruntime")
    file = options.out / "peers.json"
    empty = {name: {"psnr": [], "ways": {}} for name in PEERS}
    record = json.loads(file.read_text()) if file.exists() else empty
    for number, clip in enumerate(footage(options)):
        if number < len(record[PEERS[-1]]["psnr"]):
            continue
        bits = np.random.default_rng(number).integers(0, 2, 32)
        marked = _ask(options, "embed", bits, {f"{method}_0": clip for method in PEERS})
        sent = {}
        for method in PEERS:
            rng = np.random.default_rng(number)
            sent |= {f"{method}_{name}": WAYS[name](marked[f"{method}_0"], rng) for name in PEER_WAYS}
        read = _ask(options, "read", bits, sent)
        for method in PEERS:
            for name in PEER_WAYS:
                frames = read[f"{method}_{name}"]
                voted = float(np.mean((frames.mean(axis=0) > 0.5) == bits))
                result = {"frame": float(np.mean(frames == bits)), "bits": voted, "right": voted == 1.0}
                record[method]["ways"].setdefault(name, []).append(result)
            record[method]["psnr"].append(float(psnr(clip, marked[f"{method}_0"]).min()))
        file.write_text(json.dumps(record))
        print("peers", number, flush=True)


def _ask(options: Options, action: str, bits: np.ndarray, clips: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What marks_peers.py makes of clips, by the same names."""
    before, after = options.out / "peer_in.npz", options.out / "peer_out.npz"
    np.savez(before, bits=bits, **clips)
    subprocess.run([options.peers, Path(__file__).with_name("marks_peers.py"), action, before, after], check=True)
    with np.load(after) as held:
        return {name: held[name] for name in held.files}


def report(options: Options) -> None:
    """Tables of what is there, and ROC curves of the score alone, its checksum left aside."""
    parts = {name: options.out / f"{name}.json" for name in SOURCES}
    parts = {name: json.loads(file.read_text()) for name, file in parts.items() if file.exists()}
    head = " | ".join(f"{name}, {len(part['psnr'])}: found, bits, visible" for name, part in parts.items())
    lines = [f"| way | {head} |", "|---|" + "---|" * len(parts)]
    for way in WAYS:
        cells = []
        for part in parts.values():
            results = part["ways"][way]
            fields = [100 * np.mean([one[field] for one in results]) for field in ("right", "bits", "badge")]
            cells.append("{:.0f} %, {:.1f} %, {:.0f} %".format(*fields))
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    for name, part in parts.items():
        wrong = sum(one["found"] and not one["right"] for results in part["ways"].values() for one in results)
        lines.append(
            f"\n{name}: {len(part['psnr'])} clips, least PSNR of a frame {min(part['psnr']):.2f} dB, "
            f"{1000 * np.median(part['seconds']):.0f} ms of CPU to mark one, {wrong} wrong payloads."
        )
    file = options.out / "unmarked.json"
    if file.exists():
        null = json.loads(file.read_text())
        lines.append(_of_unmarked(null))
        for name, part in parts.items():
            curves = {way: ([one["score"] for one in results], null["score"]) for way, results in part["ways"].items()}
            below = "false alarms of the invisible mark's score alone, without its checksum"
            draw_roc(options.out / f"roc_{name}.png", curves, below)
    file = options.out / "peers.json"
    if file.exists():
        lines += _of_peers(json.loads(file.read_text()))
    (options.out / "report.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def _of_unmarked(null: dict) -> str:
    alarms = sum(p <= watermark.FALSE_ALARM for p in null["p"])
    chances = sum(p < 1 for p in null["p"])
    under = ", ".join(
        f"{100 * share:g} % under {np.quantile(null['score'], share):.3f}" for share in (0.9, 0.99, 0.999)
    )
    badge = np.array(null["badge"])
    return (
        f"\nunmarked: {alarms} found in {len(null['p'])} trials ({null['clips']} clips), right checksums in {chances}, "
        f"least p-value {min(null['p']):.2g}; scores: {under}, highest {max(null['score']):.3f}. Visible mark: in some "
        f"frame of {np.sum(badge > 0)} clips, in half of the frames of {np.sum(badge >= 0.5)}."
    )


def _of_peers(record: dict) -> list[str]:
    count = len(record[PEERS[0]]["psnr"])
    head = " | ".join(f"{name}: bits a frame, bits voted, all 32 right" for name in PEERS)
    lines = ["", f"| way, {count} clips | {head} |", "|---|---|---|"]
    for way in PEER_WAYS:
        cells = []
        for name in PEERS:
            results = record[name]["ways"][way]
            fields = [100 * np.mean([one[field] for one in results]) for field in ("frame", "bits", "right")]
            cells.append("{:.1f} %, {:.1f} %, {:.0f} %".format(*fields))
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return [*lines, *(f"\n{name}: least PSNR {min(record[name]['psnr']):.2f} dB." for name in PEERS)]


def main() -> None:
    options = tyro.cli(Options, description=__doc__)
    options.out.mkdir(parents=True, exist_ok=True)
    work = {"unmarked": unmarked, "peers": peers, "report": report}
    work.get(options.part, survive)(options)


if __name__ == "__main__":
    main()
