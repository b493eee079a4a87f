# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every task of a model on one page: prompts and moving clips, seed 0, none chosen.

python experiments/one_model/gallery.py --model default --out gallery.html

The page needs nothing else: clips are inside, as WebP. What is given to a task is made by the model, too.
"""

import base64
import dataclasses
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import numpy as np
import tyro
from rich.progress import track

from vidgen.compilation import enable_compilation_cache
from vidgen.sample import compose
from vidgen.sample.compose import Shot
from vidgen.sample.export import encode
from vidgen.sample.pipeline import Pipeline, load_pipeline

FRAMES, SIDE, FPS = 17, 64, 8
PROMPTS = (
    "a dog moves to the right in a meadow",
    "a whale moves up at sea",
    "a rocket flies up in the night sky",
    "a cat on the left of a robot in the desert",
    "a butterfly moves to the left against a blue sky",
    "an astronaut moves to the right across the moon",
)
SIZES = ((96, 48), (48, 96), (96, 64), (48, 48), (80, 80))
STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #667078; --paper: #fbfaf7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --soft: #9aa2a9; --paper: #15171a; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.9rem; letter-spacing: -.02em; } h2 { margin: 2.4rem 0 .2rem; font-size: 1.2rem; }
p { margin: .2rem 0 .8rem; color: var(--soft); max-width: 46rem; }
.clips { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; width: min-content; }
img { image-rendering: pixelated; border-radius: .5rem; display: block; }
figcaption { font-size: .85rem; color: var(--soft); margin-top: .3rem; }
"""


@dataclasses.dataclass(frozen=True)
class Options:
    """The model ("default" or a folder), where to, how large a pixel is, and whether a minute is made too."""

    model: str = "default"
    out: Path = Path("gallery.html")
    seed: int = 0
    scale: int = 2
    minute: bool = True


@dataclasses.dataclass(frozen=True)
class Section:
    """A task: a heading, what is done, and clips under their captions."""

    title: str
    text: str
    clips: list[tuple[str, np.ndarray]]


