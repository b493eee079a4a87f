# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""All suites of the benchmark, in the order of reports."""

import difflib
from collections.abc import Sequence

from vidgen.eval.suite import Suite
from vidgen.eval.suites import camera, distance, pairs, physics, reconstruction, rigid, static, stories

SUITES: tuple[Suite, ...] = (
    *pairs.SUITES,
    *stories.SUITES,
    *camera.SUITES,
    *physics.SUITES,
    *rigid.SUITES,
    *static.SUITES,
    *reconstruction.SUITES,
    *distance.SUITES,
)
"""Each has a name of its own; suites of one source share their clips."""


def choose(names: Sequence[str]) -> tuple[Suite, ...]:
    """The suites of these names, in the order of SUITES; all, for none.

    Raises ValueError, listing the suites that exist, for a name that none has.
    """
    known = {suite.name: suite for suite in SUITES}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(f"There is no suite {name!r}.{hint} The suites are {', '.join(known)}.")
    return tuple(suite for suite in SUITES if not names or suite.name in names)
