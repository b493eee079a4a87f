# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint comes back bit for bit, or is passed over by name; no moment to be killed leaves a broken directory."""

import gc
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from etils import epath

from vidgen.weights import digests
from vidgen.weights.checkpoint import Checkpoints

CONFIG = json.dumps({"name": "tiny", "lr": 1e-3})


@jax.jit
def make_state(seed):
    """Parameters, EMA and AdamW state after some updates, in several float types, nested as optax nests them."""
    key = jax.random.key(seed)
    params = {
        "block": {"kernel": jax.random.normal(key, (7, 5)), "scale": jnp.full((5,), 1 / 3, jnp.bfloat16)},
        "layers": [jax.random.normal(key, (3,)), jnp.float32(seed)],
    }
    tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(optax.linear_schedule(0.0, 1e-3, 10)))
    opt_state = tx.init(params)
    ema = params
    for _ in range(2):
        grads = jax.tree.map(lambda p: jnp.sin(p) + 0.1, params)
        updates, opt_state = tx.update(grads, opt_state, params)
        params = optax.apply_updates(params, updates)
    return {"params": params, "ema": ema, "opt_state": opt_state, "step": jnp.int32(seed), "key": key, "none": None}


def assert_bit_equal(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert x.dtype == y.dtype and x.shape == y.shape
        if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key):
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def test_round_trip_is_bit_equal(tmp_path):
    state = make_state(3)
    state["params"]["layers"][1] = jnp.float32(np.nan)
    data_state = {"position": 17, "nested": {"seen": [1, 2, 3], "raw": b"\x00\xff"}}
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.latest() is None
        assert checkpoints.restore(like=state) is None
        assert checkpoints.config() is None
        assert checkpoints.save(3, state, data_state, CONFIG)
        data_state["position"] = 99  # the save is in the background and must not see this
        checkpoints.wait()
    with Checkpoints(tmp_path) as checkpoints:
        restored, data, step = checkpoints.restore(like=make_state(0))
        assert step == 3 == checkpoints.latest()
        assert data == {"position": 17, "nested": {"seen": [1, 2, 3], "raw": b"\x00\xff"}}
        assert json.loads(checkpoints.config()) == json.loads(CONFIG)
    assert_bit_equal(restored, state)


def test_bytes_as_data_state(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"w": jnp.ones(2)}, b'{"grain": 1}', CONFIG, wait=True)
        assert checkpoints.restore(like={"w": jnp.zeros(2)})[1] == b'{"grain": 1}'


def test_restores_into_abstract_and_sharded_trees(tmp_path):
    state = make_state(1)
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("data",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
    abstract = jax.eval_shape(lambda: state)
    abstract["params"]["block"]["kernel"] = jax.ShapeDtypeStruct((7, 5), jnp.float32, sharding=sharding)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state, {}, CONFIG, wait=True)
        restored, _, _ = checkpoints.restore(like=abstract)
    assert_bit_equal(restored, state)
    assert restored["params"]["block"]["kernel"].sharding == sharding


def test_restores_across_device_counts(tmp_path):
    if len(jax.devices()) < 4:
        pytest.skip("needs 4 devices (jax_num_cpu_devices)")
    spec = jax.sharding.PartitionSpec("data")

    def place(devices):
        mesh = jax.sharding.Mesh(np.array(jax.devices()[:devices]), ("data",))
        return {"w": jax.device_put(jnp.arange(24.0).reshape(8, 3), jax.sharding.NamedSharding(mesh, spec))}

    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, place(4), {}, CONFIG, wait=True)
        restored, _, _ = checkpoints.restore(like=place(2))
    assert_bit_equal(restored, place(4))
    assert len(restored["w"].sharding.device_set) == 2


