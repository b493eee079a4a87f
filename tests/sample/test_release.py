# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What was not reviewed and signed never becomes a file; what was says so, in the file and in the audit log."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from vidgen.data.video import read_video
from vidgen.safety import audit, provenance
from vidgen.safety.frames import BlockedError
from vidgen.safety.policy import FrameRule, Policy
from vidgen.safety.prompts import Category, PromptPolicy
from vidgen.sample import export, release
from vidgen.sample.release import Gate, RefusedError, Settings

ORIGIN = provenance.Origin("generate", "tiny", "", ("a dog",), 7)


class Red:
    """How red a frame is."""

    def __call__(self, frames_FHWC):
        return {"red": frames_FHWC[..., 0].mean((1, 2)) / 255}


def policy(action: str) -> Policy:
    prompts = PromptPolicy((Category("blades", ("dagger",)), Category("pair", (), ((("moon",), ("poison",)),))))
    return Policy("test", prompts, (FrameRule("red", "red", 0.5, action),), "0" * 64)


def clip(red: tuple[int, ...] = (), frames: int = 9) -> np.ndarray:
    out = np.random.default_rng(0).integers(0, 100, (frames, 64, 64, 3), np.uint8)
    for frame in red:
        out[frame, ..., 0] = 250
    return out


@pytest.fixture
def gate(monkeypatch, tmp_path):
    """Opens a gate whose classifier is `Red`."""
    monkeypatch.setattr(release, "read_classifiers", lambda policy: {"red": Red()})
    monkeypatch.setenv("VIDGEN_AUDIT", str(tmp_path / "log" / "audit.jsonl"))
    (tmp_path / "out").mkdir()
    # The invisible mark has tests of its own, and takes longer than all else here.
    return lambda action="block", **chosen: Gate(Settings(**{"watermark": False, **chosen}), policy(action))


def log() -> list[dict]:
    file = audit.audit_file()
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize("suffix", export.SUFFIXES)
def test_a_file_is_marked_signed_and_noted(gate, tmp_path, suffix) -> None:
    path = tmp_path / "out" / f"a{suffix}"
    with gate() as one:
        done = one.release(path, clip(), 8, ORIGIN)
    content = path.read_bytes()
    manifest = provenance.read_manifest(content, suffix)
    assert manifest.state == "trusted" and manifest.source_type.endswith("trainedAlgorithmicMedia")
    assert manifest.facts["seed"] == 7 and "prompts" not in manifest.facts
    assert manifest.facts["prompt_sha256"] == audit.digest("a dog")
    assert provenance.read_manifest(content, suffix, anchors="").state == "valid"
    [entry] = log()
    assert (entry["event"], entry["file_sha256"]) == ("released", audit.digest(content)) and done.sha256 in str(entry)
    assert "a dog" not in json.dumps(entry)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_is_written_shows_the_mark_unless_it_is_declined(gate, tmp_path) -> None:
    grey = np.full((1, 64, 64, 3), 90, np.uint8)
    with gate() as one:
        one.release(tmp_path / "out" / "a.png", grey, 8, ORIGIN)
    with gate(mark=False, provenance=False) as one:
        one.release(tmp_path / "out" / "b.png", grey, 8, ORIGIN)
    marked, plain = (read_still(tmp_path / "out" / name) for name in ("a.png", "b.png"))
    assert np.array_equal(plain, grey[0]) and not np.array_equal(marked, grey[0])
    assert provenance.read_manifest((tmp_path / "out" / "b.png").read_bytes(), ".png").state == "absent"
    assert [(entry["visible_mark"], entry["provenance"]) for entry in log()] == [(True, True), (False, False)]


def read_still(path: Path) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize("suffix", [".mp4", ".png"])
def test_a_blocked_clip_is_never_on_disk(gate, tmp_path, suffix, monkeypatch) -> None:
    monkeypatch.setattr(release, "write_whole", lambda *_: pytest.fail("it was written"))
    with gate() as one, pytest.raises(BlockedError, match=r"policy 'test' blocks .*red 0\.9\d .* frames 2, 4-5, of 9"):
        one.release(tmp_path / "out" / f"a{suffix}", clip((2, 4, 5)), 8, ORIGIN)
    assert list((tmp_path / "out").iterdir()) == []
    [entry] = log()
    assert entry["event"] == "blocked" and entry["findings"][0]["frames"] == [2, 4, 5]


def test_frames_are_blurred_or_labelled_as_the_policy_says(gate, tmp_path) -> None:
    frames = clip((3,))
    for action in ("blur", "label"):
        with gate(action) as one:
            one.release(tmp_path / "out" / f"{action}.mp4", frames, 8, ORIGIN)
        manifest = provenance.read_manifest((tmp_path / "out" / f"{action}.mp4").read_bytes(), ".mp4")
        [finding] = manifest.facts["review"]["findings"]
        assert (finding["action"], finding["frames"]) == (action, "frame 3")
    blurred, labelled = (read_video(tmp_path / "out" / f"{action}.mp4").astype(int) for action in ("blur", "label"))

    def detail(frame) -> float:
        return np.abs(np.diff(frame[16:48, 16:48], axis=0)).mean()

    assert detail(blurred[3]) < 0.2 * detail(labelled[3])
    assert detail(blurred[2]) > 0.9 * detail(labelled[2])


