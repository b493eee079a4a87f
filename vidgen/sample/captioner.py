# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A trained captioner: clips to texts, short prompts to longer ones, and how it is read and written."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from vidgen import config as vidgen_config
from vidgen import trees
from vidgen.data.labelled import STYLES
from vidgen.data.tokenizer import load_tokenizer
from vidgen.models.captioner import Captioner, CaptionerConfig, Tokens, init_captioner
from vidgen.models.decoding import Decoded, Decoding, decode
from vidgen.models.layers import apply
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import constrain, parameter_shardings, place_batch
from vidgen.sample.autoencoder import to_float
from vidgen.weights import packed
from vidgen.weights.safetensors import check_shapes, load_params, save_params
from vidgen.worlds.holdout import AnyScenes
from vidgen.worlds.motion import FPS

WEIGHTS, CARD = "captioner.safetensors", "captioner.json"
BATCH = 16
"""Clips, or prompts, that are read at once."""


@dataclasses.dataclass(frozen=True)
class CaptionerCard:
    """What a captioner says of itself.

    size: (width, height) in pixels, frames and fps of the clips that it was trained on; others are fitted to them.
    text_length, prompt_length: tokens of its texts and of the prompts that it reads. concepts: what it can name.
    """

    name: str
    trained_on: str
    size: tuple[int, int]
    frames: int
    fps: int
    text_length: int
    prompt_length: int
    concepts: tuple[str, ...]
    scores: Mapping[str, str] = dataclasses.field(default_factory=dict)
    limits: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, card: Mapping[str, Any]) -> Self:
        """Reads a card; keys that are not fields are left aside. Raises ValueError where a field is missing."""
        fields = {field.name: field for field in dataclasses.fields(cls)}
        needed = [name for name, field in fields.items() if field.default is dataclasses.MISSING and name != "scores"]
        missing = [name for name in needed if name not in card]
        if missing:
            raise ValueError(f"The captioner's card lacks {', '.join(missing)}: it is damaged or of another version.")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value := card[name], list) else value for name in fields if name in card
        }
        return cls(**values)


def caption_card(name: str, scenes: AnyScenes, stride: int, text_length: int, prompt_length: int) -> CaptionerCard:
    """The card of a captioner that was trained on every `stride`-th frame of these scenes, before it was measured."""
    frames = 1 + (scenes.frames - 1) // stride
    concepts = scenes.concepts or ()
    return CaptionerCard(
        name=name,
        trained_on=f"clips of {frames} frames of {scenes.width}x{scenes.height} with {len(concepts)} kinds of things",
        size=(scenes.width, scenes.height),
        frames=frames,
        fps=FPS // stride,
        text_length=text_length,
        prompt_length=prompt_length,
        concepts=tuple(concepts),
        limits=("Nobody has measured it.",),
    )