def test_donating_the_state_right_after_save_does_not_change_what_is_saved(tmp_path):
    update = jax.jit(lambda x: x * 0 - 1, donate_argnums=0)
    state = {"w": jnp.arange(1 << 20, dtype=jnp.float32)}
    want = np.arange(1 << 20, dtype=np.float32)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state, {}, CONFIG)
        jax.block_until_ready(update(state["w"]))
        (restored, _, _) = checkpoints.restore(like={"w": jax.ShapeDtypeStruct(want.shape, want.dtype)})
    np.testing.assert_array_equal(restored["w"], want)


def test_leaving_the_context_finishes_the_save(tmp_path):
    state = {"w": jnp.zeros((1024, 2048))}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state, {}, CONFIG)
    assert (tmp_path / "1" / "state").is_dir()


def test_data_positions_of_another_number_of_processes_are_refused(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"w": jnp.ones(2)}, {"position": 1}, CONFIG, wait=True)
        file = tmp_path / "1" / "data" / "data.json"
        file.write_text(json.dumps({"processes": [{"position": 1}, {"position": 2}]}))
        digests.write_digests(epath.Path(tmp_path / "1"))
        with pytest.raises(ValueError, match="data positions of 2 processes and this run has 1"):
            checkpoints.restore(like={"w": jnp.zeros(2)})
        assert checkpoints.restore_part(like={"w": jnp.zeros(2)})[1] == 1
        file.write_text(json.dumps({"processes": [{"position": 3}, {"position": 3}]}))
        digests.write_digests(epath.Path(tmp_path / "1"))
        assert checkpoints.restore(like={"w": jnp.zeros(2)})[1] == {"position": 3}  # one that suits any number


ONE_OF_TWO = """
import sys
import jax
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 1)
index = int(sys.argv[1])
jax.distributed.initialize(sys.argv[2], num_processes=2, process_id=index)
import jax.numpy as jnp, numpy as np
from vidgen.weights.checkpoint import Checkpoints

mesh = jax.sharding.Mesh(np.array(jax.devices()), ("data",))
sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
whole = np.arange(8, dtype=np.float32)
state = {"w": jax.make_array_from_callback((8,), sharding, lambda part: whole[part])}
position = {"position": "one" if index else "null, and a longer text"}
with Checkpoints(sys.argv[3]) as checkpoints:
    checkpoints.save(1, state, position, "{}", wait=True)
    restored, data, step = checkpoints.restore(like=jax.tree.map(jnp.zeros_like, state))
assert data == position, data
(shard,) = restored["w"].addressable_shards
np.testing.assert_array_equal(shard.data, whole[4 * index : 4 * index + 4])
"""


