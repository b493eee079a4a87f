# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`watch.sh` keeps a run alive through preemptions, and knows when not to."""

import json

import pytest

from tests.tpu_scripts.cloud import DENIED


def test_watch_brings_a_run_from_nothing_to_its_end(cloud):
    cloud.answer("describe", err="queuedResources/run1' was not found", code=1, times=2)
    cloud.states("WAITING_FOR_RESOURCES", "PROVISIONING", "ACTIVE")
    cloud.nodes("run1,CREATING\n", times=1)
    cloud.nodes("other,READY\nrun1,READY\n")
    cloud.looks("new bare", "h0 running\nh1 running", "h0 finished\nh1 running", "h0 finished\nh1 finished")
    result = cloud.run("watch")
    assert result.returncode == 0, result.stderr
    assert cloud.deeds == ["create", "stop", "copy", "install", "fetch", "stop", "start"]
    assert result.stdout.splitlines()[-1].endswith("finished: gs://bucket/run; delete.sh ends the costs")


@pytest.mark.parametrize("how", ["request", "node"])
def test_watch_brings_a_run_back_after_a_preemption(cloud, how):
    if how == "request":
        cloud.states("ACTIVE", "SUSPENDING", "SUSPENDED", "SUSPENDED")
        cloud.nodes("run1,READY\n")
    else:
        cloud.states("ACTIVE", "ACTIVE", "ACTIVE")
        cloud.nodes("run1,READY\n", times=1)
        cloud.nodes("run1,PREEMPTED\n", times=2)
        cloud.nodes("run1,READY\n")
    answers = json.loads((cloud.state / "answers").read_text())
    for answer in answers:
        if answer["words"] == ["describe"]:
            answer["times"] = 1
    (cloud.state / "answers").write_text(json.dumps(answers))
    cloud.answer("describe", err="queuedResources/run1' was not found", code=1, times=2)  # watch's look, and create's
    cloud.states("ACTIVE")
    cloud.looks("h0 running", "new bare", "h0 running", "h0 finished")
    (cloud.root / "run1.lock").write_text("jax==0.10.2\n")
    result = cloud.run("watch", "--interval=7")
    assert result.returncode == 0, result.stderr
    assert cloud.deeds == ["delete", "create", "stop", "copy", "copy", "install", "stop", "start"]
    assert set(cloud.sleeps) == {7, 60}
    last_start = [call for call in cloud.calls if any("worker.sh start" in a for a in call)][-1]
    assert any("--workdir gs://bucket/run" in argument for argument in last_start)


def test_watch_does_not_delete_a_pod_for_one_look(cloud):
    cloud.states("ACTIVE", "SUSPENDED", "ACTIVE")
    cloud.nodes("run1,READY\n")
    cloud.looks("h0 running", "h0 finished")
    assert cloud.run("watch").returncode == 0
    assert cloud.deeds == []


def test_watch_gives_up_after_so_many_restarts_with_growing_waits(cloud):
    cloud.states("ACTIVE")
    cloud.nodes("run1,READY\n")
    cloud.looks("h0 failed 1\nh1 running")
    result = cloud.run("watch", "--max-restarts=5", "--backoff=300", "--interval=5")
    assert result.returncode == 1
    assert "gave up: 5 restarts in a row" in result.stdout
    assert [seconds for seconds in cloud.sleeps if seconds != 5] == [300, 600, 1200, 1800, 1800]
    assert cloud.deeds == ["stop", "start"] * 5


def test_restarts_after_long_training_are_not_counted(cloud):
    cloud.states("ACTIVE")
    cloud.nodes("run1,READY\n")
    cloud.looks(*["h0 failed 1", "h0 running", "h0 running"] * 3, "h0 finished")
    assert cloud.run("watch", "--max-restarts=1", "--healthy=0").returncode == 0
    assert cloud.deeds == ["stop", "start"] * 3


def test_watch_does_not_repeat_what_vidgen_refuses(cloud):
    cloud.states("ACTIVE")
    cloud.nodes("run1,READY\n")
    cloud.looks("h0 failed 2\nh1 failed 2")
    result = cloud.run("watch")
    assert result.returncode == 1 and "vidgen refused its input" in result.stdout
    assert cloud.deeds == []


def test_watch_goes_on_with_a_run_that_was_stopped(cloud):
    cloud.states("ACTIVE")
    cloud.nodes("run1,READY\n")
    cloud.looks("h0 stopped", "h0 absent", "h0 finished")
    assert cloud.run("watch").returncode == 0
    assert cloud.deeds == ["stop", "start", "start"]


@pytest.mark.parametrize(
    "answer", [{"err": "ssh: connection refused\n", "code": 255}, {"out": "vidgen-worker h0 running\n", "code": 1}, {}]
)
def test_watch_leaves_a_pod_alone_that_it_cannot_reach(cloud, answer):
    cloud.states("ACTIVE")
    cloud.nodes("run1,READY\n")
    cloud.answer("ssh", **answer)
    result = cloud.run("watch")
    assert result.returncode == 1 and "is left as it is" in result.stdout
    assert cloud.deeds == []


def test_watch_waits_out_a_cloud_that_does_not_answer(cloud):
    cloud.answer("describe", err=f"{DENIED}\n", code=1, times=3)
    cloud.states("ACTIVE")
    cloud.nodes("run1,READY\n")
    cloud.looks("h0 finished")
    result = cloud.run("watch")
    assert result.returncode == 0 and DENIED in result.stderr
    assert cloud.deeds == []


def test_watch_of_7x(cloud):
    machines = "run1-a,{}\nrun1-b,{}\n"
    for states in (("PROVISIONING", "RUNNING"), ("RUNNING", "RUNNING"), ("RUNNING", "STOPPED"), ("STOPPED", "STOPPED")):
        cloud.answer("list-instances", "csv", out=machines.format(*states), times=1)
    cloud.answer("list-instances", "csv", err="instanceGroupManagers/run1' was not found", code=1, times=2)
    cloud.answer("list-instances", "csv", out=machines.format("RUNNING", "RUNNING"))
    cloud.answer("list-instances", "value", out="run1-a\nrun1-b\n")
    cloud.looks(*["h running"] * 2, *["h finished"] * 2)
    result = cloud.run("watch", TYPE="7x:2x2x2")
    assert result.returncode == 0, result.stderr
    assert cloud.deeds == ["delete"] * 3 + ["create"] * 3
