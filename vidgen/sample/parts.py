# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters that are read when they are needed, and freed when they no longer are: for models whose text encoder and
transformer do not fit memory together.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Parts(Mapping[str, Any]):
    """Parameters by the name of their network: each is read when it is first asked for, and then kept."""

    def __init__(self, readers: Mapping[str, Callable[[], Any]]) -> None:
        """readers: for each network, what reads its parameters."""
        self._readers = dict(readers)
        self._kept: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._kept:
            self._kept[name] = self._readers[name]()
        return self._kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def once(self, name: str) -> Any:
        """The parameters of a network, which are not kept unless they are already."""
        return self._kept[name] if name in self._kept else self._readers[name]()
