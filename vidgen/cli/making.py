# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the verbs that make videos share: their options, the checks before a model is read, progress, and the report."""

import contextlib
import itertools
import json
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import tyro

from vidgen.config import parse_arguments

if TYPE_CHECKING:
    import numpy as np

    from vidgen.sample.card import Card
    from vidgen.sample.pipeline import Pipeline

T = TypeVar("T", bound="Making")
MAX_COUNT = 16
MAX_STEPS = 1000
SHORT_PROMPT = 8
"""Prompts of fewer words are expanded: they leave out what happens or where."""
MAX_FRAMES = 4800
"""Of a video that is read: ten minutes at eight frames a second."""


@dataclass(frozen=True, kw_only=True)
class Making:
    """Options of all of them."""

    out: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: from the prompt, .mp4)")
    ] = None
    """The file to write: .mp4, .gif, .webp, or .png for a sheet of frames."""
    size: Annotated[str | None, tyro.conf.arg(metavar="WxH", help_behavior_hint="(default: the model's own)")] = None
    """Width and height in pixels, such as 64x64."""
    seed: Annotated[int, tyro.conf.arg(metavar="N")] = 0
    """The start of the random numbers: another seed, another video of the same prompt."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: the model's own)")] = None
    """Steps of the sampler: more take longer and are more exact."""
    guidance: Annotated[float | None, tyro.conf.arg(metavar="W", help_behavior_hint="(default: the model's own)")] = (
        None
    )
    """How strongly the prompt pulls; 1 turns guidance off, and far too much makes pictures harsh."""
    negative: Annotated[str, tyro.conf.arg(metavar="TEXT", help_behavior_hint="(default: nothing)")] = ""
    """What to stay away from."""
    model: Annotated[str, tyro.conf.arg(metavar="NAME|DIR")] = "default"
    """The model: "default" ships in the package, or the folder of one that you trained."""
    policy: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: vidgen's own)")] = None
    """What is refused, as TOML: a changed copy of vidgen/safety/policy.toml."""
    mark: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: it is there)")] = True
    """Leave out the small visible mark; the audit log notes it."""
    watermark: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: it is there)")] = True
    """Leave out the invisible mark; the audit log notes it."""
    provenance: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: it is there)")] = True
    """Leave out the signed manifest (C2PA) of how the file was made; the audit log notes it."""
    show_prompt: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: its hash alone)")] = False
    """Write the prompt itself into the manifest."""
    certificate: Annotated[Path | None, tyro.conf.arg(metavar="PEM", help_behavior_hint="(default: self-made)")] = None
    """The certificate, with its chain, to sign with."""
    private_key: Annotated[Path | None, tyro.conf.arg(metavar="PEM", help_behavior_hint="(default: self-made)")] = None
    """Its private key."""
    int8: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Keep the matrices of transformers in 8 bits: half the memory, and slightly other pictures."""
    json: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Print one JSON object instead of text."""

    def check(self) -> None:
        """Raises a `ValueError` for a number that no model takes."""
        if self.steps is not None and not 1 <= self.steps <= MAX_STEPS:
            raise ValueError(f"--steps must be from 1 to {MAX_STEPS}, got {self.steps}.")
        if self.guidance is not None and not (math.isfinite(self.guidance) and self.guidance >= 0):
            raise ValueError(f"--guidance must be 0 or more, got {self.guidance:g}.")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"--seed must be from 0 to {2**32 - 1}, got {self.seed}.")

    def sampling(self) -> dict[str, Any]:
        """The arguments of `Pipeline.generate` that they are; None is the model's own."""
        return {
            "steps": self.steps,
            "guidance": self.guidance,
            "negative": self.negative.strip(),
            "seed": self.seed,
        }


def parse(kind: type[T], argv: Sequence[str], verb: str, description: str, examples: str) -> T:
    """The options of a verb; a help page ends with the examples."""
    return parse_arguments(
        kind,
        argv,
        prog=f"vidgen {verb}",
        description=description,
        epilog=examples,
        markers=(tyro.conf.FlagCreatePairsOff,),
    )


