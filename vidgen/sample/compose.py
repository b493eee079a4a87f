# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""New clips from given ones, in pixels: set in motion, extended, joined, looped, edited, painted over; and clips of
several prompts.

Each is a call of `Pipeline.generate` with a mask of what is known (`vidgen.sample.tasks`). Frames that were given are
given back as they are, not as the VAE sees them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from vidgen.sample import tasks
from vidgen.sample.pipeline import Pipeline
from vidgen.sample.tasks import Piece

FADE = 8
"""Frames over which what the VAE lost of a given frame is added to those beside it, less and less."""
ALIKE = 12.0
"""Levels by which a pixel may change and still count as the same: the deviation of a Gaussian."""


def animate(
    pipeline: Pipeline,
    prompt: str,
    frames: int,
    first_HWC: np.ndarray | None = None,
    last_HWC: np.ndarray | None = None,
    **options: Any,
) -> np.ndarray:
    """A clip that begins with a picture, ends with one, or both: uint8 [F, H, W, 3].

    Args:
        frames: in all, 1 + a multiple of the VAE's group.
        first_HWC, last_HWC: uint8 pictures of one size, which is the clip's.
        options: of `Pipeline.generate`: steps, guidance, negative, seed, solver, shift.

    Raises:
        ValueError: neither picture is given, or the frames leave no room between them.
    """
    group, pieces = pipeline.networks.vae.group, []
    if first_HWC is not None:
        pieces.append(Piece(0, first_HWC[None]))
    if last_HWC is not None:
        pieces.append(Piece(frames - group, np.repeat(last_HWC[None], group, axis=0)))
    if frames - 1 < group * len(pieces):
        raise ValueError(f"{frames} frames leave nothing to be made between the pictures: make the clip longer")
    return _fill(pipeline, pieces, frames, prompt, options)


