# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Released weights come back under their names, rounded as asked, and a wrong file is refused in words."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen.weights.safetensors import check_shapes, load_params, save_params

ROUND = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32}


def params():
    key = jax.random.key(0)
    return {
        "blocks": {"attention.q": {"kernel": jax.random.normal(key, (3, 4, 2)), "scale": jnp.float32(0.1)}},
        "embed": np.asarray(jax.random.normal(key, (5, 3))).T,  # not contiguous
        "table": jnp.arange(6, dtype=jnp.int32),
        "columns": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
        "half": jnp.full((2,), 1 / 3, jnp.bfloat16),
        "empty": jnp.zeros((0, 3)),
    }


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_round_trip(tmp_path, dtype):
    saved = params()
    save_params(
        tmp_path / "w.safetensors", saved, dtype, {"config": {"width": 8}, "name": "tiny", "scores": [1.5, None]}
    )
    loaded, metadata = load_params(tmp_path / "w.safetensors")
    assert metadata == {"config": {"width": 8}, "name": "tiny", "scores": [1.5, None]}
    assert jax.tree.structure(loaded) == jax.tree.structure(saved)
    check_shapes(loaded, saved)

    def compare(got, want):
        assert isinstance(got, np.ndarray)
        want = np.asarray(want)
        if want.dtype == np.int32:
            assert got.dtype == np.int32
        else:
            assert got.dtype == np.float32
            want = want.astype(ROUND[dtype]).astype(np.float32)
        np.testing.assert_array_equal(got, want)

    jax.tree.map(compare, loaded, saved)
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_float16_is_half_the_file(tmp_path):
    weights = {"w": jnp.zeros((100, 100))}
    for dtype in ("float16", "float32"):
        save_params(tmp_path / dtype, weights, dtype)
    assert (tmp_path / "float32").stat().st_size - (tmp_path / "float16").stat().st_size == 20_000


names = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=5)
trees_of_arrays = st.recursive(
    st.integers(0, 3).map(lambda n: np.arange(n, dtype=np.float32)),
    lambda children: st.dictionaries(names, children, min_size=1, max_size=3),
    max_leaves=6,
).filter(lambda tree: isinstance(tree, dict))


@settings(max_examples=30, deadline=None)
@given(trees_of_arrays)
def test_any_nested_dictionary_comes_back(tmp_path_factory, tree):
    path = tmp_path_factory.mktemp("w") / "w.safetensors"
    save_params(path, tree, "float32")
    loaded, metadata = load_params(path)
    assert metadata == {}
    assert jax.tree.structure(loaded) == jax.tree.structure(tree)
    jax.tree.map(np.testing.assert_array_equal, loaded, tree)


def test_refuses_to_overflow(tmp_path):
    with pytest.raises(ValueError, match=r"a/w holds 1e\+05, too large for float16"):
        save_params(tmp_path / "w", {"a": {"w": jnp.array([1.0, -1e5])}}, "float16")
    assert list(tmp_path.iterdir()) == []
    save_params(tmp_path / "w", {"a": {"w": jnp.array([1.0, -1e5, jnp.inf])}}, "bfloat16")


def test_a_save_that_fails_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    save_params(path, {"w": jnp.ones(3)})

    def full_disk(arrays, where, metadata):
        where.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(safetensors.numpy, "save_file", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_params(path, {"w": jnp.zeros(3)})
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]
    np.testing.assert_array_equal(load_params(path)[0]["w"], np.ones(3))


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="dtype is 'int8'; it must be one of float16, bfloat16, float32"):
        save_params(tmp_path / "w", {"w": jnp.ones(2)}, "int8")
    with pytest.raises(ValueError, match="no arrays"):
        save_params(tmp_path / "w", {})
    with pytest.raises(TypeError):
        save_params(tmp_path / "w", {"w": jnp.ones(2)}, metadata={"x": object()})


def test_wrong_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weights file .*gone\.safetensors"):
        load_params(tmp_path / "gone.safetensors")
    (tmp_path / "text").write_text("these are no weights, whatever the name says")
    with pytest.raises(ValueError, match="text is not a complete safetensors file"):
        load_params(tmp_path / "text")
    save_params(tmp_path / "whole", {"w": jnp.ones((20, 20))})
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:-7])
    with pytest.raises(ValueError, match="cut is not a complete safetensors file"):
        load_params(tmp_path / "cut")
    safetensors.numpy.save_file({"w": np.ones(2)}, tmp_path / "foreign", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="foreign was not written by save_params"):
        load_params(tmp_path / "foreign")


def test_check_shapes_names_what_differs():
    like = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), params())
    check_shapes(params(), like)
    wrong = params()
    wrong["embed"] = wrong["embed"].T
    del wrong["blocks"]["attention.q"]["scale"]
    wrong["extra"] = jnp.zeros(2)
    with pytest.raises(ValueError, match="another network") as caught:
        check_shapes(wrong, like)
    message = str(caught.value)
    assert "blocks/attention.q/scale () is missing" in message
    assert "embed is (5, 3) and the network wants (3, 5)" in message
    assert "extra (2,) is not in the network" in message
    assert "kernel" not in message
    with pytest.raises(ValueError, match="and 2 more"):
        check_shapes({f"p{n}": jnp.zeros(1) for n in range(7)}, {})
