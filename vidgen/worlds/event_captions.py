# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What happens in a clip and when: clauses with times, as a storyboard takes them ("0.0: a dog enters; 1.1: ...")."""

import re
from typing import NamedTuple

import numpy as np

from vidgen.worlds.captions import caption
from vidgen.worlds.motion import FPS, Beat, Scene
from vidgen.worlds.story_captions import StoryWriter


class Event(NamedTuple):
    """seconds: when it begins. text: a clause that `read_caption` reads."""

    seconds: float
    text: str


def events(scene: Scene, seed: int) -> tuple[Event, ...]:
    """What happens in a scene, in order; another seed may phrase it otherwise. What is no story begins at 0 and is one
    event, the scene's short caption.

    Raises ValueError for a scene without objects.
    """
    shown = scene.in_sight()
    if not shown.story or shown.theme in ("count", "size"):
        return (Event(0.0, caption(scene, seed, "short").rstrip(".")),)
    writer = StoryWriter(shown, np.random.default_rng((seed, scene.seed, 1)), synonyms=False)
    beats = sorted(shown.story, key=lambda beat: (beat.start, beat.subject))
    return tuple(Event(beat.start / FPS, _clause(writer, beat)) for beat in beats)


def event_caption(scene: Scene, seed: int) -> str:
    """The events of a scene as one text; seconds to a tenth."""
    return write_events(events(scene, seed))


def write_events(found: tuple[Event, ...]) -> str:
    """Events as one text."""
    return "; ".join(f"{event.seconds:.1f}: {event.text}" for event in found)


def read_events(text: str) -> tuple[Event, ...]:
    """The events of a text of `write_events`. Raises ValueError for any other."""
    parts = re.split(r"(?:^|; )(\d+\.\d): ", text.strip())
    if parts[0] or len(parts) < 3:
        raise ValueError(f"{text!r} tells no events: they are written as '0.0: what happens; 1.5: what happens then'")
    return tuple(Event(float(when), what) for when, what in zip(parts[1::2], parts[2::2], strict=True))


def _clause(writer: StoryWriter, beat: Beat) -> str:
    """A clause about one event of any story."""
    if beat.kind in ("hit", "pass"):
        key = "hit"
        if beat.kind == "hit" and beat.side == "down":
            key = "fall on"
        if beat.kind == "pass":
            nearer = writer.scene.objects[beat.subject].depth < writer.scene.objects[beat.other].depth
            key = f"{'front' if nearer else 'behind'} {beat.side}"
        return writer.says(beat.subject, key, beat.other)
    if beat.kind in ("pushed", "knocked"):
        return writer.moves(beat.subject, beat.side)
    if beat.kind == "hide":
        return writer.says(beat.subject, "hide", beat.other)
    if beat.kind == "return":
        went = next(one.side for one in writer.scene.story if one.kind == "hide" and one.subject == beat.subject)
        return writer.says(beat.subject, f"return {'through' if went == beat.side else 'back'}")
    if beat.kind == "emerge":
        return writer.says(beat.subject, "emerge from", beat.other)
    return writer.event(beat)
