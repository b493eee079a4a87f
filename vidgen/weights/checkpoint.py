# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training checkpoints on Orbax: asynchronous, atomic, the newest few kept, resumable after a kill at any moment.

One checkpoint is a folder named by its step that holds the state (arrays), data.json (the position of the data
iterator, one entry a process), config.json and the digests of all files. Orbax writes into a temporary folder and
renames it when everything is there, so that a save cut short leaves nothing that looks like a checkpoint. A file that
is damaged later is found by its digest before anything is read.
"""

import base64
import json
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from etils import epath
from orbax.checkpoint.checkpoint_managers import LatestN

from vidgen import trees
from vidgen.parallel import hosts
from vidgen.weights import digests

_BYTES = "__bytes__"


class Checkpoints:
    """The checkpoints of one run, in one directory.

    Use it as a context manager, or call `close()`, so that a save under way is finished before the program ends.

    Args:
      directory: a local path or a bucket (gs://...); made if it is missing, unless read_only.
      keep: how many of the newest checkpoints stay on disk, 1 or more.
      read_only: never writes or tidies; for reading the checkpoints of a run that may be training at this moment.

    Raises:
      ValueError: keep is below 1.
      FileNotFoundError: read_only and there is no such directory.
    """

    def __init__(self, directory: epath.PathLike, keep: int = 3, read_only: bool = False):
        if keep < 1:
            raise ValueError(f"keep is {keep}; at least 1 checkpoint must stay on disk")
        directory = epath.Path(directory)
        self.directory = directory if directory.is_absolute() else directory.absolute()  # a bucket stays as it is
        if read_only and not self.directory.is_dir():
            raise FileNotFoundError(f"no checkpoint directory {self.directory}")
        # Folders of saves that were cut short are removed by the writer; a reader must not, they may be in progress.
        options = ocp.CheckpointManagerOptions(
            preservation_policy=LatestN(keep),
            create=not read_only,
            cleanup_tmp_directories=not read_only,
            # Called by process 0 when all files are written and before the folder gets its name.
            async_options=ocp.AsyncOptions(post_finalization_callback=self._write_digests),
        )
        self._manager = ocp.CheckpointManager(
            self.directory,
            options=options,
            item_handlers={
                "state": ocp.PyTreeCheckpointHandler(),
                "data": ocp.JsonCheckpointHandler("data.json"),
                "config": ocp.JsonCheckpointHandler("config.json"),
            },
        )
        self._read_only = read_only
        self._unreadable: set[int] = set()
        self._saving = -1

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def steps(self) -> list[int]:
        """Steps on disk that were saved completely, oldest first."""
        return sorted(self._manager.all_steps())

    def latest(self) -> int | None:
        """The newest step, or None if there is none."""
        return max(self.steps(), default=None)

    def save(self, step: int, state: Any, data_state: Any, config_json: str, wait: bool = False) -> bool:
        """Saves one checkpoint; returns once the arrays are copied, and writes them in the background.

        Args:
          step: newer than all that are saved, or the newest itself, which is not written twice.
          state: any tree of JAX or NumPy arrays (optax named tuples included).
          data_state: this process's data iterator state, JSON-able or bytes.
          config_json: the experiment's configuration, JSON text.
          wait: return when the checkpoint is on disk.

        Returns:
          False if this step was saved before.

        Raises:
          ValueError: opened read_only, a newer step exists, or data_state or config_json is not JSON.
          Exception: whatever made the previous background save fail, a full disk for example.
        """
        if self._read_only:
            raise ValueError(f"{self.directory} was opened read_only; open it without to save")
        self._remove_unreadable()
        latest = self.latest()
        if latest is not None and step < latest:
            raise ValueError(
                f"step {step} is older than step {latest} in {self.directory}; "
                f"save to an empty directory, or delete the newer checkpoints first"
            )
        # As JSON at once: the iterator goes on while the background thread writes.
        data = [json.loads(text) for text in hosts.gather_texts(json.dumps(data_state, default=_encode_bytes))]
        args = ocp.args.Composite(
            state=ocp.args.PyTreeSave(state),
            data=ocp.args.JsonSave({"processes": data}),
            config=ocp.args.JsonSave(json.loads(config_json)),
        )
        self.wait()  # before the next step is named, whose digests the background thread will write
        self._saving = step
        saved = self._manager.save(step, args=args)  # False, and nothing done, if step is the latest
        if wait:
            self.wait()
        return saved

    def restore(self, step: int | None = None, *, like: Any) -> tuple[Any, Any, int] | None:
        """Restores a checkpoint bit for bit, to resume training.

        Args:
          step: which one; None takes the newest that can be read, and warns about each that it had to pass over.
          like: a tree of arrays or `jax.ShapeDtypeStruct`s of the state's structure, shapes and types; each array is
            placed as its counterpart here is sharded (on the default device if that does not say).

        Returns:
          (state, data_state, step), or None if nothing is saved yet.

        Raises:
          ValueError: the checkpoint holds another tree than `like`, or was written by another number of processes
            whose data positions differ.
          FileNotFoundError: there is no such step.
          RuntimeError: checkpoints exist, and none can be read; or the step that was asked for is damaged.
        """
        return self._newest_readable(step, like, whole=True)

    def restore_part(self, step: int | None = None, *, like: Any) -> tuple[Any, int] | None:
        """Restores a part of the state, such as {"ema": ...}, without data position: for sampling and export.

        Arguments, result and errors are those of `restore`, except that `like` may lack branches of the saved tree and
        that the number of processes does not matter.
        """
        found = self._newest_readable(step, like, whole=False)
        return None if found is None else (found[0], found[2])

    def config(self, step: int | None = None) -> str | None:
        """The configuration saved with a step (the newest if None), JSON text; None if nothing is saved yet.

        Raises:
          FileNotFoundError: there is no such step.
        """
        self.wait()
        if step is None:
            step = self.latest()
            if step is None:
                return None
        self._check_exists(step)
        restored = self._manager.restore(step, args=ocp.args.Composite(config=ocp.args.JsonRestore()))
        return json.dumps(restored["config"])

    def wait(self) -> None:
        """Returns when a save under way is on disk; raises what made it fail."""
        self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits for a save under way and frees the threads."""
        self._manager.close()

    def _check_exists(self, step: int) -> None:
        if step not in self.steps():
            raise FileNotFoundError(f"no step {step} in {self.directory}; saved steps: {self.steps()}")

    def _newest_readable(self, step: int | None, like: Any, whole: bool) -> tuple[Any, Any, int] | None:
        """(state, data, step) of one step, or with None as step of the newest that can be read."""
        self.wait()
        if step is not None:
            self._check_exists(step)
            if reason := self._damage(step, self.steps()):
                raise RuntimeError(f"checkpoint step {step} in {self.directory} cannot be read ({reason}); use another")
            return *self._read(step, like, whole), step
        steps = self.steps()
        for chosen in reversed(steps):
            reason = self._damage(chosen, steps)
            try:
                if not reason:
                    return *self._read(chosen, like, whole), chosen
            except _MismatchError:
                raise
            except Exception as error:  # noqa: BLE001 - Orbax and TensorStore raise many types for a damaged file
                reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
            self._unreadable.add(chosen)
            warnings.warn(
                f"checkpoint step {chosen} in {self.directory} cannot be read and is passed over ({reason})",
                RuntimeWarning,
                stacklevel=3,
            )
        if steps:
            raise RuntimeError(
                f"none of the checkpoints {steps} in {self.directory} can be read; start in an empty directory"
            )
        return None

    def _damage(self, step: int, steps: list[int]) -> str:
        """What is wrong with a step's files, "" if nothing is; process 0 looks, and all get its answer.

        A step without digests is trusted only where no step has any, as in directories of version 0.1.
        """
        reason = ""
        if hosts.is_first():
            if digests.has_digests(self.directory / str(step)):
                reason = digests.damage(self.directory / str(step))
            elif any(digests.has_digests(self.directory / str(other)) for other in steps):
                reason = f"{digests.NAME} is missing"
        return hosts.gather_texts(reason)[0]

    def _write_digests(self) -> None:
        """Describes the save that is about to be finished, under its temporary name (in a bucket it has none)."""
        temporary = f"{self._saving}.orbax-checkpoint-tmp"
        (folder,) = (
            path
            for path in self.directory.iterdir()
            if path.name == str(self._saving) or path.name.startswith(temporary)
        )
        digests.write_digests(folder)

    def _read(self, step: int, like: Any, whole: bool) -> tuple[Any, Any]:
        saved = trees.flatten_names(self._manager.item_metadata(step)["state"].tree)
        _check_same(saved, like, f"checkpoint step {step} in {self.directory}", whole)
        target = jax.tree.map(_placed, like)
        restore_state = ocp.args.PyTreeRestore(
            target, restore_args=ocp.checkpoint_utils.construct_restore_args(target), partial_restore=not whole
        )
        if not whole:
            return self._manager.restore(step, args=ocp.args.Composite(state=restore_state))["state"], None
        restored = self._manager.restore(
            step, args=ocp.args.Composite(state=restore_state, data=ocp.args.JsonRestore())
        )
        data = restored["data"]["processes"]
        if all(position == data[0] for position in data):  # it counts whole batches, so that it is anyone's
            return restored["state"], _decode_bytes(data[0])
        if len(data) != jax.process_count():
            raise _MismatchError(
                f"checkpoint step {step} in {self.directory} holds the data positions of {len(data)} processes and "
                f"this run has {jax.process_count()}; resume with {len(data)}"
            )
        return restored["state"], _decode_bytes(data[jax.process_index()])

    def _remove_unreadable(self) -> None:
        """Deletes checkpoints that `restore` had to pass over: their steps are about to be saved anew."""
        for step in sorted(self._unreadable & set(self.steps())):
            self._manager.delete(step)
        self._unreadable.clear()


class _MismatchError(ValueError):
    """The checkpoint is sound and does not fit the run: falling back to an older one would hide it."""


def _check_same(saved: dict[str, Any], like: Any, where: str, whole: bool) -> None:
    """Compares names, shapes and types, since Orbax would cast, and cut or pad, without a word."""
    wanted = trees.flatten_names(like)
    wrong = [f"{name} is wanted and not saved" for name in wanted if name not in saved]
    if whole:
        wrong += [f"{name} is saved and not wanted" for name in saved if name not in wanted]
    for name in wanted.keys() & saved.keys():
        want, have = _shape_and_type(wanted[name]), _shape_and_type(saved[name])
        if want != have:
            wrong.append(f"{name} is {have[1]}{list(have[0])} and {want[1]}{list(want[0])} is wanted")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise _MismatchError(f"{where} holds another state: {'; '.join(sorted(wrong)[:5])}{more}")


def _shape_and_type(leaf: Any) -> tuple[tuple[int, ...], str]:
    if isinstance(leaf, jax.Array | jax.ShapeDtypeStruct) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.eval_shape(jax.random.key_data, leaf)  # Orbax stores a random key as its words.
    return tuple(leaf.shape), np.dtype(leaf.dtype).name


def _placed(leaf: Any) -> Any:
    """Gives an abstract leaf without sharding the default device; Orbax would use the one that it was saved from."""
    if isinstance(leaf, jax.ShapeDtypeStruct) and leaf.sharding is None:
        device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=device)
    return leaf


def _encode_bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    raise ValueError(f"data_state holds a {type(value).__name__}; it must be JSON-able or bytes")


def _decode_bytes(value: Any) -> Any:
    """Undoes `_encode_bytes` at any depth."""
    if isinstance(value, dict):
        if value.keys() == {_BYTES}:
            return base64.b64decode(value[_BYTES])
        return {key: _decode_bytes(item) for key, item in value.items()}
    return [_decode_bytes(item) for item in value] if isinstance(value, list) else value
