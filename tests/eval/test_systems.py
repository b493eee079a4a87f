# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Systems: a model's card says what can be asked of it; videos are found by their prompts and fitted."""

import dataclasses
import json

import numpy as np
import pytest

from vidgen.data.video import write_mp4
from vidgen.eval.suite import Case, NotApplicableError, Setting
from vidgen.eval.systems import Model, card_setting, fit_video, read_folder, refuse_by_card, through, whole_groups
from vidgen.sample.card import Card, CardConcept
from vidgen.sample.sampler import SampleConfig


@dataclasses.dataclass(frozen=True)
class Still:
    width: int = 64
    height: int = 64
    frames: int = 17


CARD = Card(
    "small", {}, "", {}, (), (CardConcept("dog"), CardConcept("cat")), (64, 64), 16, 64, 64, max_frames=17, fps=8
)


def case(prompt="a dog", names=("dog",), **scene):
    return Case(
        prompt,
        Still(**scene),
        lambda scene: np.zeros((scene.frames, scene.height, scene.width, 3), np.uint8),
        names=names,
    )


def test_a_card_says_what_can_be_asked():
    assert card_setting(CARD) == Setting(("dog", "cat"), 64, 64, 17, 8)
    longer = dataclasses.replace(CARD, max_frames=481)
    assert card_setting(longer) == card_setting(CARD)
    unheard_of = dataclasses.replace(CARD, concepts=(CardConcept("chimera"), *CARD.concepts))
    assert card_setting(unheard_of) == card_setting(CARD)
    refuse_by_card(CARD, case())
    for asked, why in (
        (case(frames=33), "33 frames, and small makes at most 17"),
        (case(names=("dog", "zebra")), "zebra, which small does not know"),
        (case(width=80), "width 80"),
        (dataclasses.replace(case(), given=3), "3 first frames"),
    ):
        with pytest.raises(NotApplicableError, match=why):
            refuse_by_card(CARD, asked)


class Recorder:
    """A pipeline in name: a clip is as bright as its prompt is long; it takes 1 + a multiple of 4 frames."""

    class networks:  # noqa: N801
        class vae:  # noqa: N801
            patch = (4, 8, 8)

    defaults = SampleConfig(steps=5)

    def __init__(self):
        self.calls = []

    def generate(self, prompts, *, frames, width, height, steps, guidance, seed, known):
        assert frames % 4 == 1
        self.known = known
        self.calls.append((len(prompts), frames, steps, guidance, seed))
        levels = np.array([len(prompt) for prompt in prompts], np.uint8)
        return np.broadcast_to(levels[:, None, None, None, None], (len(prompts), frames, height, width, 3))


def test_a_model_is_asked_for_full_batches_of_whole_groups():
    recorder = Recorder()
    model = Model(recorder, CARD, "abc", steps=7, guidance=2.5)
    model.check([case(), case()])
    clips = model.make([case("a dog", frames=6), case("a dog!", frames=6)], seed=3)
    assert clips.shape == (2, 6, 64, 64, 3) and clips[0].max() == 5 and clips[1].max() == 6
    assert recorder.calls == [(8, 9, 7, 2.5, 3)]
    pairs = [dataclasses.replace(case(text), twin=case(f"{text} alone")) for text in ("a dog", "a cat")]
    both = model.make(pairs, seed=4)
    assert both.shape == (2, 2, 17, 64, 64, 3) and both[0, 0].max() == 5 and both[0, 1].max() == 11
    assert recorder.calls[1:] == [(8, 17, 7, 2.5, 4)] * 2  # one noise for a case and its twin


class Firsts:
    """A VAE in name: a latent frame is the last frame of its group, one value for 8x8 pixels."""

    class config:  # noqa: N801
        group = 4

        @staticmethod
        def latent_shape(frames, height, width):
            return 1 + (frames - 1) // 4, height // 8, width // 8, 1

    def encode(self, clips):
        return clips[:, ::4, ::8, ::8, :1].astype(np.float32)


def test_a_model_that_was_trained_to_is_shown_the_first_frames():
    recorder = Recorder()
    recorder.autoencoder = Firsts()
    trained = Model(recorder, dataclasses.replace(CARD, tasks=("ends",)), "abc")
    asked = [
        dataclasses.replace(
            case(prompt, frames=10), given=5, renderer=lambda _, level=level: np.full((10, 64, 64, 3), level, np.uint8)
        )
        for prompt, level in (("a dog", 90), ("a cat!", 40))
    ]
    trained.check(asked)
    clips = trained.make(asked, seed=3)
    assert clips.shape == (2, 10, 64, 64, 3)
    for clip, level, made in zip(clips, (90, 40), (5, 6), strict=True):
        assert (clip[:5] == level).all() and (clip[5:] == made).all()
    latent, is_made = recorder.known
    assert latent.shape == (8, 4, 8, 8, 1) and (latent[0, :2] == 90).all() and (latent[1, :2] == 40).all()
    assert not is_made[:, :2].any() and is_made[:, 2:].all()
    with pytest.raises(NotApplicableError, match=r"3 first frames, and small takes 1 \+ a multiple of 4"):
        trained.check([dataclasses.replace(case(), given=3)])


def test_a_models_clips_are_named_by_all_that_they_depend_on():
    model = Model(Recorder(), CARD, "abc")
    assert model.name == "small" and model.setting == card_setting(CARD)
    others = [dataclasses.replace(model, **change) for change in ({"weights": "x"}, {"steps": 3}, {"guidance": 9.0})]
    assert len({model.key, *(other.key for other in others)}) == 4
    assert dataclasses.replace(model, steps=Recorder.defaults.steps).key == model.key
    elsewise = Recorder()
    elsewise.defaults = SampleConfig(steps=5, shift=3.0)
    assert dataclasses.replace(model, pipeline=elsewise).key != model.key


