# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of the commands share."""

from collections.abc import Callable, Sequence

import pytest

from vidgen.cli import main as cli


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[[Sequence[str]], str]:
    """Runs `vidgen ARGV`, which must end with status 2 and one line of error; returns that line."""

    def run(argv: Sequence[str]) -> str:
        assert cli.main(argv) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("vidgen: ") and err.count("\n") == 1, err
        return err

    return run
