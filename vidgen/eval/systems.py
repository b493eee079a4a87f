# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is scored: a model of vidgen's, or a folder of videos that any other system made."""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from vidgen.data.video import read_video
from vidgen.eval.runner import digest
from vidgen.eval.suite import Case, NotApplicableError, Setting
from vidgen.sample.autoencoder import Autoencoder
from vidgen.sample.card import Card
from vidgen.sample.pipeline import Pipeline
from vidgen.sample.sampler import changed
from vidgen.sample.tasks import Known, Piece, place
from vidgen.worlds.sprites import load_atlas

VIDEO_SUFFIXES = (".mp4", ".webm", ".mov", ".mkv", ".avi", ".gif")


class System(Protocol):
    """Makes clips of cases.

    name: in reports. key: names its clips on disk; it changes whenever its clips would. setting: what it can show.
    batch: clips that it makes at once.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def setting(self) -> Setting: ...  # noqa: D102
    @property
    def batch(self) -> int: ...  # noqa: D102

    def check(self, cases: Sequence[Case]) -> None:
        """Raises NotApplicableError, saying why, when the system cannot make clips of these cases."""
        ...

    def make(self, cases: Sequence[Case], seed: int) -> np.ndarray:
        """Clips of up to `batch` cases of one size, uint8 [B, F, H, W, 3]; with twins [B, 2, F, H, W, 3]."""
        ...


@dataclass(frozen=True, eq=False)
class Model:
    """A model of vidgen's with its card. steps, guidance: of the sampler, None for the model's own. weights: a hash of
    the model's files.
    """

    pipeline: Pipeline
    card: Card
    weights: str
    steps: int | None = None
    guidance: float | None = None
    batch: int = 8

    @property
    def name(self) -> str:
        """The card's."""
        return self.card.name

    @property
    def key(self) -> str:
        """Of the weights and the sampler."""
        how = changed(self.pipeline.defaults, {"steps": self.steps, "guidance": self.guidance})
        return digest(self.weights, dataclasses.astuple(how), self.batch)

    @property
    def setting(self) -> Setting:
        """By the card."""
        return card_setting(self.card)

    @property
    def autoencoder(self) -> Autoencoder:
        """The model's VAE."""
        return self.pipeline.autoencoder

    def check(self, cases: Sequence[Case]) -> None:
        """By the card: length, size, things known, and whether it was trained to go on from frames that are given."""
        group = self.pipeline.networks.vae.patch[0]
        for case in cases:
            refuse_by_card(self.card, case)
            if case.given and case.given != whole_groups(case.given, group):
                raise NotApplicableError(
                    f"its cases give {case.given} first frames, and {self.card.name} takes 1 + a multiple of {group}"
                )

    def make(self, cases: Sequence[Case], seed: int) -> np.ndarray:
        """One compilation for each size: a last batch that is short is filled up. A twin has its case's noise."""
        full = [*cases, *[cases[-1]] * (self.batch - len(cases))]
        own = self._generate(full, seed)
        if full[0].twin is None:
            return own[: len(cases)]
        twins = self._generate([case.twin or case for case in full], seed)
        return np.stack([own, twins], axis=1)[: len(cases)]

    def _generate(self, cases: Sequence[Case], seed: int) -> np.ndarray:
        scene, given = cases[0].scene, cases[0].given
        frames = whole_groups(scene.frames, self.pipeline.networks.vae.patch[0])
        shown = [dataclasses.replace(case, twin=None).render()[:given] for case in cases] if given else []
        clips = self.pipeline.generate(
            [case.prompt for case in cases],
            frames=frames,
            width=scene.width,
            height=scene.height,
            steps=self.steps,
            guidance=self.guidance,
            seed=seed,
            known=self._known(shown, frames) if given else None,
        )[:, : scene.frames]
        return np.concatenate([np.stack(shown), clips[:, given:]], axis=1) if given else clips

    def _known(self, shown: Sequence[np.ndarray], frames: int) -> Known:
        """Clips of so many frames that begin with what is shown."""
        each = [place(self.autoencoder, [Piece(0, one)], frames) for one in shown]
        return Known(*(np.concatenate(parts) for parts in zip(*each, strict=True)))


