# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Google Cloud: a gcloud on PATH that writes down what it is asked and plays scripted answers.

It also plays the workers: a copy puts files into a folder, and a command over ssh runs there in a real shell, with
stand-ins for sudo, systemctl, systemd-run and uv, and a vidgen that writes down its arguments.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[2] / "tpu_scripts"
DENIED = "ERROR: PERMISSION_DENIED: you lack tpu.nodes.list"

GCLOUD = r"""
import fcntl, json, os, sys

root, argv = os.environ["STAND_IN"], sys.argv[1:]
words = [a for a in argv if a not in ("alpha", "beta")]
with open(root + "/lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open(root + "/calls", "a") as calls:
        calls.write(json.dumps(argv) + "\n")
    with open(root + "/answers") as file:
        answers, played = json.load(file), None
    for answer in answers:
        if answer["times"] and all(any(w in a for a in words) for w in answer["words"]):
            answer["times"] -= 1
            played = answer
            break
    with open(root + "/answers", "w") as file:
        json.dump(answers, file)
if played is not None and not played["runs"]:
    sys.stdout.write(played["out"])
    sys.stderr.write(played["err"])
    sys.exit(played["code"])
if "describe" in words or "list-instances" in words:
    sys.stderr.write("ERROR: NOT_FOUND: Resource 'queuedResources/%s' was not found\n" % words[words.index(
        "describe" if "describe" in words else "list-instances") + 1])
    sys.exit(1)
if played is None:
    sys.exit(0)
import shutil, subprocess  # only here: a test calls this program many times
from pathlib import Path

root = Path(root)
place = words.index("ssh") + 1 if "ssh" in words else words.index("scp") + 2
home = root / "workers" / words[place].rstrip(":")
if "ssh" in words:
    home.mkdir(parents=True, exist_ok=True)
    command = next(a for a in argv if a.startswith("--command=")).removeprefix("--command=")
    own = {"HOME": str(home), "PATH": f"{root / 'worker-bin'}:{os.environ['PATH']}"}
    sys.exit(subprocess.run(["bash", "-c", command], cwd=home, env=os.environ | own).returncode)
source, target = words[words.index("scp") + 1], words[words.index("scp") + 2]
if target.endswith(":"):
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, home)
else:
    shutil.copy(root / "workers" / source.replace(":", "/", 1), target)
"""

WORKER_PROGRAMS = {
    "sudo": 'exec "$@"',
    "hostname": "echo t1v-n-0",
    # One unit: its state is a file.
    "systemctl": """
cd "$HOME"
case "$1" in
  show) case "$3" in --property=SubState) cat sub-state ;; --property=ExecMainStatus) cat exit-status ;; esac ;;
  stop) [ ! -f sub-state ] || rm sub-state; echo stop >> units ;;
esac 2>/dev/null || true""",
    "systemd-run": """
here="$PWD"
cd "$HOME"
echo running > sub-state
printf '%s\\n' "$@" >> units
while [ "${1#--}" != "$1" ]; do shift; done
"$@"
""",
    "uv": """
echo "$*" >> "$HOME/uv-calls"
case "$1 $2" in
  "venv --quiet") mkdir -p venv/bin && cp "$STAND_IN/vidgen" venv/bin/vidgen && cp "$STAND_IN/vidgen" venv/bin/python ;;
  "pip freeze") printf 'jax==0.10.2\\nvidgen @ file:///home\\n' ;;
esac""",
}
VIDGEN = r"""
import json, os, sys
if "--version" in sys.argv:
    print("vidgen 0.1.0")
else:
    with open(os.path.join(os.environ["HOME"], "trained"), "a") as file:
        file.write(json.dumps(sys.argv[1:]) + "\n")
"""