@dataclasses.dataclass(frozen=True)
class TrainedCaptioner:
    """A captioner with its parameters.

    Attributes:
        config: shape; params: of `vidgen.models.captioner.Captioner`.
        mesh: devices that share the work; None is one device.
    """

    config: CaptionerConfig
    params: dict[str, Any]
    card: CaptionerCard
    mesh: Mesh | None = None

    def captions(
        self,
        clips: Sequence[np.ndarray],
        style: str = "descriptive",
        how: Decoding | None = None,
        seed: int = 0,
        batch: int = BATCH,
    ) -> list[str]:
        """A text of each clip (uint8 [F, H, W, 3], of any length; height and width are multiples of the tokens').

        Clips of one shape are read together; a clip's text depends on the clip and, where texts are drawn, on the seed
        and the clip's place. Raises ValueError for another style or shape.
        """
        style_id = _style(style)
        texts = [""] * len(clips)
        for rows in _same_shape(clips, batch):
            video = np.stack([clips[row] for row in rows])
            self.config.clip_tokens(*video.shape[1:4])
            key = jax.random.fold_in(trees.fold_in_str(jax.random.key(seed), "captions"), rows[0])
            found = self._run("clip", {"read": video}, style_id, how, key, batch)
            for row, text in zip(rows, found, strict=True):
                texts[row] = text
        return texts

    def expand(
        self,
        prompts: Sequence[str],
        how: Decoding | None = None,
        seed: int = 0,
        begin: Sequence[str] | None = None,
        batch: int = BATCH,
    ) -> list[str]:
        """A description for each prompt, in the style of the captions; prompts are read in lower case and cut.

        begin: what each text begins with, if anything.
        """
        tokenizer, length = load_tokenizer(), (how or self.decoding()).length
        ids = {"read": tokenizer.batch(list(prompts), self.card.prompt_length)}
        if begin is not None:
            ids["begin"] = tokenizer.batch(list(begin), length)
        texts: list[str] = []
        for start in range(0, len(prompts), batch):
            part = {name: rows[start : start + batch] for name, rows in ids.items()}
            key = jax.random.fold_in(trees.fold_in_str(jax.random.key(seed), "expand"), start)
            texts += self._run("prompt", part, _style("descriptive"), how, key, batch)
        return texts

    def placed(self) -> Self:
        """The same with its parameters on the devices, for many calls."""
        mesh = make_mesh(MeshConfig()) if self.mesh is None else self.mesh
        shardings = parameter_shardings({"captioner": self.params}, mesh)["captioner"]
        return dataclasses.replace(self, params=jax.device_put(self.params, shardings))

    def decoding(self, **changes: Any) -> Decoding:
        """How texts are chosen where nothing else is said: the likeliest words."""
        return Decoding(**{"length": self.card.text_length, **changes})

    def _run(
        self, what: str, part: dict[str, np.ndarray], style: int, how: Decoding | None, key: Array, batch: int
    ) -> list[str]:
        """Texts of up to `batch` rows, which are filled up, so that there is one program for all."""
        count = len(part["read"])
        full = {name: np.concatenate([x, np.repeat(x[-1:], batch - count, 0)]) for name, x in part.items()}
        mesh = make_mesh(MeshConfig()) if self.mesh is None else self.mesh
        with jax.set_mesh(mesh):
            params = self.params
            if mesh.size > 1:
                params = jax.device_put(params, parameter_shardings({"captioner": params}, mesh)["captioner"])
                full = place_batch(full, mesh)
            read = _read_clip if what == "clip" else _read_prompt
            prefix = read(self.config, params, full["read"])
            style_B = jnp.full(batch, style)
            done: Decoded = decode(
                self.config, how or self.decoding(), params, prefix, style_B, key, constrain, full.get("begin")
            )
        tokenizer = load_tokenizer()
        return [tokenizer.decode(row) for row in np.asarray(done.ids_BS)[:count]]

    def hash(self) -> str:
        """SHA-256 of the shape and the parameters, 64 hexadecimal digits."""
        digest = hashlib.sha256(vidgen_config.to_json(self.config).encode())
        for name, x in sorted(trees.flatten_names(self.params).items()):
            digest.update(f"{name} {x.shape}".encode())
            digest.update(np.ascontiguousarray(np.asarray(x, np.float32)).tobytes())
        return digest.hexdigest()

    def save(self, folder: str | Path, small: bool = False) -> None:
        """Writes captioner.safetensors and captioner.json into a folder; `small` keeps eight bits of each matrix."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        metadata = {"captioner_config": vidgen_config.to_json(self.config)}
        params = packed.pack(self.params) if small else self.params
        save_params(folder / WEIGHTS, params, "float16" if small else "float32", metadata)
        text = json.dumps(dataclasses.asdict(self.card), indent=2)
        (folder / CARD).write_text(text + "\n", encoding="utf-8")


def captioner_folder(model: str | Path = "default") -> Path:
    """The folder of a captioner: "default" is the one inside the package, anything else is a path.

    Raises:
        FileNotFoundError: there is no such folder, or it lacks a file.
    """
    inside = Path(str(resources.files("vidgen") / "assets" / "captioner"))
    folder = inside if str(model) == "default" else Path(model)
    if missing := [name for name in (CARD, WEIGHTS) if not (folder / name).is_file()]:
        raise FileNotFoundError(
            f"no captioner {str(model)!r}: it must be 'default' (the one that ships with vidgen) or a folder with "
            f"{CARD} and {WEIGHTS}; missing: {', '.join(missing)}"
        )
    return folder


def load_captioner(model: str | Path = "default", mesh: Mesh | None = None) -> TrainedCaptioner:
    """Reads a captioner's folder.

    Raises:
        FileNotFoundError: there is no such captioner.
        ValueError: a file in it is damaged, or of something else.
    """
    folder = captioner_folder(model)
    tree, metadata = load_params(folder / WEIGHTS)
    if "captioner_config" not in metadata:
        raise ValueError(f"{folder / WEIGHTS} holds no captioner: it lacks a config")
    try:
        card = CaptionerCard.from_dict(json.loads((folder / CARD).read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise ValueError(f"{folder / CARD} is not JSON ({error}); write it again") from error
    config, params = vidgen_config.from_json(metadata["captioner_config"]), packed.unpack(tree)
    check_shapes(params, jax.eval_shape(functools.partial(init_captioner, config), jax.random.key(0)))
    return TrainedCaptioner(config, params, card, mesh)


@functools.partial(jax.jit, static_argnums=0)
def _read_clip(config: CaptionerConfig, params: dict, video_BFHWC: Array) -> Tokens:
    return apply(Captioner(config, constrain), params, to_float(video_BFHWC), method=Captioner.read_clip)


@functools.partial(jax.jit, static_argnums=0)
def _read_prompt(config: CaptionerConfig, params: dict, ids_BS: Array) -> Tokens:
    return apply(Captioner(config, constrain), params, ids_BS, method=Captioner.read_prompt)


def _style(name: str) -> int:
    if name not in STYLES:
        raise ValueError(f"style {name!r} was given; it must be one of {', '.join(STYLES)}")
    return STYLES.index(name)


def _same_shape(clips: Sequence[np.ndarray], batch: int) -> Iterator[list[int]]:
    """Rows of clips of one shape, at most `batch` at a time."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for row, clip in enumerate(clips):
        by_shape.setdefault(clip.shape, []).append(row)
    for rows in by_shape.values():
        yield from (rows[start : start + batch] for start in range(0, len(rows), batch))
