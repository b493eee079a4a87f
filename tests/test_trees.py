# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Names of leaves are unique and invertible, casts touch floats alone, averages converge, keys depend on the name."""

import subprocess
import sys

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

from vidgen import trees

KEYS = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=5)
NESTED = st.recursive(st.integers(), lambda leaf: st.dictionaries(KEYS, leaf, min_size=1, max_size=3), max_leaves=8)


@given(st.dictionaries(KEYS, NESTED, min_size=1, max_size=3))
def test_unflatten_inverts_flatten_names(tree):
    assert trees.unflatten(trees.flatten_names(tree)) == tree


def test_names_are_paths():
    tree = {"block": {"kernel": 1, "scales": (2, 3)}}
    assert trees.flatten_names(tree) == {"block/kernel": 1, "block/scales/0": 2, "block/scales/1": 3}


@pytest.mark.parametrize("tree", [{"a/b": 1}, {"a": {"b/c": 1}}])
def test_a_separator_inside_a_key_is_refused(tree):
    with pytest.raises(ValueError, match="may not contain '/'"):
        trees.flatten_names(tree)


@pytest.mark.parametrize("names", [{"a": 1, "a/b": 2}, {"a/b": 2, "a": 1}, {"a": {}, "a/b": 1}])
def test_a_leaf_is_not_a_folder(names):
    with pytest.raises(ValueError, match="is a leaf and the folder"):
        trees.unflatten(names)


def test_count_counts_elements_of_arrays_and_shapes():
    tree = {"a": np.zeros((2, 3)), "b": jax.ShapeDtypeStruct((4,), jnp.float32), "c": np.zeros(())}
    assert trees.count(tree) == 11


def test_cast_changes_floats_alone():
    key = jax.random.key(0)
    cast = trees.cast({"w": jnp.ones(2), "n": jnp.arange(2), "m": jnp.array([True]), "key": key}, jnp.bfloat16)
    assert (cast["w"].dtype, cast["n"].dtype, cast["m"].dtype) == (jnp.bfloat16, jnp.int32, jnp.bool_)
    assert cast["key"].dtype == key.dtype


@given(st.floats(0, 1, width=32))
def test_ema_moves_by_one_minus_decay_in_its_own_dtype(decay):
    ema, params = {"w": jnp.array([1.0, -2.0])}, {"w": jnp.array([3.0, 2.0], jnp.bfloat16)}
    moved = trees.ema_update(ema, params, decay)["w"]
    assert moved.dtype == jnp.float32
    np.testing.assert_allclose(moved, decay * np.array([1.0, -2.0]) + (1 - decay) * np.array([3.0, 2.0]), atol=1e-6)


def test_ema_of_a_constant_is_the_constant():
    params = {"w": jnp.array([0.1, 7.3])}
    assert jnp.array_equal(trees.ema_update(params, params, 0.999)["w"], params["w"])


def test_keys_by_name_differ_and_survive_the_process():
    key = jax.random.key(3)
    here = jax.random.key_data(trees.fold_in_str(key, "noise")).tolist()
    assert here != jax.random.key_data(trees.fold_in_str(key, "time")).tolist()
    assert here != jax.random.key_data(key).tolist()
    # Python's hash() of a string differs between processes; the key must not.
    code = (
        "import jax; from vidgen.trees import fold_in_str; "
        "print(jax.random.key_data(fold_in_str(jax.random.key(3), 'noise')).tolist())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == str(here)