def extend(
    pipeline: Pipeline,
    video_FHWC: np.ndarray,
    prompt: str,
    frames: int,
    window: int,
    before: bool = False,
    **options: Any,
) -> np.ndarray:
    """A clip with so many new frames after it, or before it.

    What does not fit one pass is made by several, each of which sees the last frames of the one before: half of what a
    pass can hold.

    Args:
        frames: how many to add, at least 1.
        window: frames of one pass, at most those that the model was trained on; 1 + a multiple of the VAE's group.
        before: whether the new frames come first.
        options: see `animate`; the seed goes up by 1 with every pass.

    Raises:
        ValueError: no frames are asked for, or a pass has no room for a new one.
    """
    group = pipeline.networks.vae.group
    if frames < 1:
        raise ValueError(f"{frames} frames were asked for; ask for at least 1")
    if window < 1 + 2 * group:
        raise ValueError(f"a pass of {window} frames was given; to go on from frames it needs at least {1 + 2 * group}")
    if before and len(video_FHWC) < group:
        raise ValueError(f"what comes before can be told from {group} frames or more; {len(video_FHWC)} were given")
    most, seed = (window - 1) // group // 2, options.pop("seed", 0)
    clip, missing = video_FHWC, frames
    while missing > 0:
        # Latent frames that are seen, after the first one or all of them.
        seen = min(most, (len(clip) - (0 if before else 1)) // group)
        context = group * seen + (0 if before else 1)
        begin = window - context if before else 0
        piece = clip[:context] if before else clip[-context:]
        made = _fill(pipeline, [Piece(begin, piece)], window, prompt, {**options, "seed": seed})
        if before:
            new = made[:begin][-missing:]
            clip = np.concatenate([new, clip])
        else:
            new = made[context:][:missing]
            clip = np.concatenate([clip, new])
        missing, seed = missing - len(new), seed + 1
    return clip


def connect(
    pipeline: Pipeline,
    before_FHWC: np.ndarray,
    after_FHWC: np.ndarray,
    prompt: str,
    frames: int,
    window: int,
    **options: Any,
) -> np.ndarray:
    """One clip, then so many new frames, then the other clip.

    Args:
        before_FHWC, after_FHWC: clips of one size; the second has at least as many frames as the VAE's group.
        frames: between them, a multiple of the VAE's group.
        window, options: see `extend`; without guidance where neither that nor a negative prompt is given, since both
            ends show what is to be made, and guidance pulls it away from them.

    Raises:
        ValueError: frames are not such a multiple, or do not fit a pass beside some of both clips.
    """
    return np.concatenate(
        [before_FHWC, _between(pipeline, before_FHWC, after_FHWC, prompt, frames, window, options), after_FHWC]
    )


def loop(
    pipeline: Pipeline, video_FHWC: np.ndarray, prompt: str, frames: int, window: int, **options: Any
) -> np.ndarray:
    """A clip with so many new frames after it that lead back to its beginning: shown again and again, it has no seam.

    Arguments and errors are those of `connect`.
    """
    return np.concatenate([video_FHWC, _between(pipeline, video_FHWC, video_FHWC, prompt, frames, window, options)])


def _between(
    pipeline: Pipeline,
    before_FHWC: np.ndarray,
    after_FHWC: np.ndarray,
    prompt: str,
    frames: int,
    window: int,
    options: dict[str, Any],
) -> np.ndarray:
    if options.get("guidance") is None and not options.get("negative"):
        options = {**options, "guidance": 1.0}
    group = pipeline.networks.vae.group
    room = (window - 1 - frames) // group
    if frames < group or frames % group or room < 1:
        most = max(group, window - 1 - group)
        raise ValueError(f"{frames} frames between clips were asked for; ask for a multiple of {group} up to {most}")
    if len(after_FHWC) < group:
        raise ValueError(f"the clip to lead to has {len(after_FHWC)} frames; it needs at least {group}")
    # Room is shared evenly; the clip to lead to has the odd one, as the first frame of the other is there anyway.
    tail = min(room // 2, (len(before_FHWC) - 1) // group)
    head = min(room - tail, len(after_FHWC) // group)
    start = 1 + group * tail
    pieces = [Piece(0, before_FHWC[-start:]), Piece(start + frames, after_FHWC[: group * head])]
    return _fill(pipeline, pieces, start + frames + group * head, prompt, options)[start : start + frames]


def edit(pipeline: Pipeline, video_FHWC: np.ndarray, prompt: str, strength: float, **options: Any) -> np.ndarray:
    """A clip made again after another prompt (SDEdit, arXiv 2108.01073): the layout stays, the more so the less
    strength.

    Args:
        video_FHWC: 1 + a multiple of the VAE's group frames.
        strength: share of noise in what is started from, above 0 and at most 1, which leaves nothing of the clip.
        options: see `animate`.

    Raises:
        ValueError: the strength is out of range.
    """
    if not 0 < strength <= 1:
        raise ValueError(f"a strength of {strength:g} was given; it must be above 0 and at most 1")
    known = tasks.edit(pipeline.autoencoder, video_FHWC)
    _, height, width, _ = video_FHWC.shape
    size = {"frames": len(video_FHWC), "width": width, "height": height}
    return pipeline.generate([prompt], **size, known=known, start=strength, **options)[0]


def inpaint(
    pipeline: Pipeline, video_FHWC: np.ndarray, made_FHW: np.ndarray, prompt: str, **options: Any
) -> np.ndarray:
    """A clip of which marked pixels are made again, and with them the rest of their latent cells; others stay.

    Args:
        video_FHWC: 1 + a multiple of the VAE's group frames; made_FHW: bool, what is to be made.
        options: see `animate`.

    Raises:
        ValueError: see `vidgen.sample.tasks.repaint`.
    """
    known = tasks.repaint(pipeline.autoencoder, video_FHWC, made_FHW)
    F, height, width, _ = video_FHWC.shape
    clip = pipeline.generate([prompt], frames=F, width=width, height=height, known=known, **options)[0]
    group, q, r = pipeline.networks.vae.patch
    cells_THW = np.asarray(known.made_BTHW)[0]
    pixels_FHW = cells_THW.repeat(group, 0).repeat(q, 1).repeat(r, 2)[group - 1 :]
    return np.where(pixels_FHW[..., None], clip, video_FHWC)


class Shot(NamedTuple):
    """A prompt, and the frame from which it holds."""

    frame: int
    prompt: str


def storyboard(
    pipeline: Pipeline, shots: Sequence[Shot], frames: int, width: int, height: int, **options: Any
) -> np.ndarray:
    """One clip of several prompts on one time line, made in one pass: uint8 [F, H, W, 3].

    Frames see each other as in any clip, and each follows the prompt of its own time. A prompt begins to hold with the
    group of frames whose beginning is nearest to its own.

    Args:
        shots: in the order of time, the first from frame 0.
        frames, width, height: of the clip.
        options: see `animate`.

    Raises:
        ValueError: the shots do not begin at 0, are not in order, too near to each other, or beyond the clip.
    """
    if not shots:
        raise ValueError("no shot was given; give at least one")
    begins, prompts = zip(*shots, strict=True)
    size = {"frames": frames, "width": width, "height": height}
    return pipeline.generate(prompts, **size, shots=begins, **options)[0]


def _fill(pipeline: Pipeline, pieces: list[Piece], frames: int, prompt: str, options: dict[str, Any]) -> np.ndarray:
    """A clip in which these pieces are given."""
    known = tasks.place(pipeline.autoencoder, pieces, frames)
    _, height, width, _ = pieces[0].frames_FHWC.shape
    made = pipeline.generate([prompt], frames=frames, width=width, height=height, known=known, **options)[0]
    return with_lost_details(made, pieces)


def with_lost_details(decoded_FHWC: np.ndarray, pieces: Sequence[Piece]) -> np.ndarray:
    """A decoded clip that follows on from its given frames as they were: those, and made frames with their details.

    Given frames are given back as they were, and the frame after them is one from the VAE: without this, all that the
    VAE loses of a picture would go from one frame to the next. What it lost of the nearest given frame on each side is
    added to a made frame where both are decoded alike, the less the further away it is.

    Args:
        decoded_FHWC: uint8, all of the clip from the VAE. pieces: what is given of it.
    """
    given = {piece.start + i: frame for piece in pieces for i, frame in enumerate(piece.frames_FHWC)}
    out = np.array(decoded_FHWC)
    for at in range(len(out)):
        if at in given:
            out[at] = given[at]
            continue
        sides = (
            max((one for one in given if one < at), default=None),
            min((one for one in given if one > at), default=None),
        )
        away = {one: abs(at - one) for one in sides if one is not None and abs(at - one) <= FADE}
        made, nearness = decoded_FHWC[at].astype(np.float32), sum(1 / frames for frames in away.values())
        changed = np.zeros_like(made)
        for one, frames in away.items():
            seen = decoded_FHWC[one].astype(np.float32)
            alike_HW = np.exp(-np.square((made - seen) / ALIKE).mean(-1) / 2)
            share = (1 - (frames - 1) / FADE) / frames / nearness
            changed += share * alike_HW[..., None] * (given[one] - seen)
        out[at] = np.clip(np.rint(made + changed), 0, 255)
    return out
