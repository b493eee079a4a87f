# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Prompts of `vidgen generate` in words that the model knows, and short ones as descriptions: the options, what the
user is told, who writes them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vidgen.cli import making

if TYPE_CHECKING:
    from vidgen.sample.card import Card
    from vidgen.sample.upsample import Upsampled, Writer

MAX_VARIANTS = 16


@dataclass(frozen=True, kw_only=True)
class Upsampling:
    """Options of prompt upsampling."""

    meaning: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: none)")] = None
    """Folder of a sentence encoder (all-MiniLM-L6-v2): unknown things are shown as known ones that mean the same."""
    no_upsample: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Leave a short prompt as it is."""
    upsample_only: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Print what the prompt, of any length, would be expanded to, and make no video."""
    variants: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """How many expansions --upsample-only prints."""
    upsampler: Annotated[
        str, tyro.conf.arg(metavar="URL|DIR", help_behavior_hint="(default: the one inside the package)")
    ] = "default"
    """Who expands: an OpenAI-compatible endpoint, such as http://localhost:8000/v1, or the folder of a captioner."""
    upsampler_model: Annotated[str, tyro.conf.arg(metavar="NAME", help_behavior_hint="(default: none)")] = ""
    """The name of the model at the endpoint; its key is read from VIDGEN_UPSAMPLER_KEY."""

    def check_upsampling(self) -> None:
        """Raises a `ValueError` for options that do not go together, a FileNotFoundError for no sentence encoder."""
        parts = ("config.json", "model.safetensors", "tokenizer.json")
        if self.meaning is not None and (missing := [one for one in parts if not (self.meaning / one).is_file()]):
            raise FileNotFoundError(
                f"--meaning {self.meaning} lacks {', '.join(missing)}: give the folder of a sentence encoder, such as "
                "all-MiniLM-L6-v2."
            )
        if self.no_upsample and self.upsample_only:
            raise ValueError("--no-upsample and --upsample-only were given: choose one.")
        if not 1 <= self.variants <= MAX_VARIANTS:
            raise ValueError(f"--variants must be from 1 to {MAX_VARIANTS}, got {self.variants}.")
        if self.variants > 1 and not self.upsample_only:
            raise ValueError("--variants is for --upsample-only: a video is made of one prompt.")
        if self.upsampler_model and not self.upsampler.startswith(("http://", "https://")):
            raise ValueError("--upsampler-model is for an endpoint: give its address by --upsampler.")


def reword(options: Upsampling, card: "Card", prompt: str) -> str:
    """The prompt in words that the model knows, where a sentence encoder is given; a note on each that changed."""
    if options.meaning is None:
        return prompt
    if not card.concepts:
        raise ValueError(f"--meaning needs a model that says which things it knows; {card.name} does not.")
    from vidgen.compilation import enable_compilation_cache
    from vidgen.sample import meaning

    enable_compilation_cache()
    try:
        encode = meaning.load_sentences(options.meaning)
    except ModuleNotFoundError as error:
        raise ValueError(f"--meaning cannot be used here: {error}") from error
    found = meaning.reword(prompt, card.concepts, encode)
    for word, name, cosine in found.changes:
        making.note(f"{word!r} is shown as {name!r}, which means much the same (cosine {cosine:.2f}).")
    return found.text


def wanted(options: Upsampling, card: "Card", prompt: str) -> bool:
    """Whether a prompt is to be expanded: a short one, for a model that was trained on descriptions, or by somebody
    who was asked for by name.
    """
    if options.no_upsample:
        return False
    # Not before it is needed: a long prompt must not wait for JAX here.
    short = len(prompt.split()) < making.SHORT_PROMPT
    return options.upsample_only or (short and (card.upsample or options.upsampler != "default"))


def expand(options: Upsampling, card: "Card", prompt: str, seed: int, tokens: int) -> "list[Upsampled]":
    """The expansions, with a note on every word that the model does not know."""
    from vidgen.compilation import enable_compilation_cache
    from vidgen.sample.upsample import upsample

    enable_compilation_cache()
    found = upsample(
        prompt, _writer(options), concepts=card.concepts, tokens=tokens, seed=seed, variants=options.variants
    )
    for unknown in found[0].unknown:
        nearest = f"; the nearest thing that it knows is {unknown.nearest!r}" if unknown.nearest else ""
        making.note(f"{card.name} does not know the word {unknown.word!r}, which stays{nearest}.")
    return found


def show(options: Upsampling, found: "list[Upsampled]", as_json: bool) -> None:
    """Prints expansions, one a line, or one object."""
    if as_json:
        unknown = {one.word: one.nearest for one in found[0].unknown}
        report = {"prompt": found[0].prompt, "expanded": found[0].expanded, "unknown": unknown}
        print(json.dumps(report | {"prompts": [one.text for one in found]}, ensure_ascii=False))
        return
    for one in found:
        print(one.text)
    if not found[0].expanded:
        making.note(f"none of {found[0].tried} expansions kept to the prompt; it stays as it is.")
    elif len(found) < options.variants:
        making.note(f"only {len(found)} different expansions kept to the prompt.")


def _writer(options: Upsampling) -> "Writer":
    if options.upsampler.startswith(("http://", "https://")):
        from vidgen.sample.endpoint import endpoint_writer

        if not options.upsampler_model:
            raise ValueError("--upsampler is an endpoint: name the model there by --upsampler-model.")
        return endpoint_writer(options.upsampler, options.upsampler_model)
    from vidgen.sample.captioner import load_captioner
    from vidgen.sample.upsample import network_writer

    return network_writer(load_captioner(options.upsampler))
