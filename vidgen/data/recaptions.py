# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions that a captioner wrote: their table, and encoded clips that are shown with old or new ones."""

import dataclasses
import functools
import json
from pathlib import Path
from typing import TypedDict

from vidgen.data.pipeline import SYNTHETIC_SHARE, LatentItem, LatentItems

TABLE = "recaptions.jsonl"


class Recaption(TypedDict):
    """One line of the table: an example's id, its old captions, the new one ("" where none was good), how many tries
    it took, and what is wrong with it, if anything.
    """

    id: str
    original: list[str]
    caption: str
    tries: int
    problem: str


def read_table(path: str | Path) -> dict[str, Recaption]:
    """A table of recaptions by id. Raises ValueError for a line that is none, or an id that is there twice."""
    rows: dict[str, Recaption] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        try:
            row: Recaption = json.loads(line)
            key = row["id"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}, line {number} is no recaption: {line[:80]!r}") from error
        if key in rows:
            raise ValueError(f"{path}, line {number}: the example {key!r} is there twice")
        rows[key] = row
    return rows


@dataclasses.dataclass(frozen=True)
class RecaptionedItems:
    """The items of `latents`, item i with the captions, old and new, of the example that a table calls "...-i".

    share: how often an item is shown with the new one.
    """

    latents: LatentItems
    table: str
    share: float = SYNTHETIC_SHARE

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"a share of {self.share} was given for the new captions; it must be from 0 to 1")

    def __len__(self) -> int:
        return len(self.latents)

    def __getitem__(self, index: int) -> LatentItem:
        item, row = self.latents[index], _by_number(self.table).get(index)
        if row is None:
            return item
        new = (row["caption"],) if row["caption"] else ()
        old = tuple(row["original"])
        return {**item, "captions": old, "synthetic": new, "synthetic_share": self.share}


@functools.lru_cache(maxsize=4)
def _by_number(table: str) -> dict[int, Recaption]:
    return {int(key.rpartition("-")[2]): row for key, row in read_table(table).items()}