@dataclass(frozen=True, eq=False)
class Function:
    """A system that is a function from prompts and a seed to clips, uint8 [B, F, H, W, 3]; for tests and notebooks."""

    name: str
    generate: Callable[[Sequence[Case], int], np.ndarray]
    setting: Setting = field(default_factory=Setting)
    batch: int = 8

    @property
    def key(self) -> str:
        """By its name."""
        return digest(self.name, self.batch)

    def check(self, cases: Sequence[Case]) -> None:
        """It takes everything."""

    def make(self, cases: Sequence[Case], seed: int) -> np.ndarray:
        """As the function does."""
        own = self.generate(cases, seed)
        twins = [case.twin for case in cases if case.twin is not None]
        return np.stack([own, self.generate(twins, seed)], axis=1) if twins else own


@dataclass(frozen=True, eq=False)
class Folder:
    """Videos in a folder, found by their prompts; each is fitted to its case in size and length.

    files: by prompt. note: told how videos were fitted.
    """

    folder: Path
    files: Mapping[str, Path]
    setting: Setting = field(default_factory=Setting)
    note: Callable[[str], None] = lambda _: None
    batch: int = 8

    @property
    def name(self) -> str:
        """The folder's."""
        return self.folder.resolve().name

    @property
    def key(self) -> str:
        """Of the files' names, sizes and times, so that changed videos are read again."""
        stats = {path: path.stat() for path in self.files.values()}
        return digest(
            [(prompt, path.name, stats[path].st_size, stats[path].st_mtime_ns) for prompt, path in self.files.items()]
        )

    def check(self, cases: Sequence[Case]) -> None:
        """Raises NotApplicableError when the cases give first frames, or no prompt of them has a video; ValueError when
        only some lack one.
        """
        if any(case.given for case in cases):
            raise NotApplicableError("its cases give first frames, and videos are asked for by prompts alone")
        prompts = [case.prompt for case in flat(cases)]
        missing = [prompt for prompt in dict.fromkeys(prompts) if one_line(prompt) not in self.files]
        if len(missing) == len(set(prompts)):
            raise NotApplicableError(f"no video in {self.folder} has one of its prompts")
        if missing:
            some = "; ".join(repr(prompt) for prompt in missing[:5])
            raise ValueError(
                f"{len(missing)} of {len(set(prompts))} prompts have no video in {self.folder}: {some}"
                f"{' ...' if len(missing) > 5 else ''}. Give the --n and --seed that 'vidgen eval cases' was given"
            )

    def make(self, cases: Sequence[Case], seed: int) -> np.ndarray:
        """The videos of the prompts, fitted."""
        return np.stack([self._read(case) for case in cases])

    def _read(self, case: Case) -> np.ndarray:
        scene = case.scene
        path = self.files[one_line(case.prompt)]
        own = fit_video(path, scene.frames, scene.width, scene.height, self.note)
        return own if case.twin is None else np.stack([own, self._read(case.twin)])


def one_line(prompt: str) -> str:
    """A prompt as videos are found by: spaces are one space."""
    return " ".join(prompt.split())


def flat(cases: Sequence[Case]) -> list[Case]:
    """Cases and their twins."""
    return [one for case in cases for one in (case, case.twin) if one is not None]


def fit_video(
    path: Path, frames: int, width: int, height: int, note: Callable[[str], None] = lambda _: None
) -> np.ndarray:
    """A video as uint8 [frames, height, width, 3]: scaled to cover the size and cut at the middle, and `frames` frames
    spread evenly over all of it, its first and last frame among them. Says through `note` what was changed.
    """
    video = read_video(path)
    given = (len(video), video.shape[2], video.shape[1])
    if given == (frames, width, height):
        return video
    note(f"{given[0]} frames of {given[1]}x{given[2]} -> {frames} frames of {width}x{height}, spread evenly")
    if given[1:] != (width, height):
        video = read_video(path, width, height)
    return video[np.round(np.linspace(0, len(video) - 1, frames)).astype(int)]


