# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The policy file: what is refused in prompts and in frames, as TOML (see `policy.toml` beside this file)."""

import dataclasses
import hashlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from vidgen.safety.prompts import Category, PromptPolicy

Action = Literal["block", "blur", "label"]
DEFAULT = Path(__file__).with_name("policy.toml")


@dataclasses.dataclass(frozen=True)
class FrameRule:
    """What is done with a frame whose score for a label reaches the threshold.

    classifier: "open_nsfw", or the file of a trained one.
    """

    classifier: str
    label: str
    threshold: float
    action: Action = "block"


@dataclasses.dataclass(frozen=True)
class Policy:
    """A policy file. digest: SHA-256 of its text, by which audit logs and manifests name it."""

    name: str
    prompts: PromptPolicy
    frames: tuple[FrameRule, ...]
    digest: str


def load_policy(path: str | os.PathLike | None = None) -> Policy:
    """Reads a policy: the file given, or the one that VIDGEN_POLICY names, or vidgen's own.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not TOML, or a field is missing or not what it must be; the message says which.
    """
    file = Path(path or os.environ.get("VIDGEN_POLICY") or DEFAULT).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"There is no policy file {str(file)!r}: give a TOML file like {DEFAULT}.")
    data = file.read_bytes()
    try:
        content = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"The policy {str(file)!r} is not TOML: {error}.") from error
    try:
        return parse_policy(content, file.parent, hashlib.sha256(data).hexdigest())
    except ValueError as error:
        raise ValueError(f"The policy {str(file)!r}: {error}.") from error


def parse_policy(content: Mapping[str, Any], folder: Path, digest: str) -> Policy:
    """A policy of what TOML said; files of classifiers are relative to `folder`. Raises ValueError."""
    unknown = sorted(content.keys() - {"name", "frames", "prompts", "innocent"})
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is not known; there are name, frames, prompts and innocent")
    frames = tuple(_frame_rule(entry, folder) for entry in _list(content, "frames", dict))
    categories = tuple(_category(entry) for entry in _list(content, "prompts", dict))
    innocent = frozenset(word.lower() for word in _list(content, "innocent", str))
    prompts = PromptPolicy(categories, innocent)
    prompts.check("")  # prepares the terms, so that a bad one is told now
    return Policy(str(content.get("name", "unnamed")), prompts, frames, digest)


def _frame_rule(entry: Mapping[str, Any], folder: Path) -> FrameRule:
    _known(entry, "frames", {"classifier", "label", "threshold", "action"})
    classifier, label = (_text(entry, "frames", key) for key in ("classifier", "label"))
    threshold = entry.get("threshold")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1:
        raise ValueError(f"the threshold of {label!r} must be above 0 and at most 1, got {threshold!r}")
    action = entry.get("action", "block")
    if action not in get_args(Action):
        raise ValueError(f"the action of {label!r} must be one of {', '.join(get_args(Action))}, got {action!r}")
    if classifier != "open_nsfw":
        classifier = str(folder / Path(classifier).expanduser())
    return FrameRule(classifier, label, float(threshold), action)


def _category(entry: Mapping[str, Any]) -> Category:
    _known(entry, "prompts", {"category", "terms", "together", "allow"})
    together = tuple(
        tuple(tuple(_strings(words, "together")) for words in _strings(groups, "together", list))
        for groups in _list(entry, "together", list)
    )
    return Category(
        _text(entry, "prompts", "category"),
        tuple(_list(entry, "terms", str)),
        together,
        tuple(_list(entry, "allow", str)),
    )


def _known(entry: Mapping[str, Any], table: str, keys: set[str]) -> None:
    if unknown := sorted(entry.keys() - keys):
        raise ValueError(f"{', '.join(unknown)} is not known in [[{table}]]; there are {', '.join(sorted(keys))}")


def _text(entry: Mapping[str, Any], table: str, key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"an entry of [[{table}]] needs a text {key!r}, got {value!r}")
    return value


def _list(entry: Mapping[str, Any], key: str, kind: type) -> list:
    return _strings(entry.get(key, []), key, kind)


def _strings(values: Any, key: str, kind: type = str) -> list:
    if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
        raise ValueError(f"{key!r} must be a list of {kind.__name__}, got {values!r}")
    return values