class Cloud:
    """One test's cloud, and one pod file.

    Args:
        root: a folder of the test's own.
    """

    def __init__(self, root: Path):
        self.root, self.pod = root, root / "run1.env"
        self.state = root / "stand-in"
        # A small checkout, since setup.sh packs the one that it lies in.
        self.scripts = root / "checkout" / "tpu_scripts"
        shutil.copytree(SCRIPTS, self.scripts)
        (root / "checkout" / "pyproject.toml").write_text("[project]\n")
        for folder in ("bin", "worker-bin"):
            (self.state / folder).mkdir(parents=True)
        self._program("bin/gcloud", GCLOUD, python=True)
        # Waiting takes no time, and is written down.
        self._program("bin/sleep", 'echo "$1" >> "$STAND_IN/sleeps"')
        self._program("vidgen", VIDGEN, python=True)
        for name, text in WORKER_PROGRAMS.items():
            self._program(f"worker-bin/{name}", text)
        (self.state / "answers").write_text("[]")
        experiments = root / "experiments"
        experiments.mkdir()
        self.experiment = experiments / "small one.py"
        self.experiment.write_text("def get_config(): ...\n")
        (experiments / "neighbour.py").write_text("")
        self.settings: dict[str, str] = {
            "PROJECT": "my-project",
            "ZONE": "us-east5-b",
            "NAME": "run1",
            "TYPE": "v6e:4x4",
            "EXPERIMENT": str(self.experiment),
            "WORKDIR": "gs://bucket/run",
        }

    def _program(self, name: str, text: str, python: bool = False) -> None:
        path = self.state / name
        path.write_text(f"#!{sys.executable} -IS\n{text}" if python else f"#!/usr/bin/env bash\n{text}\n")
        path.chmod(0o755)

    def run(self, script: str, *options: str, stdin: str = "", gcloud: bool = True, raw: str = "", **settings: str):
        """Runs a script with these settings on top of the usual ones; `raw` goes into the pod file as it is."""
        lines = [f"{name}={_quote(value)}" for name, value in (self.settings | settings).items() if value]
        self.pod.write_text("\n".join([*lines, raw]) + "\n")
        path = f"{self.state / 'bin'}:/usr/bin:/bin" if gcloud else str(self._without_gcloud())
        return subprocess.run(
            ["bash", str(self.scripts / f"{script}.sh"), str(self.pod), *options],
            input=stdin,
            check=False,
            capture_output=True,
            text=True,
            cwd=self.root,
            env={"PATH": path, "HOME": str(self.root), "STAND_IN": str(self.state), "LC_ALL": "C.UTF-8"},
            timeout=900,
        )

    def _without_gcloud(self) -> Path:
        """A PATH of a machine on which gcloud is not installed."""
        folder = self.state / "plain-bin"
        if not folder.exists():
            folder.mkdir()
            for name in "bash basename cat cut date dirname git grep head mktemp rm sed sort tail tr".split():
                found = next(p for p in (Path("/usr/bin") / name, Path("/bin") / name) if p.exists())
                (folder / name).symlink_to(found)
        return folder

    def answer(self, *words: str, out: str = "", err: str = "", code: int = 0, times: int = -1) -> None:
        """From now on, calls whose arguments contain all these words get this answer, the earliest script first."""
        self._add(words=words, out=out, err=err, code=code, times=times, runs=False)

    def workers(self) -> None:
        """From now on, copies and commands over ssh that have no other answer reach workers."""
        self._add(words=("ssh",), out="", err="", code=0, times=-1, runs=True)
        self._add(words=("scp",), out="", err="", code=0, times=-1, runs=True)

    def _add(self, **answer: Any) -> None:
        answers = json.loads((self.state / "answers").read_text())
        (self.state / "answers").write_text(json.dumps([*answers, answer]))

    def states(self, *states: str, accelerator: str = "v6e-16") -> None:
        """The request's state at each look; the last one stays."""
        for i, state in enumerate(states):
            self.answer("describe", out=f"{state},{accelerator}\n", times=-1 if i == len(states) - 1 else 1)

    def nodes(self, text: str, times: int = -1) -> None:
        """What 'tpu-vm list' says of the slices."""
        self.answer("tpu-vm", "list", out=text, times=times)

    def looks(self, *answers: str) -> None:
        """What the workers answer at each look, one or several lines 'HOST STATE'; the last one stays."""
        for i, answer in enumerate(answers):
            lines = "".join(f"vidgen-worker {line}\n" for line in answer.split("\n"))
            self.answer("ssh", "worker.sh status", out=lines, times=-1 if i == len(answers) - 1 else 1)

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call of gcloud."""
        path = self.state / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def deeds(self) -> list[str]:
        """What was done, without what was only asked: create, copy, install, stop, start, delete."""
        found = []
        for call in self.calls:
            command = next((a for a in call if a.startswith("--command=")), "")
            if "scp" in call:
                found.append("copy" if call[call.index("scp") + 2].endswith(":") else "fetch")
            elif command:
                found += [verb for verb in ("install", "stop", "start") if f"worker.sh {verb}" in command]
            else:
                found += [verb for verb in ("create", "delete") if verb in call]
        return found

    @property
    def sleeps(self) -> list[int]:
        """How long was waited, in seconds, each time."""
        path = self.state / "sleeps"
        return [int(line) for line in path.read_text().splitlines()] if path.exists() else []

    def worker(self, name: str) -> Path:
        """The home folder of a worker."""
        return self.state / "workers" / name


def _quote(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The message of a command that failed."""
    assert result.returncode == 1, result
    assert result.stderr
    return result.stderr