def read_folder(folder: Path, prompts: Path, setting: Setting, note: Callable[[str], None] = lambda _: None) -> Folder:
    """A folder of videos and the file that says which prompt each is of.

    prompts: a .jsonl file, each line an object with "file" (relative to the folder) and "prompt", such as 'vidgen eval
    cases' writes; or a .txt file with one prompt a line, for the folder's videos in the order of their names.
    Raises FileNotFoundError for what is not there, ValueError for a file of another form.
    """
    for path, what in ((folder, "folder of videos"), (prompts, "file of prompts")):
        if not path.exists():
            raise FileNotFoundError(f"there is no {what} {str(path)!r}")
    lines = [line for line in prompts.read_text(encoding="utf-8").splitlines() if line.strip()]
    if prompts.suffix == ".jsonl":
        pairs = [_json_line(prompts, number, line) for number, line in enumerate(lines, 1)]
        pairs = [(folder / file, prompt) for file, prompt in pairs]
    elif prompts.suffix == ".txt":
        videos = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES)
        if len(videos) != len(lines):
            raise ValueError(
                f"{prompts} has {len(lines)} prompts, and {folder} has {len(videos)} videos; make them one each"
            )
        pairs = list(zip(videos, lines, strict=True))
    else:
        raise ValueError(
            f"{prompts} must end in .jsonl (an object with file and prompt a line) or .txt (a prompt a line)"
        )
    missing = [str(path) for path, _ in pairs if not path.is_file()]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise FileNotFoundError(f"these videos are missing: {', '.join(missing[:5])}{more}")
    return Folder(folder, {one_line(prompt): path for path, prompt in pairs}, setting, note)


def _json_line(path: Path, number: int, line: str) -> tuple[str, str]:
    try:
        entry = json.loads(line)
        return str(entry["file"]), str(entry["prompt"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path}, line {number}: needs an object with "file" and "prompt", not {line[:80]!r}'
        ) from error


def card_setting(card: Card) -> Setting:
    """What a model can show, by its card; of the things that it knows those that the worlds have pictures of."""
    drawn = {concept.name for concept in load_atlas().concepts}
    concepts = tuple(concept.name for concept in card.concepts if concept.name in drawn)
    return Setting(concepts, *card.size, frames=card.frames, fps=card.fps)


def refuse_by_card(card: Card, case: Case) -> None:
    """Raises NotApplicableError when a model cannot be asked for a case, by its card."""
    scene, known = case.scene, {concept.name for concept in card.concepts}
    if case.given and "ends" not in card.tasks:
        raise NotApplicableError(f"its cases give {case.given} first frames, and {card.name} takes a prompt alone")
    if scene.frames > card.max_frames:
        raise NotApplicableError(
            f"its clips have {scene.frames} frames, and {card.name} makes at most {card.max_frames}"
        )
    unknown = sorted(set(case.names) - known)
    if unknown:
        raise NotApplicableError(f"its prompts name {', '.join(unknown[:4])}, which {card.name} does not know")
    try:
        card.check_size(scene.width, scene.height)
    except ValueError as error:
        raise NotApplicableError(str(error)) from error


def whole_groups(frames: int, group: int) -> int:
    """The least number of frames of the form 1 + group * k that is no smaller."""
    return 1 + -(-(frames - 1) // group) * group


def through(vae: Autoencoder, clips_BFHWC: np.ndarray) -> np.ndarray:
    """Clips encoded and decoded, uint8, any leading axes; where their length is not one that the VAE takes, the last
    frame is repeated and what comes of that is cut off. Raises ValueError for a size that it does not take.
    """
    lead, (F, H, W, C) = clips_BFHWC.shape[:-4], clips_BFHWC.shape[-4:]
    frames = whole_groups(F, vae.config.patch[0])
    vae.config.latent_shape(frames, H, W)
    rows = np.minimum(np.arange(frames), F - 1)
    again = np.asarray(vae.decode(vae.encode(clips_BFHWC.reshape(-1, F, H, W, C)[:, rows])))
    return again[:, :F].reshape(*lead, F, H, W, C)
