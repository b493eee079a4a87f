# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen eval` scores models and videos, writes its report, goes on where it stopped, and refuses in one line."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from vidgen.cli import eval as evaluation
from vidgen.cli import main as cli
from vidgen.data.video import write_mp4
from vidgen.eval.suite import Setting
from vidgen.eval.suites.catalog import SUITES
from vidgen.eval.suites.static import FLICKER
from vidgen.eval.systems import Function
from vidgen.eval.world import Entrants

FAST = ["--suite", "flicker", "--suite", "drift", "--n", "4", "--workers", "1"]


@pytest.fixture
def fake(monkeypatch):
    """Instead of a model: the true clips with a little noise; the second clip is black. Returns the calls."""
    calls = []

    def make(cases, seed):
        calls.append([case.prompt for case in cases])
        noise = np.random.default_rng(seed).integers(0, 9, (len(cases), *cases[0].render().shape))
        clips = np.minimum(np.stack([case.render() for case in cases]) + noise, 255).astype(np.uint8)
        clips[1] = 0
        return clips

    setting = Setting(frames=5)
    monkeypatch.setattr(
        evaluation, "entrants_of", lambda options, note: Entrants(setting, Function("<b>fake</b>", make, setting))
    )
    return calls


def test_a_report_is_written_and_written_again_alike(fake, tmp_path, capsys):
    out = tmp_path / "report"
    assert cli.main(["eval", "world", *FAST, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert (
        "flicker: smoothness" in printed and "<b>fake</b>: 99" in printed and printed.endswith(f"{out}/report.html\n")
    )
    first = (out / "report.json").read_bytes()
    report = json.loads(first)
    assert set(report["suites"]) == {"flicker", "drift"} and report["n"] == 4
    flicker = report["suites"]["flicker"]
    assert flicker["columns"]["true"]["flicker"]["value"] == 1.0
    assert 0.9 < flicker["columns"]["model"]["flicker"]["value"] < 0.995
    assert all(check["holds"] for suite in report["suites"].values() for check in suite["checks"])
    assert len(report["suites"]["drift"]["curves"]["model"]["error"]) == 5
    assert fake == [report_prompts(out)]
    assert cli.main(["eval", "world", *FAST, "--out", str(out)]) == 0
    assert (out / "report.json").read_bytes() == first and len(fake) == 1
    assert cli.main(["eval", "world", *FAST, "--out", str(tmp_path / "other"), "--seed", "1"]) == 0
    assert (tmp_path / "other" / "report.json").read_bytes() != first


def report_prompts(out):
    """The prompts of the clips that the report shows, in the order of the cases: with few cases it is all but one."""
    return [case.prompt for case in FLICKER.source.draw(Setting(frames=5), 4, 0)]


def test_the_page_needs_nothing_else(fake, tmp_path):
    assert cli.main(["eval", "world", *FAST, "--out", str(tmp_path)]) == 0
    html = (tmp_path / "report.html").read_text()
    assert "&lt;b&gt;fake&lt;/b&gt;" in html and "<b>fake" not in html
    assert not re.search(r'(src|href)="(?!data:image/webp|#)', html) and "<script" not in html and "@import" not in html
    assert html.count("<figure>") == html.count("data:image/webp") > 4 and 'name="viewport"' in html
    assert html.count("<polyline") == 2 and "arXiv:2311.17982" in html and "blinking" in html
    for tag in ("section", "table", "tr", "ul", "figure", "svg", "div", "dl"):
        assert html.count(f"<{tag}") == html.count(f"</{tag}>"), tag


def test_the_markdown_has_every_suite_and_its_sheet(fake, tmp_path):
    assert cli.main(["eval", "world", *FAST, "--out", str(tmp_path)]) == 0
    text = (tmp_path / "report.md").read_text()
    for suite in (one for one in SUITES if one.name in FAST):
        assert f"## {suite.title}" in text and suite.definition in text
    for name in re.findall(r"\]\((sheets/.+?)\)", text):
        with Image.open(tmp_path / name) as sheet:
            assert sheet.width > 200
    assert text.count("sheets/") == 2


def test_prompts_are_written_and_videos_of_them_scored(tmp_path, capsys, refused):
    prompts, videos = tmp_path / "prompts.jsonl", tmp_path / "videos"
    asked = ["--suite", "flicker", "--n", "2", "--frames", "5"]
    assert cli.main(["eval", "cases", *asked, "--out", str(prompts)]) == 0
    assert capsys.readouterr().out == f"{prompts}: 2 prompts\n"
    videos.mkdir()
    for line in map(json.loads, prompts.read_text().splitlines()):
        assert (line["frames"], line["width"], line["height"], line["fps"]) == (5, 64, 64, 8)
        frames = np.zeros((8, 72, 128, 3), np.uint8)
        frames[::2] = 40  # blinks, in a frame of another size
        write_mp4(videos / line["file"], frames, fps=16)
    score = ["eval", "world", *asked, "--workers", "1", "--videos", str(videos), "--prompts", str(prompts)]
    assert cli.main([*score, "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert "note: videos were fitted: 8 frames of 128x72 -> 5 frames of 64x64, spread evenly" in err
    assert "  videos: " in out
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["system"]["name"] == "videos" and report["vae"] is None
    assert report["suites"]["flicker"]["columns"]["model"]["flicker"]["value"] < 0.97
    # Prompts of other suites have no videos: that is told, not scored.
    more = [*score, "--suite", "motion", "--out", str(tmp_path / "more")]
    assert cli.main(more) == 0
    assert "not applicable: no video" in capsys.readouterr().out
    shutil.rmtree(videos)
    assert "no folder of videos" in refused([*score, "--out", str(tmp_path / "gone")])


def test_suites_are_listed_with_their_sources(capsys):
    assert cli.main(["eval", "suites"]) == 0
    out = capsys.readouterr().out
    assert all(f"{suite.name}\n" in out for suite in SUITES) and "arXiv:" in out
    assert len({suite.name for suite in SUITES}) == len(SUITES)


@pytest.mark.parametrize("verb", [[], ["world"], ["cases"], ["suites"]])
def test_help_has_examples(capsys, verb):
    assert cli.main(["eval", *verb, "--help"]) == 0
    assert "examples:\n  vidgen eval" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wrld"], "did you mean world?"),
        (["suites", "x"], "takes no arguments"),
        (["world"], "--out"),
        (["world", "--out", "OUT", "--suite", "relatoin"], "Did you mean relation? The suites are identity, "),
        (["world", "--out", "OUT", "--n", "0"], "--n must be"),
        (["world", "--out", "OUT", "--seed", "-1"], "--seed must be"),
        (["world", "--out", "OUT", "--workers", "0"], "--workers must be"),
        (["world", "--out", "OUT", "--controls", "0"], "--controls must be"),
        (["world", "--out", "OUT", "--steps", "0"], "--steps must be"),
        (["world", "--out", "OUT", "--guidance", "nan"], "--guidance must be"),
        (["world", "--out", "OUT", "--frames", "0"], "--frames must be"),
        (["world", "--out", "OUT", "--videos", "OUT"], "--videos and --prompts go together"),
        (["world", "--out", "OUT", "--videos", "a", "--prompts", "b.txt", "--floors-only"], "--floors-only scores no"),
        (["world", "--out", "OUT", "--floors-only", "--untrained"], "--untrained is a control"),
        (["world", "--out", "OUT", "--model", "no/such"], "no model 'no/such'"),
        (["world", "--out", "FILE"], "is a file"),
        (["cases", "--out", "OUT/p.txt"], "must end in .jsonl"),
        (["cases", "--out", "OUT/none/p.jsonl"], "There is no folder"),
        (["cases", "--out", "OUT/p.jsonl", "--suite", "x"], "There is no suite 'x'"),
    ],
)
def test_refusals_are_one_line(tmp_path, arguments, message, refused):
    (tmp_path / "file").write_text("")
    known = {"OUT": str(tmp_path), "FILE": str(tmp_path / "file")}
    argv = [known.get(word, word.replace("OUT/", f"{tmp_path}/")) for word in arguments]
    assert message in refused(["eval", *argv])
