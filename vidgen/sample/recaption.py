# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Recaptioning as a job that any number of processes share through a folder, on one machine or on many.

The examples are cut into shards. A process takes a shard by a lease, a file that it touches while it works; a lease
that nobody has touched for a while is of a process that died, and another takes the shard. A finished shard appears
under its name at once and whole. What is written for an example depends on the example and the settings alone, so that
a shard that was done twice is the same both times, and each example is in the result once.
"""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vidgen.data.builders.clips import REPORT_FILE, BuildReport, build_clips, read_report
from vidgen.data.builders.recaptioned import Examples, RecaptionOptions, builder_of
from vidgen.data.recaptions import TABLE, Recaption, read_table
from vidgen.data.tokenizer import canonical
from vidgen.data.video import VideoError
from vidgen.models.decoding import Decoding
from vidgen.sample.captioner import TrainedCaptioner

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class RecaptionConfig:
    """How a job is done.

    Attributes:
        style: of `vidgen.data.labelled.STYLES`.
        beams: as in `Decoding`; the first try takes the likeliest words, later ones draw.
        shard: examples of a shard.
        batch: clips that are read at once, over all of this process's devices.
        tries: for a text that is empty or degenerate.
        temperature: of the later tries.
        lease: seconds after which a shard whose process shows no life is taken by another.
        wait: seconds between looks at what others do.
    """

    style: str = "descriptive"
    beams: int = 1
    shard: int = 256
    batch: int = 32
    tries: int = 4
    temperature: float = 0.7
    lease: float = 120.0
    wait: float = 1.0


def recaption(
    examples: Examples,
    captioner: TrainedCaptioner,
    out: str | Path,
    config: RecaptionConfig = RecaptionConfig(),
    say: Say = lambda _: None,
) -> BuildReport:
    """Writes a new caption for every example, or goes on with a job that was begun, and returns when all is written.

    Args:
        examples: the same in all processes.
        out: the data set to make; until then the job lies beside it, in a hidden folder.

    Raises:
        FileExistsError: `out` is there, and is not what this job would write.
        ValueError: there are no examples, or the job in that folder has other settings.
    """
    out = Path(out)
    settings = _settings(examples, captioner, config)
    if out.exists():
        return _finished(out, settings)
    ids = examples.ids()
    if not ids:
        raise ValueError(f"there is nothing to recaption: {examples}")
    job = _Job(out.parent / f".{out.name}.job", config, -(-len(ids) // config.shard))
    job.open(settings)
    captioner = captioner.placed()
    while not out.exists():
        with job.any_shard() as shard:
            if shard is None:
                if not job.complete():
                    time.sleep(config.wait)
                    continue
                if _assemble(examples, job, out, settings):
                    break
                time.sleep(config.wait)
                continue
            own = ids[shard * config.shard : (shard + 1) * config.shard]
            rows = list(_shard_rows(examples, captioner, config, own, lambda n=shard: job.touch(f"{n:06d}")))
            if out.exists():  # this shard was taken for stale and done by another
                break
            job.write(shard, rows)
            say(f"shard {shard + 1} of {job.shards}: {len(rows)} captions")
    return read_report(out)


def problem_of(text: str, full: bool) -> str:
    """What is wrong with a text as a caption, "" if nothing. full: it is as long as a text can be, so may be cut."""
    words = canonical(text).split()
    if not words:
        return "empty"
    if len(words) < 2:
        return "one word"
    runs = Counter(zip(words, words[1:], words[2:], words[3:], strict=False))
    if runs and runs.most_common(1)[0][1] > 2:
        return "repeats itself"
    if any(one == two == three for one, two, three in zip(words, words[1:], words[2:], strict=False)):
        return "repeats itself"
    return "cut" if full else ""


def _settings(examples: Examples, captioner: TrainedCaptioner, config: RecaptionConfig) -> dict[str, Any]:
    """What must be the same in all processes of a job, as plain values."""
    how = {name: getattr(config, name) for name in ("style", "beams", "tries", "temperature", "shard")}
    model = {"captioner": captioner.card.name, "hash": captioner.hash()}
    return json.loads(json.dumps({"examples": str(examples), **model, **how}))


def _shard_rows(
    examples: Examples, captioner: TrainedCaptioner, config: RecaptionConfig, ids: tuple[str, ...], alive: Any
) -> Iterator[Recaption]:
    """The rows of a shard, batch by batch."""
    for start in range(0, len(ids), config.batch):
        alive()
        yield from _batch_rows(examples, captioner, config, ids[start : start + config.batch])


def _batch_rows(
    examples: Examples, captioner: TrainedCaptioner, config: RecaptionConfig, ids: tuple[str, ...]
) -> list[Recaption]:
    rows: list[Recaption] = []
    clips: dict[int, np.ndarray] = {}
    for at, key in enumerate(ids):
        try:
            clip = examples.clip(key)
        except VideoError as error:
            rows.append(Recaption(id=key, original=[], caption="", tries=0, problem=f"unreadable: {error.reason}"))
            continue
        clips[at] = fitted(clip.video_FHWC, captioner, examples.fps())
        rows.append(Recaption(id=key, original=list(clip.captions), caption="", tries=0, problem=""))
    waiting = list(clips)
    for attempt in range(config.tries):
        if not waiting:
            break
        how = _decoding(captioner, config, attempt)
        texts = captioner.captions([clips[at] for at in waiting], config.style, how, attempt, config.batch)
        for at, text in zip(waiting, texts, strict=True):
            full = _tokens(text) >= how.length
            rows[at]["tries"], rows[at]["problem"] = attempt + 1, problem_of(text, full)
            rows[at]["caption"] = "" if rows[at]["problem"] else text
        waiting = [at for at in waiting if rows[at]["problem"]]
    return rows


def fitted(video_FHWC: np.ndarray, captioner: TrainedCaptioner, fps: float) -> np.ndarray:
    """A clip as a captioner reads it: its rate, its size (covered and cropped in the middle), not more frames."""
    card = captioner.card
    frames = np.arange(0, len(video_FHWC), max(1.0, fps / card.fps))[: card.frames]
    video_FHWC = video_FHWC[frames.astype(int)]
    width, height = card.size
    if video_FHWC.shape[1:3] == (height, width):
        return video_FHWC
    import cv2

    scale = max(width / video_FHWC.shape[2], height / video_FHWC.shape[1])
    sides = round(video_FHWC.shape[2] * scale), round(video_FHWC.shape[1] * scale)
    left, top = (sides[0] - width) // 2, (sides[1] - height) // 2
    large = [cv2.resize(frame, sides, interpolation=cv2.INTER_AREA) for frame in video_FHWC]
    return np.stack(large)[:, top : top + height, left : left + width]


def _decoding(captioner: TrainedCaptioner, config: RecaptionConfig, attempt: int) -> Decoding:
    if attempt == 0:
        return captioner.decoding(beams=config.beams)
    return captioner.decoding(temperature=config.temperature, top_p=0.95)


def _tokens(text: str) -> int:
    from vidgen.data.tokenizer import load_tokenizer

    return len(load_tokenizer().encode(text))


@dataclasses.dataclass(frozen=True)
class _Job:
    """The folder that processes share, and what is in it: job.json, NUMBER.jsonl of finished shards, NUMBER.lease."""

    folder: Path
    config: RecaptionConfig
    shards: int
    me: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex[:12])

    def open(self, settings: dict[str, Any]) -> None:
        """Begins the job or joins it. Raises ValueError if its settings are others."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "job.json"
        if not file.exists():
            self._put(file, json.dumps(settings, indent=2))
        there = json.loads(file.read_text(encoding="utf-8"))
        if there != settings:
            name = next(key for key in {**there, **settings} if there.get(key) != settings.get(key))
            raise ValueError(
                f"{self.folder} holds a job with {name} = {there.get(name)!r}, and this one has "
                f"{settings.get(name)!r}: give the same settings, another --out, or remove that folder"
            )

    def part(self, shard: int) -> Path:
        """The file of a finished shard."""
        return self.folder / f"{shard:06d}.jsonl"

    def complete(self) -> bool:
        """Whether all shards are finished."""
        return all(self.part(shard).exists() for shard in range(self.shards))

    @contextlib.contextmanager
    def any_shard(self) -> Iterator[int | None]:
        """A shard that nobody has finished or works on, held while the block lasts; None if there is none."""
        for shard in range(self.shards):
            if self.part(shard).exists() or not self.take(f"{shard:06d}"):
                continue
            try:
                # It may have been finished between the look and the lease.
                if self.part(shard).exists():
                    continue
                yield shard
            finally:
                self.leave(f"{shard:06d}")
            return
        yield None

    def take(self, name: str) -> bool:
        """Takes a lease, if nobody alive has it."""
        file = self.folder / f"{name}.lease"
        # The folder is gone once another process has made the data set.
        with contextlib.suppress(FileExistsError, FileNotFoundError), file.open("x") as stream:
            stream.write(self.me)
            return True
        with contextlib.suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > self.config.lease:
                # One of those who find it stale gets to move it away; then all try again.
                file.rename(self.folder / f"{name}.stale-{self.me}")
        return False

    def touch(self, name: str) -> None:
        """Shows life. A lease that others took for stale is theirs, and both finish the shard alike."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.folder / f"{name}.lease")

    def leave(self, name: str) -> None:
        """Gives a lease back, if it is still ours."""
        file = self.folder / f"{name}.lease"
        with contextlib.suppress(FileNotFoundError):
            if file.read_text() == self.me:
                file.unlink()

    def write(self, shard: int, rows: list[Recaption]) -> None:
        """Finishes a shard."""
        self._put(self.part(shard), "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    def _put(self, file: Path, text: str) -> None:
        partial = file.with_name(f"{file.name}.{self.me}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)


def _assemble(examples: Examples, job: _Job, out: Path, settings: dict[str, Any]) -> bool:
    """Makes the data set of all finished shards, unless another process does; whether it is there now."""
    if not job.take("data set"):
        return out.exists()
    try:
        table = job.folder / TABLE
        parts = [job.part(shard).read_text(encoding="utf-8") for shard in range(job.shards)]
        table.write_text("".join(parts), encoding="utf-8")
        rows = read_table(table)
        if tuple(rows) != examples.ids():
            raise ValueError(f"{job.folder} has captions of {len(rows)} examples and there are {len(examples.ids())}")
        first = next(key for key, row in rows.items() if not row["problem"].startswith("unreadable"))
        F, H, W, _ = examples.clip(first).video_FHWC.shape
        options = RecaptionOptions(settings["examples"], F, H, W, settings)
        staged = job.folder / "data set"
        shutil.rmtree(staged, ignore_errors=True)
        build_clips(builder_of(examples, rows), options, staged, lambda *_: job.touch("data set"))
        table.rename(staged / TABLE)
        try:
            staged.rename(out)
        except OSError:
            if not out.exists():
                raise
    except StopIteration:
        raise ValueError(f"none of the examples can be read: {examples}") from None
    finally:
        job.leave("data set")
    shutil.rmtree(job.folder, ignore_errors=True)
    return True


def _finished(out: Path, settings: dict[str, Any]) -> BuildReport:
    """The report of a finished job with these settings. Raises FileExistsError where `out` is anything else."""
    if (out / REPORT_FILE).exists() and read_report(out).options.get("settings") == settings:
        return read_report(out)
    raise FileExistsError(f"{out} exists, and is not what this job would write; give another folder, or remove it")


def problems(out: str | Path) -> dict[str, list[str]]:
    """Examples of a finished job without a new caption, by what was wrong."""
    found: dict[str, list[str]] = {}
    for key, row in read_table(Path(out) / TABLE).items():
        if row["problem"]:
            found.setdefault(re.sub(r":.*", "", row["problem"]), []).append(key)
    return found