def test_without_an_audit_log_nothing_is_written(gate, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VIDGEN_AUDIT", str(tmp_path / "file" / "audit.jsonl"))
    with gate() as one, pytest.raises(OSError, match="without it no file is made"):
        one.release(tmp_path / "out" / "a.png", clip(), 8, ORIGIN)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_classifier_that_fails_or_gives_nonsense_lets_nothing_pass(gate, tmp_path, monkeypatch) -> None:
    class Broken:
        def __call__(self, frames):
            return {"red": np.full(len(frames), np.nan)}

    class Raises:
        def __call__(self, frames):
            raise RuntimeError("no")

    for classifier, error in ((Broken(), BlockedError), (Raises(), RuntimeError)):
        monkeypatch.setattr(release, "read_classifiers", lambda policy, it=classifier: {"red": it})
        with gate() as one, pytest.raises(error):
            one.release(tmp_path / "out" / "a.png", clip(), 8, ORIGIN)
    assert list((tmp_path / "out").iterdir()) == []


def test_inputs_become_ingredients(gate, tmp_path) -> None:
    out = tmp_path / "out"
    with gate() as one:
        one.release(out / "a.mp4", clip(), 8, ORIGIN)
        export.save(out / "bare.gif", clip(), 8)
        given = (out / "a.mp4", out / "bare.gif")
        made = provenance.Origin("connect", "tiny", "", ("a dog",), 7, given, show_prompts=True)
        one.release(out / "b.mp4", clip(), 8, made)
    manifest = provenance.read_manifest((out / "b.mp4").read_bytes(), ".mp4")
    assert manifest.state == "trusted" and manifest.facts["prompts"] == ["a dog"]
    assert [bool(entry.get("active_manifest")) for entry in manifest.ingredients] == [True, False]
    assert manifest.facts["inputs_sha256"] == [audit.digest(path.read_bytes()) for path in given]


def test_prompts_are_judged_alone_and_together(gate) -> None:
    release.check_prompts(policy("block"), ["the moon", "a dog"])
    for prompts, message in (
        (["a dog", "a d4gger"], "refuses the prompt: blades"),
        (["the moon", "a bottle of poison"], "prompts taken together: pair"),
        (["a dag", "ger"], "together: blades"),
    ):
        with pytest.raises(RefusedError, match=message):
            release.check_prompts(policy("block"), prompts)
    assert {entry["event"] for entry in log()} == {"prompt refused"} and "poison" not in str(log())


KILLED = """
import sys, numpy as np
from pathlib import Path
from vidgen.safety.provenance import Origin
from vidgen.sample import release
sys.path.insert(0, {here!r})
from test_release import Red, clip, policy
release.read_classifiers = lambda _: {{"red": Red()}}
with release.Gate(release.Settings(watermark=False), policy("block")) as gate:
    print("ready", flush=True)
    number = 0
    while True:
        number += 1
        try:
            frames = clip((3,) if number % 2 else ())
            gate.release(Path("out") / f"{{number}}.mp4", frames, 8, Origin("generate", "t", "", ("a",), number))
        except ValueError:
            pass
"""


def test_killed_at_any_moment_nothing_unreviewed_or_unsigned_is_left(tmp_path) -> None:
    (tmp_path / "out").mkdir()
    environment = {**os.environ, "VIDGEN_AUDIT": str(tmp_path / "audit.jsonl"), "PYTHONPATH": os.pathsep.join(sys.path)}
    code = KILLED.format(here=str(Path(__file__).parent))
    for kill in range(2):
        command = [sys.executable, "-c", code]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path, env=environment) as process:
            assert process.stdout and process.stdout.readline() == b"ready\n"
            time.sleep(0.5 + 0.21 * kill)
            process.send_signal(signal.SIGKILL)
        for file in (tmp_path / "out").iterdir():
            manifest = provenance.read_manifest(file.read_bytes(), file.suffix)
            assert manifest.state == "trusted" and manifest.facts["seed"] % 2 == 0, file


def test_the_invisible_mark_says_what_the_manifest_says(gate, tmp_path) -> None:
    from vidgen.eval.verify import verify_file

    with gate(watermark=True) as one:
        one.release(tmp_path / "out" / "a.mp4", clip(), 8, ORIGIN)
    verdict = verify_file(tmp_path / "out" / "a.mp4")
    assert (
        verdict.marks["invisible mark"]["payload"] == verdict.manifest.facts["review"]["payload"] == log()[0]["payload"]
    )
