# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Matmuls are counted in what a function asks for, however it is wrapped."""

import functools

import jax
import jax.numpy as jnp
import pytest

from vidgen.models.layers import matmul
from vidgen.parallel.program import product_flops

ROWS, WIDTH, OUT = 6, 8, 10
ONE = 2 * ROWS * WIDTH * OUT
X = jax.ShapeDtypeStruct((ROWS, WIDTH), jnp.float32)
W = jax.ShapeDtypeStruct((WIDTH, OUT), jnp.float32)


def test_a_product_counts_wherever_it_stands():
    assert product_flops(jnp.matmul, X, W) == ONE
    assert product_flops(jax.jit(jnp.matmul), X, W) == ONE
    assert product_flops(lambda x, w: matmul(x, w, jnp.bfloat16), X, W) == ONE  # with a backward pass of its own
    assert product_flops(jax.checkpoint(jnp.matmul), X, W) == ONE
    assert product_flops(lambda x, w: jnp.einsum("...d,do->o...", x[None], w), X, W) == ONE
    assert product_flops(lambda x, w: x.sum() + w.sum(), X, W) == 0


def test_loops_count_in_full_and_of_branches_the_dearest():
    def loop(x, w):
        return jax.lax.scan(lambda s, _: (s + (x @ w).sum(), None), 0.0, length=7)[0]

    assert product_flops(loop, X, W) == 7 * ONE

    def one(x, w):
        return (x @ w).sum()

    def branch(x, w):
        return jax.lax.cond(x.sum() > 0, functools.partial(loop, x, w), functools.partial(one, x, w))

    assert product_flops(branch, X, W) == 7 * ONE


def test_a_loop_of_unknown_length_is_refused():
    def add(x, w, s):
        return s + jnp.sum(x @ w)

    def until(x, w):
        return jax.lax.while_loop(lambda s: s < 1, functools.partial(add, x, w), 0.0)

    with pytest.raises(ValueError, match="as often as its data say"):
        product_flops(until, X, W)


def test_a_gradient_costs_two_products_more():
    gradient = jax.grad(lambda x, w: jnp.sum((x @ w) ** 2), argnums=(0, 1))
    assert product_flops(gradient, X, W) == 3 * ONE
