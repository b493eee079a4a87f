# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Fits the network of `detect` that names shapes, to renders alone, and writes its weights.

    python -m vidgen.worlds.solids.build_detector [SCENES]

Renders are blurred, resized and made noisy, as a video autoencoder does.
"""

import dataclasses
import sys

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import save_file

from vidgen.worlds.solids.detect import WEIGHTS, find_regions
from vidgen.worlds.solids.draw import ORBITS, SolidConfig, draw_solids
from vidgen.worlds.solids.render import shoot
from vidgen.worlds.solids.scene import SHAPES

HIDDEN, STEPS, BATCH, RATE, DECAY = 32, 3000, 256, 2e-3, 0.02
FIRST_SEED = 1_000_000
"""Scenes from here on are for fitting; measurements use seeds below."""
REST = SolidConfig(solids=(2, 5), plays=("rest",), frames=1)
MOVING = SolidConfig(solids=(2, 5), plays=("drop", "topple", "slide"), frames=5)
AROUND = dataclasses.replace(ORBITS, views=("still",), frames=1)
"""Pictures of solids at rest, near and far; and clips in which they fall, of which the middle and the end are taken."""
SEEN = 0.9
"""Share of a solid that must be visible, for its region to be an example of its shape."""


def examples(scenes: int, seed: int = FIRST_SEED) -> tuple[np.ndarray, np.ndarray]:
    """Patches float32 [N, 2, PATCH, PATCH] of regions in rendered scenes, and the row of SHAPES of each, int [N]."""
    rng = np.random.default_rng(seed)
    patches, labels = [], []
    for at in range(scenes):
        scene = draw_solids((REST, MOVING, AROUND)[at % 3], seed + at)
        shot = shoot(scene)
        clear_FHWC = shot.frames_FHWC[::-2][:2]
        own_FN = shot.segments_FHWN[::-2][:2].sum((1, 2))
        worn_FHWC = np.stack([_worn(frame, rng) for frame in clear_FHWC])
        for frame, own_N in zip((*clear_FHWC, *worn_FHWC), (*own_FN, *own_FN), strict=True):
            for found in find_regions(frame):
                row = next((n for n, solid in enumerate(scene.solids) if solid.color == found.color), None)
                # Its region is as large as what the renderer shows of it: it is not half hidden, nor two in one.
                if row is not None and found.whole and SEEN < found.area / max(own_N[row], 1) < 2 - SEEN:
                    patches.append(found.patch_2HW)
                    labels.append(SHAPES.index(scene.solids[row].shape))
    return np.stack(patches), np.array(labels)


def _worn(frame_HWC: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blurred, a little brighter or darker, and noisy."""
    worn = cv2.GaussianBlur(frame_HWC, (0, 0), float(rng.uniform(0.3, 1.1))).astype(np.float32)
    worn = worn * rng.uniform(0.9, 1.1) + rng.normal(0, rng.uniform(0, 6), worn.shape)
    return np.clip(worn, 0, 255).astype(np.uint8)


def fit(patches_N2HW: np.ndarray, labels_N: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of the network: one hidden layer of rectified units, by AdamW on the cross entropy."""
    inputs_ND = jnp.asarray(patches_N2HW.reshape(len(patches_N2HW), -1))
    keys = jax.random.split(jax.random.key(seed), 3)
    width = inputs_ND.shape[1]
    params = {
        "w0": jax.random.normal(keys[0], (width, HIDDEN)) * (2 / width) ** 0.5,
        "b0": jnp.zeros(HIDDEN),
        "w1": jax.random.normal(keys[1], (HIDDEN, len(SHAPES))) * HIDDEN**-0.5,
        "b1": jnp.zeros(len(SHAPES)),
    }
    optimizer = optax.adamw(optax.cosine_decay_schedule(RATE, STEPS), weight_decay=DECAY)

    def loss_fn(params, inputs_BD, labels_B):
        hidden = jax.nn.relu(inputs_BD @ params["w0"] + params["b0"])
        logits = hidden @ params["w1"] + params["b1"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels_B).mean()

    def step(carry, key):
        params, state = carry
        rows_B = jax.random.randint(key, (BATCH,), 0, len(labels_N))
        loss, grads = jax.value_and_grad(loss_fn)(params, inputs_ND[rows_B], jnp.asarray(labels_N)[rows_B])
        updates, state = optimizer.update(grads, state, params)
        return (optax.apply_updates(params, updates), state), loss

    carry = (params, optimizer.init(params))
    (params, _), _ = jax.jit(lambda carry: jax.lax.scan(step, carry, jax.random.split(keys[2], STEPS)))(carry)
    return {name: np.asarray(value, np.float16) for name, value in params.items()}


def main() -> None:
    """Fits the network and writes it beside the detector."""
    patches_N2HW, labels_N = examples(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    save_file(fit(patches_N2HW, labels_N), WEIGHTS)


if __name__ == "__main__":
    main()
