# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen redteam`: tries to get around the policy, the review, the marks and the manifests."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vidgen.config import parse_arguments

if TYPE_CHECKING:
    from vidgen.eval.redteam import Row

DESCRIPTION = """\
Tries attacks on what vidgen refuses and signs: disguised prompts, storyboards
that are harmless in parts, changed pictures, changed files; and counts how many
get through. Attacks are data: vidgen/eval/attacks.toml, or --attacks FILE.
"""
EXAMPLES = """
examples:
  vidgen redteam
  vidgen redteam --policy my-policy.toml --attacks my-attacks.toml
  vidgen redteam --classifier runs/forbidden/model/classifier.safetensors --concept bomb --n 100
"""


@dataclass(frozen=True)
class Redteam:
    """Options of the command."""

    policy: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: vidgen's own)")] = None
    """The policy whose prompts are attacked."""
    attacks: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: vidgen's own)")] = None
    """The attacks, as TOML."""
    classifier: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """A trained frame classifier to attack with changed pictures."""
    concept: Annotated[str, tyro.conf.arg(metavar="NAME")] = "bomb"
    """What it finds: a concept of the worlds."""
    n: Annotated[int, tyro.conf.arg(metavar="N")] = 50
    """Clips that each change of pictures is tried on."""
    json: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Print one JSON object instead of a table."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    options: Redteam = parse_arguments(
        Redteam,
        argv,
        prog="vidgen redteam",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        markers=(tyro.conf.FlagCreatePairsOff,),
    )
    if options.n < 1:
        raise ValueError(f"--n must be at least 1, got {options.n}.")
    rows = list(_rows(options))
    if options.json:
        print(json.dumps([dataclasses.asdict(row) for row in rows]))
        return
    print(f"{'attack':<52} {'tried':>5} {'before':>7} {'through':>8}")
    for row in rows:
        print(f"{row.part + ': ' + row.family:<52} {row.tried:>5} {row.before:>7} {row.through:>8}")
    told = [example for row in rows if row.part in ("prompts", "storyboards") for example in row.examples]
    if told:
        print("\nprompts that get through:", *told, sep="\n  ")


def _rows(options: Redteam) -> "Iterator[Row]":
    from vidgen.eval import redteam
    from vidgen.safety.policy import load_policy

    attacks = redteam.load_attacks(options.attacks)
    prompts = load_policy(options.policy).prompts
    yield from redteam.attack_prompts(prompts, attacks["prompts"])
    yield from redteam.attack_storyboards(prompts, attacks["storyboards"])

    from vidgen.eval.verify import DETECTORS
    from vidgen.worlds.render import render
    from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID

    if options.classifier is not None:
        from vidgen.data.labelled_frames import LabelledFrames
        from vidgen.sample.release import read_classifiers

        scenes = dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(1, 1), object_weights=None, split="all")
        source = LabelledFrames(scenes, (options.concept,), 2**20, 2**20, share=1.0)
        numbers = range(20 * options.n)
        shown = (source.scene(number) for number in numbers)
        chosen = [scene for scene in shown if scene.objects[0].concept == options.concept][: options.n]
        policy = redteam.forbidding(options.concept, options.classifier)
        yield from redteam.attack_frames(policy, read_classifiers(policy), chosen, attacks["frames"])
    clip = render(FIRST_LIGHT_ON_GRID.draw(0))
    yield from redteam.attack_files(clip, attacks["files"], DETECTORS)
