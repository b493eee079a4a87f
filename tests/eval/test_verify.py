# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Signed, changed and bare files are told apart, what gets through is counted, and nothing crashes."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from vidgen.cli import main as cli
from vidgen.data.video import read_video
from vidgen.eval import redteam, verify
from vidgen.safety import badge, certificates, detector, provenance
from vidgen.safety.audit import digest
from vidgen.safety.badge import add_badge, find_badge
from vidgen.safety.policy import FrameRule, Policy
from vidgen.safety.prompts import Category, PromptPolicy
from vidgen.sample.export import encode, save
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID

EXPERIMENTS = Path(__file__).parents[2] / "experiments" / "trust"
GOLDEN = Path(__file__).parents[1] / "golden" / "shipped_model.mp4"
CLIP = render(FIRST_LIGHT_ON_GRID.draw(0))


def experiment(name: str):
    """A program under experiments/trust, as a module."""
    spec = importlib.util.spec_from_file_location(name, EXPERIMENTS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def signed(suffix: str = ".mp4") -> bytes:
    origin = provenance.Origin("generate", "tiny", "ab" * 32, ("a dog",), 5)
    content = encode(suffix, add_badge(CLIP, 8), 8)
    return provenance.sign(content, suffix, origin, certificates.load_identity(), {})


def test_files_are_told_apart_and_shown(tmp_path, capsys) -> None:
    content = signed()
    changed = bytearray(content)
    changed[content.index(b"mdat") + 600] ^= 1
    files = {"good.mp4": content, "changed.mp4": bytes(changed), "nothing.mp4": b"", "text.png": b"no picture at all"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    save(tmp_path / "bare.gif", CLIP, 8)
    names = [*files, "bare.gif"]
    paths = [str(tmp_path / name) for name in names]
    assert cli.main(["verify", *paths, "--json"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["manifest"]["state"] for one in told] == ["trusted", "tampered", "absent", "absent", "absent"]
    assert told[0]["manifest"]["generation"]["seed"] == 5 and told[0]["errors"]
    assert [one["frames"] for one in told] == [17, told[1]["frames"], 0, 0, 17]
    assert told[0]["visible_mark"] > 0.9 and told[4]["visible_mark"] == 0
    assert told[2]["problem"] and told[3]["problem"]
    assert cli.main(["verify", paths[0], "--html", str(tmp_path / "report.html")]) == 0
    assert "trusted: unchanged since it was signed" in capsys.readouterr().out
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/webp") == 2 and "ab" * 32 in page and "signed, trusted" in page


def test_the_learned_detector_speaks_with_its_error_rates(tmp_path, capsys) -> None:
    looks = detector.load_looks()
    save(tmp_path / "other.mp4", CLIP, 8)
    (tmp_path / "none.mp4").write_bytes(b"")
    files = [str(GOLDEN), str(tmp_path / "other.mp4"), str(tmp_path / "none.mp4")]
    assert cli.main(["verify", *files, "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["learned_detector"] and one["learned_detector"]["looks_like_vidgen"] for one in told] == [
        True,
        False,
        None,
    ]
    for one, path in zip(told[:2], files, strict=False):
        said = one["learned_detector"]
        assert said["score"] == pytest.approx(detector.score(read_video(Path(path))), abs=1e-4)
        assert (said["false_alarms"], said["found"]) == (looks.false_alarms, looks.found)
        assert f"{100 * looks.false_alarms:.1f} %" in one["errors"]["learned detector"]
    assert cli.main(["verify", *files, "--html", str(tmp_path / "report.html")]) == 0
    text, page = capsys.readouterr().out, (tmp_path / "report.html").read_text()
    for shown in (text, page):
        assert shown.count("does not look like the shipped") >= 1
        assert f"false alarms {100 * looks.false_alarms:.1f} %" in shown
        assert all(known.split(";")[0].split("'")[0] in shown for known in verify.errors().values())
    assert page.count('<li class="yes">looks like') == 1 and page.count('<li class="unknown">does not look') == 1


def test_frames_are_looked_at_up_to_a_bound(monkeypatch) -> None:
    frames = [np.full((4, 6, 3), number, np.uint8) for number in range(9)]
    assert len(list(verify._bounded(iter(frames)))) == 9
    assert len(list(verify._bounded(iter([*frames[:3], np.zeros((5, 5, 3), np.uint8)])))) == 3
    monkeypatch.setattr(verify, "MOST_BYTES", 4 * 6 * 3 * 5 + 1)
    assert [frame[0, 0, 0] for frame in verify._bounded(iter(frames))] == [0, 1, 2, 3, 4]
    monkeypatch.setattr(verify, "MOST_BYTES", 1)
    assert len(list(verify._bounded(iter(frames)))) == 1


def test_a_stranger_signs_validly_and_is_not_trusted(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "a.mp4").write_bytes(signed())
    monkeypatch.setenv("VIDGEN_CONFIG", str(tmp_path / "another user"))
    assert cli.main(["verify", str(tmp_path / "a.mp4"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["manifest"]["state"] == "valid"


def test_the_users_own_certificate_signs(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "theirs"
    monkeypatch.setenv("VIDGEN_CONFIG", str(folder))
    certificates.load_identity()
    monkeypatch.setenv("VIDGEN_CONFIG", str(tmp_path / "mine"))
    for name, file in (("CERTIFICATE", "certificate"), ("PRIVATE_KEY", "key"), ("TRUST", "authority")):
        monkeypatch.setenv(f"VIDGEN_{name}", str(folder / "signing" / f"{file}.pem"))
    assert provenance.read_manifest(signed(), ".mp4").state == "trusted"
    assert not (tmp_path / "mine").exists()


def test_keys_are_private_and_never_made_in_a_repository(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("VIDGEN_CONFIG", str(tmp_path / "config"))
    certificates.load_identity()
    folder = tmp_path / "config" / "signing"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        ("key.pem", "certificate.pem", "authority.pem"), 0o600
    )
    (folder / "key.pem").chmod(0o644)
    with pytest.raises(ValueError, match="can be read by others"):
        certificates.load_identity()
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    monkeypatch.setenv("VIDGEN_CONFIG", str(tmp_path / "repository" / "config"))
    with pytest.raises(ValueError, match="inside the repository"):
        certificates.load_identity()
    assert not (tmp_path / "repository" / "config").exists()


@pytest.mark.parametrize(("size", "dots"), [(64, 1), (128, 2), (480, 7)])
def test_the_badge_is_legible_and_small_and_moves(size, dots) -> None:
    clip = np.random.default_rng(0).integers(0, 255, (32, size, size, 3), np.uint8)
    marked = add_badge(clip, 8)
    assert find_badge(marked).all() and not find_badge(clip).any()
    changed = (marked != clip).any(-1)
    assert 0 < changed.mean() < 0.02
    letters = badge.plate(dots)
    corner = marked[0][badge._places(size, size)[0]]
    assert (corner[letters] == 250).all() and corner[~letters].max() < 80  # white on dark, whatever is behind
    assert len({tuple(np.argwhere(frame).min(0) // (size // 2)) for frame in changed}) == 4


def test_single_bytes_and_structures_are_told_or_touch_nothing() -> None:
    tamper = experiment("tamper")
    rng = np.random.default_rng(1)
    for suffix in tamper.SUFFIXES:
        content, other = tamper.signed(suffix), tamper.signed(suffix, 1)
        changes = [
            *tamper.bytes_changed(content, 8, rng),
            *list(tamper.structures_changed(content, other, suffix))[:12],
        ]
        for where, after in changes:
            assert tamper.judge(content, after, suffix) != "missed", where
        assert tamper.judge(content, content, suffix) == "touches nothing"


def test_readers_are_compared_by_what_they_take_for_sound() -> None:
    tamper = experiment("tamper")
    said = [("a", "told"), ("b", "touches nothing"), ("c", "manifest gone"), ("d", "told"), ("e", "touches nothing")]
    counts = tamper.compare(said, ["Invalid", "Trusted", "absent", "Valid", "Invalid"])
    assert counts == {"agree": 3, "told here, Valid there": 1, "touches nothing here, Invalid there": 1}


def test_kills_are_judged_by_what_is_left(tmp_path, monkeypatch) -> None:
    kills = experiment("kills")
    for name in ("out", "tmp"):
        (tmp_path / name).mkdir()
    assert kills.judge(tmp_path) == {"files": 0, "noted": 0, "wrong": []}
    origin = provenance.Origin("generate", "tiny", "ab" * 32, ("a dog",), 5)
    told = {"review": {"findings": []}}
    content = provenance.sign(encode(".mp4", CLIP, 8), ".mp4", origin, certificates.load_identity(), told)
    (tmp_path / "audit.jsonl").write_text(json.dumps({"file_sha256": digest(content)}) + "\n")
    (tmp_path / "out" / "1.mp4").write_bytes(content)
    assert kills.judge(tmp_path)["wrong"] == []
    (tmp_path / "out" / "2.mp4").write_bytes(content + bytes(64))  # changed, and unknown to the log
    (tmp_path / "out" / ".3.mp4").write_bytes(content)  # its seed is one that should have been blocked
    (tmp_path / "tmp" / "frames").write_bytes(b"pixels")
    wrong = kills.judge(tmp_path)["wrong"]
    assert [what.split(":")[0] for what in wrong] == ["frames", ".3.mp4", "2.mp4", "2.mp4"]


def test_fuzzed_prompts_and_files_neither_crash_nor_hang_nor_leave_files(tmp_path) -> None:
    fuzz = experiment("fuzz")
    counts = fuzz.attack(fuzz.Options(n=240), tmp_path)
    assert sum(count for what, count in counts.items() if not what.startswith("slowest")) == 240
    assert counts["prompt: refused"] > 10 and counts["prompt: allowed"] > 10
    assert list(tmp_path.iterdir()) == []


def test_the_red_team_counts_what_gets_through(capsys) -> None:
    policy = PromptPolicy((Category("blades", ("dagger",), ((("moon",), ("poison",)),)),))
    [row] = redteam.attack_prompts(policy, [{"family": "a", "texts": ["d4gger", "dagger", "a dirk"]}])
    assert (row.tried, row.before, row.through, row.examples) == (3, 2, 1, ("a dirk",))
    [row] = redteam.attack_storyboards(policy, [{"shots": ["the moon", "poison"]}, {"shots": ["a", "dirk"]}])
    assert (row.tried, row.before, row.through) == (2, 2, 1)
    assert cli.main(["redteam", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    ours = {row["family"]: row for row in rows if row["part"] == "prompts"}
    assert all(row["tried"] >= 12 for row in ours.values()) and len(ours) > 15
    undone = [row for name, row in ours.items() if not name.startswith(("euphemisms", "spelled by sound"))]
    assert ours["spelled by sound"]["through"] <= 1 and ours["spelled by sound, held out"]["through"] <= 5
    assert sum(row["through"] for row in undone) <= 0.02 * sum(row["tried"] for row in undone)
    assert not any(row["through"] for row in rows if row["family"].endswith("manifest") or row["part"] == "storyboards")


def test_every_change_of_frames_is_tried_on_every_clip() -> None:
    def red(frames):
        return {"red": (frames[..., 0] > 200).mean((1, 2))}

    scenes = [FIRST_LIGHT_ON_GRID.draw(seed) for seed in range(2)]
    policy = Policy("test", PromptPolicy(()), (FrameRule("a", "red", 1e-6),), "")
    attacks = redteam.load_attacks()["frames"]
    rows = list(redteam.attack_frames(policy, {"a": red}, scenes, attacks))
    assert [row.tried for row in rows] == [2] * len(redteam.CHANGES) == [2] * len(attacks)
    with pytest.raises(ValueError, match="change 'melt'; there are"):
        list(redteam.attack_frames(policy, {"a": red}, scenes, [{"name": "x", "change": "melt"}]))
