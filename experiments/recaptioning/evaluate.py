# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How true the captioner's texts are, and what upsampled prompts do to the shipped generator.

python experiments/recaptioning/evaluate.py --only captions --n 200 --out runs/captions
python experiments/recaptioning/evaluate.py --only judge --prompts 500 --out runs/captions
python experiments/recaptioning/evaluate.py --only upsampler --prompts 500 --out runs/captions
python experiments/recaptioning/evaluate.py --only generator --n 96 --out runs/captions

captions: held-out scenes (pairs of things that were never labelled together), described and checked claim by claim:
precision, recall of what is there, what it does and where, and left or right. Beside it the floor (the worlds' own
descriptions, which are true) and two controls: clips shuffled, and sides swapped in the text.
judge: the check of expansions on true ones and on false ones; needs no captioner.
upsampler: short prompts of scenes; how many are expanded, how many of the network's draws contradict their prompt or
add to it before the check, and how many of the texts that come out do, by the claims of the scenes' own parser.
generator: short prompts raw and upsampled through the generator, scored by the detector; the same prompts expanded by
the worlds themselves, who know the scene, which says whether this generator likes long prompts at all; captions of its
clips; and the round trip scene -> video -> caption -> video.
Everything is kept in OUT, so that a second run goes on where the first one stopped.
"""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro
from rich.progress import track

from vidgen.compilation import enable_compilation_cache
from vidgen.eval.alignment import PromptCase, Scores, draw_cases, read_clips, score_readings
from vidgen.eval.estimates import interval
from vidgen.sample.captioner import TrainedCaptioner, load_captioner
from vidgen.sample.card import Card
from vidgen.sample.pipeline import Pipeline, load_card, load_pipeline, prompt_length
from vidgen.sample.recaption import fitted
from vidgen.sample.upsample import Upsampled, claims_of, has_room, judge, network_writer, upsample
from vidgen.worlds.captions import caption
from vidgen.worlds.checking import MAIN, Check, check, contradictions, swapped_sides
from vidgen.worlds.motion import FPS, Scene
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, draw_scene
from vidgen.worlds.sprites import FIRST_LIGHT
from vidgen.worlds.story import StoryConfig

HELD_OUT = dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(2, 2), object_weights=None, split="heldout")
FIRST_SEED = 2**41
"""Of the scenes: far from the seeds of training."""
BATCH = 8
PASS = {"precision": 0.90, "recall": 0.80, "sides": 0.90}


@dataclasses.dataclass(frozen=True)
class Options:
    """What to evaluate. captioner, generator: "default" or a folder. n: scenes. prompts: of the upsampler."""

    only: Literal["captions", "judge", "upsampler", "generator"] = "captions"
    captioner: str = "default"
    generator: str = "default"
    n: int = 200
    prompts: int = 500
    out: Path = Path("runs/captions")
    beams: int = 1
    seed: int = 0


def rates(checks: Sequence[Check]) -> dict[str, Any]:
    """Shares with their 95 % intervals over texts."""

    def rate(hits: str, of: str, kinds: Sequence[str] | None) -> dict[str, Any]:
        def count(one: Check, which: str) -> int:
            numbers = getattr(one, which)
            return sum(n for kind, n in numbers.items() if (kind in kinds if kinds else kind != "side"))

        pairs = [(count(one, hits), count(one, of)) for one in checks]
        return dataclasses.asdict(interval([hit for hit, _ in pairs], [all_ for _, all_ in pairs]))

    kinds = sorted({kind for one in checks for kind in one.said} - {"side"})
    return {
        "precision": rate("true", "said", None),
        "recall": rate("found", "wanted", MAIN),
        "sides": rate("true", "said", ("side",)),
        "unread": sum(one.unread for one in checks) / len(checks),
        "precision by kind": {kind: rate("true", "said", (kind,)) for kind in kinds},
        "recall by kind": {kind: rate("found", "wanted", (kind,)) for kind in MAIN},
    }


def described(captioner: TrainedCaptioner, scenes: Sequence[Scene], options: Options) -> list[str]:
    clips = [fitted(render(scene), captioner, FPS) for scene in track(scenes, description="rendering")]
    return captioner.captions(clips, "descriptive", captioner.decoding(beams=options.beams))


def evaluate_captions(options: Options) -> dict[str, Any]:
    captioner = load_captioner(options.captioner)
    kinds = {"held-out pairs": HELD_OUT, "stories": StoryConfig(concepts=FIRST_LIGHT, split="all")}
    report: dict[str, Any] = {}
    for name, config in kinds.items():
        scenes = [config.draw(FIRST_SEED + options.seed * 2**20 + i) for i in range(options.n)]
        texts = described(captioner, scenes, options)
        columns = {
            "captioner": list(zip(texts, scenes, strict=True)),
            "floor: the worlds' own": [(caption(scene, 0, "descriptive"), scene) for scene in scenes],
            "control: shuffled clips": list(zip(texts, [*scenes[1:], scenes[0]], strict=True)),
            "control: sides swapped": [(swapped_sides(text), scene) for text, scene in zip(texts, scenes, strict=True)],
        }
        report[name] = {column: rates([check(*pair) for pair in pairs]) for column, pairs in columns.items()}
        report[name]["examples"] = texts[:8]
    held = report["held-out pairs"]["captioner"]
    report["passes"] = {name: held[name]["value"] >= least for name, least in PASS.items()}
    return report


def short_prompts(count: int, seed: int) -> list[str]:
    """As people would type them: short captions of scenes, without those that say nothing but one thing twice."""
    found: dict[str, None] = {}
    at = FIRST_SEED + 2**30 + seed * 2**20
    while len(found) < count:
        at += 1
        found.setdefault(caption(draw_scene(FIRST_LIGHT_ON_GRID, at), at % 7, "short"))
    return list(found)


def expanded(captioner: TrainedCaptioner, prompts: Sequence[str], options: Options) -> list[Upsampled]:
    card, tokens = Card.from_dict(load_card(options.generator)), prompt_length(options.generator)
    write = network_writer(captioner)
    return [
        upsample(prompt, write, concepts=card.concepts, tokens=tokens, seed=options.seed)[0]
        for prompt in track(prompts, description="expanding")
    ]


def evaluate_upsampler(options: Options) -> dict[str, Any]:
    found = expanded(load_captioner(options.captioner), short_prompts(options.prompts, options.seed), options)
    against = [
        bool(contradictions(claims_of(one.text) or (), claims_of(one.prompt) or ())) for one in found if one.expanded
    ]
    words = [len(one.text.split()) for one in found if one.expanded]
    share = interval(against, [1] * len(against)) if against else None
    return {
        "prompts": len(found),
        "expanded": sum(one.expanded for one in found) / len(found),
        "contradicts, after the check": share and dataclasses.asdict(share),
        "contradicts or adds, draws before the check": sum(one.refused for one in found) / sum(o.tried for o in found),
        "draws a prompt": sum(one.tried for one in found) / len(found),
        "words": {"least": min(words, default=0), "mean": float(np.mean(words or [0])), "most": max(words, default=0)},
        "examples": [(one.prompt, one.text) for one in found[:12]],
    }


def evaluate_judge(options: Options) -> dict[str, Any]:
    """How the check of expansions judges texts whose truth is known; needs no captioner."""
    tokens = prompt_length(options.generator)
    scenes = [draw_scene(FIRST_LIGHT_ON_GRID, FIRST_SEED + 2**30 + i) for i in range(options.prompts)]
    prompts = [caption(scene, i % 7, "short") for i, scene in enumerate(scenes)]
    texts = [[caption(scene, seed, "descriptive") for seed in range(4)] for scene in scenes]

    def shares(pairs: Sequence[tuple[str, Sequence[str]]]) -> dict[str, float]:
        verdicts = [judge(prompt, text) for prompt, some in pairs for text in some]
        return {word: verdicts.count(word) / len(verdicts) for word in ("fits", "omits", "contradicts")}

    room = [has_room(text, tokens) for some in texts for text in some]
    return {
        "floor: descriptions of the same scene": shares(list(zip(prompts, texts, strict=True))),
        "control: descriptions of another scene": shares(list(zip(prompts, [*texts[1:], texts[0]], strict=True))),
        "control: the same with sides swapped": shares(
            [
                (prompt, [swapped_sides(text) for text in some])
                for prompt, some in zip(prompts, texts, strict=True)
                if swapped_sides(prompt) != prompt
            ]
        ),
        "descriptions that the generator reads to their end": sum(room) / len(room),
    }


def made(pipeline: Pipeline, name: str, prompts: Sequence[str], options: Options) -> np.ndarray:
    """A clip a prompt; batches that are on disk are read instead of made."""
    folder = options.out / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for start in track(range(0, len(prompts), BATCH), description=f"making, {name}"):
        part = list(prompts[start : start + BATCH])
        key = hashlib.sha256(json.dumps([part, options.generator, options.seed + start]).encode()).hexdigest()[:16]
        file = folder / f"{key}.npz"
        if not file.exists():
            full = part + part[-1:] * (BATCH - len(part))
            video = pipeline.generate(full, frames=17, width=64, height=64, seed=options.seed + start)[: len(part)]
            partial = file.with_suffix(".partial.npz")
            np.savez_compressed(partial, clips=video)
            partial.replace(file)
        with np.load(file) as kept:
            clips.append(kept["clips"])
    return np.concatenate(clips)


def oracle(case: PromptCase, tokens: int) -> str:
    """The worlds' own expansion of a prompt, by the same rules as the network's; the prompt where there is none."""
    texts = (caption(case.scene, seed, "descriptive") for seed in range(64))
    return next((text for text in texts if judge(case.prompt, text) == "fits" and has_room(text, tokens)), case.prompt)


def scored(clips: Sequence[np.ndarray] | np.ndarray, cases: Sequence[PromptCase]) -> Scores:
    return score_readings(list(track(read_clips(clips, FIRST_LIGHT), total=len(clips))), cases, FIRST_LIGHT)


def evaluate_generator(options: Options) -> dict[str, Any]:
    captioner, pipeline = load_captioner(options.captioner), load_pipeline(options.generator)
    cases = draw_cases(HELD_OUT, options.n, options.seed)
    raw = [case.prompt for case in cases]
    longer = expanded(captioner, raw, options)
    from_raw, from_longer = (
        made(pipeline, "raw", raw, options),
        made(pipeline, "expanded", [o.text for o in longer], options),
    )
    own = [oracle(case, prompt_length(options.generator)) for case in cases]
    from_own = made(pipeline, "expanded by the worlds", own, options)
    seen = captioner.captions([fitted(clip, captioner, FPS) for clip in from_raw], "descriptive")
    again = described(captioner, [case.scene for case in cases], options)
    came_back = made(pipeline, "round trip", again, options)
    return {
        "expanded": sum(one.expanded for one in longer) / len(longer),
        "raw prompts": scored(from_raw, cases).to_dict(),
        "upsampled prompts": scored(from_longer, cases).to_dict(),
        "prompts expanded by the worlds themselves": scored(from_own, cases).to_dict(),
        "floor: true renders": scored([render(case.scene) for case in cases], cases).to_dict(),
        "captions of the generator's clips": rates([check(t, c.scene) for t, c in zip(seen, cases, strict=True)]),
        "round trip": scored(came_back, cases).to_dict(),
        "examples": [dataclasses.asdict(one) for one in longer[:8]],
    }


def main(options: Options) -> None:
    """Writes OUT/ONLY.json and prints it."""
    enable_compilation_cache()
    options.out.mkdir(parents=True, exist_ok=True)
    work = {
        "captions": evaluate_captions,
        "judge": evaluate_judge,
        "upsampler": evaluate_upsampler,
        "generator": evaluate_generator,
    }
    settings = {name: str(value) for name, value in dataclasses.asdict(options).items()}
    report = {"options": settings, **work[options.only](options)}
    text = json.dumps(report, indent=2, ensure_ascii=False, default=str)
    (options.out / f"{options.only}.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(tyro.cli(Options))