def test_two_processes_get_their_own_data_positions_and_shards(tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    # Not this suite's eight devices a process, if the environment asks for them.
    environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_OF_TWO, str(index), address, str(tmp_path)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    try:
        for process in both:
            _, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors[-3000:]
    finally:
        for process in both:
            process.kill()
            process.wait()


def test_keeps_the_newest(tmp_path):
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        for step in (10, 20, 30, 40):
            checkpoints.save(step, {"w": jnp.full(3, step)}, {}, CONFIG)
        checkpoints.wait()
        assert checkpoints.steps() == [30, 40]
        restored, _, step = checkpoints.restore(30, like={"w": jnp.zeros(3, jnp.int32)})
        assert step == 30 and int(restored["w"][0]) == 30
        with pytest.raises(FileNotFoundError, match=r"no step 10 .* \[30, 40\]"):
            checkpoints.restore(10, like={"w": jnp.zeros(3, jnp.int32)})


def test_saving_a_step_again_does_nothing_and_an_older_one_is_an_error(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.save(10, {"w": jnp.ones(3)}, {}, CONFIG)
        assert not checkpoints.save(10, {"w": jnp.zeros(3)}, {}, CONFIG, wait=True)
        assert float(checkpoints.restore(like={"w": jnp.zeros(3)})[0]["w"][0]) == 1
        with pytest.raises(ValueError, match="step 5 is older than step 10"):
            checkpoints.save(5, {"w": jnp.ones(3)}, {}, CONFIG)


def test_restore_part(tmp_path):
    state = make_state(4)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(4, state, {"position": 1}, CONFIG, wait=True)
        part, step = checkpoints.restore_part(like={"ema": make_state(0)["ema"]})
        with pytest.raises(ValueError, match="teacher/w is wanted and not saved"):
            checkpoints.restore_part(like={"teacher": {"w": jnp.ones(3)}})
    assert step == 4
    assert_bit_equal(part, {"ema": state["ema"]})


@pytest.mark.parametrize(
    ("like", "message"),
    [
        ({"w": jnp.zeros((2, 3)), "b": jnp.zeros(3)}, r"w is float32\[3, 2\] and float32\[2, 3\] is wanted"),
        ({"w": jnp.zeros((3, 2), jnp.bfloat16), "b": jnp.zeros(3)}, r"w is float32\[3, 2\] and bfloat16\[3, 2\]"),
        ({"w": jnp.zeros((3, 2))}, "b is saved and not wanted"),
        ({"w": jnp.zeros((3, 2)), "b": jnp.zeros(3), "c": jnp.zeros(3)}, "c is wanted and not saved"),
    ],
)
def test_another_tree_is_an_error_and_not_passed_over(tmp_path, like, message):
    with Checkpoints(tmp_path) as checkpoints:
        for step in (1, 2):
            checkpoints.save(step, {"w": jnp.ones((3, 2)), "b": jnp.ones(3)}, {}, CONFIG, wait=True)
        with pytest.raises(ValueError, match=f"step 2 .*{message}"):
            checkpoints.restore(like=like)


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="keep is 0"):
        Checkpoints(tmp_path, keep=0)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Checkpoints(tmp_path / "nowhere", read_only=True)
    assert not (tmp_path / "nowhere").exists()
    with Checkpoints(tmp_path) as checkpoints:
        with pytest.raises(ValueError, match="data_state holds a object"):
            checkpoints.save(1, {"w": jnp.ones(2)}, {"x": object()}, CONFIG)
        with pytest.raises(json.JSONDecodeError):
            checkpoints.save(1, {"w": jnp.ones(2)}, {}, "not json")
        assert checkpoints.steps() == []


def test_a_reader_leaves_a_save_in_progress_alone(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"w": jnp.ones(2)}, {}, CONFIG, wait=True)
        unfinished = tmp_path / "2.orbax-checkpoint-tmp-7"
        shutil.copytree(tmp_path / "1", unfinished)
        with Checkpoints(tmp_path, read_only=True) as reader:
            assert reader.steps() == [1]
            assert reader.restore(like={"w": jnp.zeros(2)})[2] == 1
            with pytest.raises(ValueError, match="opened read_only"):
                reader.save(2, {"w": jnp.ones(2)}, {}, CONFIG)
        assert unfinished.is_dir()