def test_lengths_are_made_whole():
    assert [whole_groups(frames, 4) for frames in (1, 2, 5, 6, 17, 32)] == [1, 5, 5, 9, 17, 33]


class Halver:
    """A VAE in name: its patch is 4 frames of 8x8 pixels; what goes through it is half as bright."""

    class config:  # noqa: N801
        patch = (4, 8, 8)

        @staticmethod
        def latent_shape(frames, height, width):
            if (frames - 1) % 4 or height % 8 or width % 8:
                raise ValueError("another size")

    def encode(self, clips):
        assert clips.ndim == 5 and (clips.shape[1] - 1) % 4 == 0
        return clips

    def decode(self, latents):
        return latents // 2


def test_any_length_goes_through_a_vae():
    clips = np.random.default_rng(0).integers(0, 256, (3, 2, 6, 8, 16, 3)).astype(np.uint8)
    assert np.array_equal(through(Halver(), clips), clips // 2)
    with pytest.raises(ValueError, match="another size"):
        through(Halver(), clips[..., :12, :])


@pytest.fixture
def folder(tmp_path):
    """Three videos of grey, 0.5 s at 16 frames a second, wide."""
    videos = tmp_path / "videos"
    videos.mkdir()
    for row in range(3):
        frames = np.full((9, 48, 96, 3), 50 + 60 * row, np.uint8)
        frames[:, :, :24] = frames[:, :, -24:] = 255  # what is cut off
        frames[-1] = 0
        write_mp4(videos / f"v{row}.mp4", frames, fps=16)
    return videos


def prompts_file(tmp_path, lines, suffix=".jsonl"):
    path = tmp_path / f"prompts{suffix}"
    path.write_text("".join((json.dumps(line) if suffix == ".jsonl" else line) + "\n" for line in lines))
    return path


def test_videos_are_found_by_their_prompts_and_fitted(folder, tmp_path):
    lines = [{"file": f"v{row}.mp4", "prompt": f"grey  number {row}"} for row in range(3)]
    notes = []
    system = read_folder(folder, prompts_file(tmp_path, lines), Setting(), notes.append)
    cases = [case(f"grey number {row}", width=32, height=32, frames=5) for row in (2, 0)]
    system.check(cases)
    clips = system.make(cases, seed=1)
    assert clips.shape == (2, 5, 32, 32, 3) and clips.dtype == np.uint8
    assert abs(int(clips[0, 0].mean()) - 170) < 6 and abs(int(clips[1, 0].mean()) - 50) < 6
    assert clips[0, -1].mean() < 10  # the last frame is among those that are taken
    assert set(notes) == {"9 frames of 96x48 -> 5 frames of 32x32, spread evenly"}
    short = read_folder(folder, prompts_file(tmp_path, ["a", "b", "c"], ".txt"), Setting())
    assert abs(int(short.make([case("b", width=32, height=32, frames=17)], 0)[0, 0].mean()) - 110) < 6
    pair = dataclasses.replace(case("a", width=32, height=32, frames=5), twin=case("c", width=32, height=32, frames=5))
    assert short.make([pair], 0).shape == (1, 2, 5, 32, 32, 3)


def test_a_video_that_fits_is_left_alone(folder):
    notes = []
    assert fit_video(folder / "v0.mp4", 9, 96, 48, notes.append).shape == (9, 48, 96, 3) and not notes


def test_videos_that_are_missing_are_named(folder, tmp_path):
    lines = [{"file": f"v{row}.mp4", "prompt": f"p{row}"} for row in range(3)]
    system = read_folder(folder, prompts_file(tmp_path, lines), Setting())
    with pytest.raises(ValueError, match=r"1 of 2 prompts have no video in .*'other'.*--seed"):
        system.check([case("p0"), case("other")])
    with pytest.raises(NotApplicableError, match="first frames"):
        system.check([dataclasses.replace(case("p0"), given=5)])
    with pytest.raises(NotApplicableError, match="no video"):
        system.check([case("other")])
    with pytest.raises(FileNotFoundError, match=r"missing: .*v7\.mp4"):
        read_folder(folder, prompts_file(tmp_path, [*lines, {"file": "v7.mp4", "prompt": "x"}]), Setting())


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.jsonl", '{"file": "v0.mp4"}\n', 'line 1: needs an object with "file" and "prompt"'),
        ("p.jsonl", "a dog\n", "line 1"),
        ("p.jsonl", "[1]\n", "line 1"),
        ("p.txt", "a\nb\n", "2 prompts.*3 videos"),
        ("p.csv", "a\n", "must end in .jsonl"),
    ],
)
def test_files_of_prompts_of_another_form(folder, tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_folder(folder, tmp_path / name, Setting())


def test_folders_that_are_not_there(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of videos"):
        read_folder(tmp_path / "none", tmp_path / "p.txt", Setting())
    with pytest.raises(FileNotFoundError, match="no file of prompts"):
        read_folder(folder, tmp_path / "p.txt", Setting())


def test_changed_videos_are_read_again(folder, tmp_path):
    path = prompts_file(tmp_path, ["a", "b", "c"], ".txt")
    before = read_folder(folder, path, Setting()).key
    assert read_folder(folder, path, Setting()).key == before
    write_mp4(folder / "v1.mp4", np.zeros((9, 48, 96, 3), np.uint8), fps=16)
    assert read_folder(folder, path, Setting()).key != before
