# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The `vidgen` command: picks the verb, and turns what the user did wrong into one line and exit status 2."""

import difflib
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from vidgen import __version__
from vidgen.cli import (
    caption,
    connect,
    data,
    edit,
    extend,
    generate,
    info,
    recaption,
    redteam,
    storyboard,
    train,
    verify,
    weights,
)
from vidgen.cli import eval as evaluation
from vidgen.cli.compile import command as compilation

HELP = """\
usage: vidgen COMMAND ...

Makes videos from text, and trains the models that do it.

commands:
  generate   make a video from a prompt, with the model inside the package or your own
  extend     add new frames after a video, or before it
  connect    join two videos by new frames
  loop       lead a video back to its beginning
  edit       make a video again after another prompt
  inpaint    make a part of a video again
  storyboard make a video of several prompts, each with its time
  caption    say in words what videos show
  recaption  write new captions for a data set or a folder of videos
  train      train a model as an experiment file says, or go on where it stopped
  data       list, build and look at data sets
  eval       score a model, or any videos, in worlds whose truth is known
  compile    whether an experiment fits a TPU pod, and how fast it can be, without a TPU
  verify     where files come from: their signed manifests and their marks
  redteam    try to get around the policy, the marks and the manifests
  weights    look into weights, check and convert those of public models
  info       what a model is, what it was trained on, its scores and its limits

options:
  -h, --help   show this page; "vidgen COMMAND --help" shows the page of a command
  --version    show the version
  --debug      on an error, show where in the program it arose

examples:
  vidgen generate "an astronaut moves to the right across the moon" --out astronaut.mp4
  vidgen info
"""

VERBS: dict[str, Callable[[Sequence[str]], None]] = {
    "generate": generate.run,
    "extend": extend.run,
    "connect": connect.run,
    "loop": connect.run_loop,
    "edit": edit.run,
    "inpaint": edit.run_inpaint,
    "storyboard": storyboard.run,
    "caption": caption.run,
    "recaption": recaption.run,
    "train": train.run,
    "data": data.run,
    "eval": evaluation.run,
    "compile": compilation.run,
    "verify": verify.run,
    "redteam": redteam.run,
    "weights": weights.run,
    "info": info.run,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status: 0 done, 1 a run that failed, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        _dispatch(arguments)
        sys.stdout.flush()
    except SystemExit as stop:  # a help page, or a run that failed and says why
        if isinstance(stop.code, str):
            print(f"vidgen: {stop.code}", file=sys.stderr)
            return 1
        return stop.code or 0
    except KeyboardInterrupt:
        print("vidgen: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        if debug:
            traceback.print_exc()
        else:
            print(f"vidgen: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _dispatch(arguments: list[str]) -> None:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="")
    elif arguments[0] == "--version":
        print(f"vidgen {__version__}")
    elif arguments[0] in VERBS:
        VERBS[arguments[0]](arguments[1:])
    else:
        near = difflib.get_close_matches(arguments[0], VERBS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"the commands are {', '.join(VERBS)}."
        raise ValueError(f"Unknown command {arguments[0]!r}: {hint}")


if __name__ == "__main__":
    sys.exit(main())