# When one array of a damaged step fails to load, TensorStore finishes reading the others after Orbax has closed its
# event loop, and Python reports their callbacks as unraisable; this is noise, and only here.
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_truncating_any_file_of_the_newest_step_loses_at_most_that_step(tmp_path):
    """Each file in turn is cut to half: the newest step comes back whole, or the one before does with a warning."""
    state = {"w": jax.random.normal(jax.random.key(0), (200, 50)), "b": jnp.ones(3)}
    older = jax.tree.map(lambda x: x + 1, state)
    run = tmp_path / "run"
    with Checkpoints(run) as checkpoints:
        checkpoints.save(1, older, {"position": 1}, CONFIG)
        checkpoints.save(2, state, {"position": 2}, CONFIG, wait=True)
    passed_over = set()
    for number, file in enumerate(sorted(p for p in (run / "2").rglob("*") if p.is_file())):
        copy = tmp_path / f"copy{number}"
        shutil.copytree(run, copy)
        damaged = copy / file.relative_to(run)
        os.truncate(damaged, damaged.stat().st_size // 2)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RuntimeWarning)
            with Checkpoints(copy) as checkpoints:
                restored, data, step = checkpoints.restore(like=state)
        assert_bit_equal(restored, {1: older, 2: state}[step])
        assert data == {"position": step}
        messages = [str(w.message) for w in caught if w.category is RuntimeWarning]
        assert len(messages) == (step == 1)
        if step == 1:
            assert f"checkpoint step 2 in {copy} cannot be read and is passed over" in messages[0]
            passed_over.add(file.name)
    assert {"data.json", "_METADATA", "manifest.ocdbt"} <= passed_over
    gc.collect()


@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_a_step_passed_over_is_saved_anew(tmp_path):
    """Training goes on from the older step and reaches the damaged one again: it must not be kept in its place."""
    like = {"w": jnp.zeros(3)}
    with Checkpoints(tmp_path) as checkpoints:
        for step in (1, 2):
            checkpoints.save(step, {"w": jnp.full(3, float(step))}, {}, CONFIG, wait=True)
    os.truncate(tmp_path / "2" / "state" / "manifest.ocdbt", 0)
    with Checkpoints(tmp_path) as checkpoints:
        with pytest.warns(RuntimeWarning, match="step 2 .* passed over"):
            assert checkpoints.restore(like=like)[2] == 1
        assert checkpoints.save(2, {"w": jnp.full(3, 20.0)}, {}, CONFIG, wait=True)
        restored, _, step = checkpoints.restore(like=like)
        assert (step, float(restored["w"][0])) == (2, 20.0)
    for step in (1, 2):
        os.truncate(tmp_path / str(step) / "state" / "manifest.ocdbt", 0)
    with Checkpoints(tmp_path) as checkpoints, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        with pytest.raises(RuntimeError, match=r"none of the checkpoints \[1, 2\]"):
            checkpoints.restore(like=like)
    gc.collect()


SAVE_FOREVER = """
import sys
import jax, jax.numpy as jnp
from vidgen.weights.checkpoint import Checkpoints

def state(step):
    return {"w": jax.random.normal(jax.random.key(step), (512, 1024)), "step": jnp.int32(step)}

checkpoints = Checkpoints(sys.argv[1], keep=2)
found = checkpoints.restore(like=state(0))
step = 0 if found is None else found[2]
while True:
    step += 1
    checkpoints.save(step, state(step), {"step": step}, "{}")
"""


def test_kill_in_the_middle_of_a_save_leaves_a_directory_to_resume_from(tmp_path):
    """kill -9 when a temporary folder is seen, twice over one run: the newest whole step always comes back."""
    like = {"w": jnp.zeros((512, 1024)), "step": jnp.int32(0)}
    reached, cut_short = 0, 0
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", SAVE_FOREVER, str(tmp_path)]) as process:
            try:
                deadline = time.monotonic() + 240
                while True:
                    steps = [int(p.name) for p in tmp_path.iterdir() if p.name.isdigit()]
                    if max(steps, default=0) >= reached + 3 and any("tmp" in p.name for p in tmp_path.iterdir()):
                        break
                    assert process.poll() is None, "the saving process ended by itself"
                    assert time.monotonic() < deadline, f"no new steps, {steps}"
            finally:
                process.kill()
        cut_short += any("tmp" in p.name for p in tmp_path.iterdir())
        with Checkpoints(tmp_path, read_only=True) as checkpoints:
            restored, data, step = checkpoints.restore(like=like)
        assert step >= reached + 3
        assert data == {"step": step}
        assert_bit_equal(restored, {"w": jax.random.normal(jax.random.key(step), (512, 1024)), "step": jnp.int32(step)})
        reached = step
    assert cut_short > 0, "no kill fell into a save, so that nothing was tested"
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(reached + 9, like, {}, "{}", wait=True)
    assert not any("tmp" in p.name for p in tmp_path.iterdir()), "the next save tidies up after the kill"