def output_files(prompt: str, out: Path | None, count: int = 1, inputs: Sequence[Path | None] = ()) -> list[Path]:
    """Returns the files to write, numbered if there are several, after checking that they can be written and are none
    of the inputs.
    """
    if not prompt.strip():
        raise ValueError('The prompt is empty: say what to show, such as "a dog in a meadow".')
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"--count must be from 1 to {MAX_COUNT}, got {count}.")

    from vidgen.sample.export import check_suffix

    words = re.findall(r"[a-z0-9]+", prompt.lower())
    out = out or Path("-".join(words[:8]) or "video").with_suffix(".mp4")
    check_suffix(out)
    if not out.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(out.parent)!r} to write {out.name!r} into: make it first.")
    if not os.access(out.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"The folder {str(out.parent)!r} is not writable: choose another with --out.")
    numbers = [""] if count == 1 else [f"-{number}" for number in range(1, count + 1)]
    files = [out.with_name(f"{out.stem}{number}{out.suffix}") for number in numbers]
    for file in files:
        if file.is_dir():
            raise IsADirectoryError(f"{str(file)!r} is a folder: give --out the name of a file.")
        if any(one is not None and one.exists() and file.exists() and one.samefile(file) for one in inputs):
            raise ValueError(f"{str(file)!r} is what is read, and would be written over: give another name by --out.")
    return files


def parse_size(text: str) -> tuple[int, int]:
    """Reads "64x48" as (64, 48)."""
    match = re.fullmatch(r"\s*(\d{1,6})\s*[xX×]\s*(\d{1,6})\s*", text)
    if match is None:
        raise ValueError(f"--size must be a width and a height in pixels, such as 64x64, got {text!r}.")
    return int(match[1]), int(match[2])


def check_seconds(seconds: float, least: str = "0 (a picture) or more") -> None:
    """Raises a `ValueError` for what is no duration; `least` says which are: one that begins with 0 allows 0."""
    if not (math.isfinite(seconds) and (seconds > 0 or (seconds == 0 and least.startswith("0")))):
        raise ValueError(f"--seconds must be {least}, got {seconds:g}.")


def choose_model(options: Making, *prompts: str) -> tuple["Card", int, int]:
    """The model's card, and the width and height of what it will make; a note if it knows nothing of the prompts.

    Raises a `ValueError` for prompts that the policy refuses, before the model is looked at.
    """
    asked = parse_size(options.size) if options.size is not None else None
    check_prompts(options, *prompts)
    prompt = " ".join(prompts)

    from vidgen.sample import pipeline
    from vidgen.sample.card import Card

    card = Card.from_dict(pipeline.load_card(options.model))
    width, height = asked or card.size
    card.check_size(width, height)
    if card.concepts and not card.known_in(prompt):
        some = ", ".join(concept.name for concept in card.concepts[:6])
        note(
            f"the prompt names none of the {len(card.concepts)} things that {card.name} was trained on "
            f"({some}, ...); vidgen info lists them."
        )
    return card, width, height


def check_prompts(options: Making, *prompts: str) -> None:
    """Raises a `ValueError` if the policy refuses a prompt, or all together; see `vidgen.sample.release`."""
    from vidgen.safety.policy import load_policy
    from vidgen.sample import release

    # What to stay away from may be named, unless guidance is so weak that it is what is made.
    negative = [options.negative] if options.guidance is not None and options.guidance < 1 else []
    release.check_prompts(load_policy(options.policy), [*prompts, *filter(str.strip, negative)])


def note(text: str) -> None:
    """One line for the user, on stderr."""
    print(f"note: {text}", file=sys.stderr)


def note_untrained(card: "Card", task: str, what: str) -> None:
    """Tells the user if the model has never been trained on a task."""
    if task not in card.tasks:
        note(f"{card.name} was not trained {what}; what it makes may not fit.")