class Maker:
    """Makes the sections of one model with one seed."""

    def __init__(self, pipeline: Pipeline, seed: int) -> None:
        self.pipeline, self.seed = pipeline, seed
        size = {"width": SIDE, "height": SIDE, "seed": seed}
        clips = pipeline.generate(PROMPTS, frames=FRAMES, **size)
        self.clips = dict(zip(PROMPTS, clips, strict=True))
        self.pictures = pipeline.generate(PROMPTS, frames=1, **size)

    def sections(self) -> Iterator[Callable[[], Section]]:
        """In the order of the page."""
        yield from (self.text, self.picture, self.animate, self.extend, self.loop, self.connect, self.edit)
        yield from (self.inpaint, self.storyboard, self.sizes)

    def text(self) -> Section:
        """From a prompt alone."""
        return Section("Text to video", "From a prompt alone.", list(self.clips.items()))

    def picture(self) -> Section:
        """A clip of one frame."""
        return Section("Pictures", "A picture is a clip of one frame.", list(zip(PROMPTS, self.pictures, strict=True)))

    def animate(self) -> Section:
        """From a first picture, and from a first and a last one."""
        prompt = PROMPTS[0]
        first, last = self.clips[prompt][0], self.clips[prompt][-1]
        ends = {"first picture": (first, None), "last picture": (None, last), "both": (first, last)}
        made = [
            (f"{prompt} ({name} given)", compose.animate(self.pipeline, prompt, FRAMES, *given, seed=self.seed + 1))
            for name, given in ends.items()
        ]
        return Section("Pictures that start to move", "The first picture is given, or the last, or both.", made)

    def extend(self) -> Section:
        """Forward and backward."""
        made = []
        for prompt in PROMPTS[:2]:
            for before, name in ((False, "what comes after"), (True, "what came before")):
                given = self.clips[prompt][-9:] if before else self.clips[prompt][:9]
                clip = compose.extend(self.pipeline, given, prompt, 16, FRAMES, before=before, seed=self.seed)
                made.append((f"{prompt} ({name})", clip))
        return Section("Longer", "A second is given; two more come after it, or before it.", made)

    def loop(self) -> Section:
        """Without a seam."""
        made = [
            (prompt, compose.loop(self.pipeline, self.clips[prompt][:9], prompt, 8, FRAMES, seed=self.seed))
            for prompt in PROMPTS[:3]
        ]
        return Section("Loops", "New frames lead back to where the clip began.", made)

    def connect(self) -> Section:
        """Two clips become one."""
        made = []
        for one, other in ((PROMPTS[0], PROMPTS[4]), (PROMPTS[1], PROMPTS[2])):
            before, after = self.clips[one][:9], self.clips[other][-8:]
            clip = compose.connect(self.pipeline, before, after, other, 8, FRAMES, seed=self.seed)
            made.append((f"{one} → {other}", clip))
        return Section("Two clips become one", "A second between them is made.", made)

    def edit(self) -> Section:
        """After another prompt."""
        given = self.clips[PROMPTS[0]]
        made = [(PROMPTS[0], given)]
        made += [
            (f"→ {prompt}", compose.edit(self.pipeline, given, prompt, 0.8, seed=self.seed))
            for prompt in ("a cat moves to the right in a meadow", "a dog moves to the right across the moon")
        ]
        return Section("Edits", "A clip is made again after another prompt; its layout stays.", made)

    def inpaint(self) -> Section:
        """A half of the picture."""
        clip, prompt = self.clips[PROMPTS[3]], "a cat on the left of a duck in the desert"
        mask = np.zeros(clip.shape[:3], bool)
        mask[:, :, SIDE // 2 :] = True
        made = compose.inpaint(self.pipeline, clip, mask, prompt, seed=self.seed)
        return Section("Painted over", "The right half is made again.", [(PROMPTS[3], clip), (f"→ {prompt}", made)])

    def storyboard(self) -> Section:
        """Several prompts, one pass."""
        shots = [Shot(0, PROMPTS[0]), Shot(9, "a dog moves up in a meadow")]
        clip = compose.storyboard(self.pipeline, shots, FRAMES, SIDE, SIDE, seed=self.seed)
        told = "; ".join(f"{shot.frame / FPS:.1f} s: {shot.prompt}" for shot in shots)
        return Section("Storyboard", "Several prompts on one time line, in one pass.", [(told, clip)])

    def sizes(self) -> Section:
        """Other shapes of the frame."""
        made = [
            (f"{width}x{height}", self.pipeline.generate(
                PROMPTS[:1], frames=FRAMES, width=width, height=height, seed=self.seed)[0])
            for width, height in SIZES
        ]  # fmt: skip
        return Section("Sizes", f"The same prompt at other sizes: {PROMPTS[0]}.", made)

    def minute(self) -> Section:
        """A minute in one pass."""
        prompt, size = PROMPTS[3], {"frames": 60 * FPS + 1, "width": SIDE, "height": SIDE}
        clips = self.pipeline.generate([prompt], **size, seed=self.seed)
        return Section("A minute in one pass", "481 frames at once.", [(prompt, clips[0])])


def page(sections: list[Section], name: str, scale: int) -> str:
    """The whole page."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(name)}</title><style>{STYLE}</style></head><body><main><h1>{escape(name)}</h1>",
        "<p>Every task is one mechanism: latents of which some are given. Seed 0, nothing chosen.</p>",
    ]
    for section in sections:
        figures = "".join(figure(caption, clip, scale) for caption, clip in section.clips)
        parts.append(f"<h2>{escape(section.title)}</h2><p>{escape(section.text)}</p>")
        parts.append(f'<div class="clips">{figures}</div>')
    return "\n".join([*parts, "</main></body></html>"]) + "\n"


def figure(caption: str, clip_FHWC: np.ndarray, scale: int) -> str:
    """A clip under which its caption stands."""
    data = base64.b64encode(encode(".webp", clip_FHWC, FPS)).decode()
    width, height = clip_FHWC.shape[2] * scale, clip_FHWC.shape[1] * scale
    picture = f'<img alt="{escape(caption)}" width="{width}" height="{height}" src="data:image/webp;base64,{data}">'
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def main(options: Options) -> None:
    """Writes the page."""
    enable_compilation_cache()
    pipeline = load_pipeline(options.model)
    maker = Maker(pipeline, options.seed)
    todo = [*maker.sections(), *([maker.minute] if options.minute else [])]
    sections = [make() for make in track(todo, description="tasks")]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page(sections, f"vidgen: {pipeline.card['name']}", options.scale), encoding="utf-8")
    print(options.out)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