def read_fitted(path: Path, width: int, height: int, fps: int) -> "np.ndarray":
    """A video of any size, rate and format as uint8 [F, height, width, 3] at `fps`; a note if that changed it."""
    import numpy as np

    from vidgen.data.video import VideoError, describe_video, iter_frames

    try:
        was = describe_video(path)
        video = np.stack(list(itertools.islice(iter_frames(path, width, height, fps), MAX_FRAMES + 1)))
    except VideoError as error:
        raise ValueError(str(error)) from error
    if len(video) > MAX_FRAMES:  # or a damaged file that says so, which must not fill the memory
        raise ValueError(f"{path} has more than {MAX_FRAMES} frames at {fps} a second: cut it first.")
    if (was.width, was.height) != (width, height) or abs(was.fps - fps) > 0.01:
        note(
            f"{path} is {was.width}x{was.height} at {was.fps:g} frames a second; it was fitted to {width}x{height} at "
            f"{fps}."
        )
    return video


def read_picture(path: Path, width: int, height: int) -> "np.ndarray":
    """A picture of any size and format as uint8 [height, width, 3], cropped at the middle; a note if it was not so."""
    import numpy as np
    from PIL import Image, ImageOps

    from vidgen.data.video import DAMAGED

    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file).convert("RGB")
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no picture {str(path)!r}.") from None
    except DAMAGED as error:
        raise ValueError(f"{path} is no picture that can be read: give a PNG, JPEG, WebP or GIF ({error}).") from error
    if picture.size != (width, height):
        note(f"{path} is {picture.width}x{picture.height}; it was fitted to {width}x{height}.")
    return np.asarray(ImageOps.fit(picture, (width, height), Image.Resampling.BICUBIC))


def make(
    options: Making,
    files: Sequence[Path],
    card: "Card",
    doing: str,
    work: "Callable[[Pipeline], Sequence[np.ndarray] | np.ndarray]",
    *,
    action: str,
    prompts: Sequence[str],
    inputs: Sequence[Path | None] = (),
    told: Mapping[str, Any] | None = None,
) -> None:
    """Loads the model, makes the clips, and releases each into its file if the policy lets it; says so.

    action, prompts and inputs are for the manifest; told: what else the report says. Raises a `ValueError` that names
    the policy and the frames if a clip is blocked; the others are written all the same.
    """
    from vidgen.compilation import enable_compilation_cache
    from vidgen.safety.frames import BlockedError
    from vidgen.safety.provenance import Origin
    from vidgen.sample import pipeline, release

    started = time.perf_counter()
    enable_compilation_cache()
    given = tuple(path for path in inputs if path is not None)
    origin = Origin(action, card.name, "", tuple(prompts), options.seed, given, options.show_prompt)
    settings = release.Settings(
        options.policy,
        options.provenance,
        options.mark,
        options.watermark,
        options.certificate,
        options.private_key,
    )
    written, blocked = [], []
    with (
        _progress(quiet=options.json) as say,
        release.open_gate(settings, pipeline.weight_files(options.model)) as gate,
    ):
        say("loading the model")
        loaded = pipeline.load_pipeline(options.model, options.int8)
        gate.check()
        say(f"{doing} (compiling first, if this size is new)")
        clips = work(loaded)
        say("reviewing and signing")
        for file, clip_FHWC in zip(files, clips, strict=True):
            try:
                written.append(gate.release(file, clip_FHWC, card.fps, origin).path)
            except BlockedError as error:
                blocked.append(f"{file}: {error}" if len(files) > 1 else str(error))
    spent = round(time.perf_counter() - started, 2)
    if options.json and written:
        frames, height, width, _ = clips[0].shape
        report = {"files": [str(file) for file in written], "frames": frames, "size": [width, height]}
        print(json.dumps(report | {"fps": card.fps, "seed": options.seed, "seconds": spent} | dict(told or {})))
    else:
        for file in written:
            print(file)
    if blocked:
        raise ValueError(" ".join(blocked))


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yields a function that shows what is going on, in one line that goes away; only at a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(f"{text} ...")
