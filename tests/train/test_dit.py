# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The transformer's loss, and a whole small run: latents, images and clips mixed, a model that can be sampled."""

import dataclasses
import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen import train, trees
from vidgen.config import load_experiment
from vidgen.data.packing import PackingConfig
from vidgen.diffusion.loss import masked_mean
from vidgen.diffusion.times import TimeConfig
from vidgen.models.dit import DiTConfig
from vidgen.models.text import TextConfig
from vidgen.sample.autoencoder import load_autoencoder
from vidgen.sample.card import Card
from vidgen.sample.pipeline import assemble, load_card, load_pipeline
from vidgen.sample.program import Networks
from vidgen.sample.sampler import SampleConfig
from vidgen.train.cells import AlignmentConfig, Truth, cell_loss, init_reader
from vidgen.train.dit import DiTTraining, init_params
from vidgen.train.flow import Objective, dit_loss
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData
from vidgen.train.tasks import TaskMix
from vidgen.weights.safetensors import load_params

TINY = load_experiment(Path(__file__).with_name("tiny.py"))
NETWORKS = Networks(
    TINY.model,
    TextConfig(width=8, heads=2, hidden=8, layers=1),
    DiTConfig(channels=4, patch=(1, 1, 1), width=24, layers=1, heads=2, hidden=16, text_width=8, time_width=8),
)
ANY_TIME = TimeConfig()


@functools.cache
def untrained() -> dict:
    return jax.jit(functools.partial(init_params, NETWORKS, ""))(jax.random.key(0))


@functools.partial(jax.jit, static_argnums=3)
def dropout_loss(params: dict, batch: dict, dropout: float, time: TimeConfig) -> jax.Array:
    return dit_loss(NETWORKS, Objective(time, caption_dropout=dropout), params, batch, jax.random.key(0))[0]


def loss_of(params: dict, batch: dict, dropout: float = 0.0, time: TimeConfig = ANY_TIME) -> float:
    return float(dropout_loss(params, batch, dropout, time))


def make_batch(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "latent_BTHWC": rng.normal(size=(64, 2, 2, 2, 4)).astype(np.float16),
        "text_BS": rng.integers(2, 2048, (64, 6)).astype(np.int32),
    }


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_an_untrained_network_has_the_loss_of_the_linear_estimate(t: float) -> None:
    """Its output layer is zero, so that what is left is 1 / (t^2 + (1 - t)^2): 2 at t = 1/2."""
    time = TimeConfig(mean=float(np.log(t / (1 - t))), std=0.0)
    assert loss_of(untrained(), make_batch(), time=time) == pytest.approx(1 / (t**2 + (1 - t) ** 2), rel=0.1)


def test_a_dropped_caption_is_not_seen() -> None:
    rng = np.random.default_rng(1)
    params = jax.tree.map(lambda p: p + 0.1 * rng.normal(size=p.shape).astype(np.float32), untrained())
    a, b = make_batch(), make_batch()
    b["text_BS"] = b["text_BS"][::-1].copy()
    assert loss_of(params, a, dropout=1.0) == loss_of(params, b, dropout=1.0)
    assert loss_of(params, a) != loss_of(params, b)
    assert loss_of(params, a, dropout=0.5) not in (loss_of(params, a), loss_of(params, a, dropout=1.0))


def test_a_small_run_makes_a_model_that_can_be_sampled(tmp_path: Path) -> None:
    train.run(dataclasses.replace(TINY, loop=dataclasses.replace(TINY.loop, steps=2)), tmp_path / "vae")
    vae = tmp_path / "vae" / "model" / "vae.safetensors"
    scenes = dataclasses.replace(TINY.scenes, objects=(1, 1))
    experiment = DiTTraining(
        vae=str(vae),
        data=(
            LatentData("clips", scenes, count=8, batch_size=2, text_length=12),
            LatentData("images", dataclasses.replace(scenes, frames=1), count=8, batch_size=4, text_length=8),
        ),
        model=NETWORKS.dit,
        text=NETWORKS.text,
        optim=OptimConfig(warmup=1),
        sample=SampleConfig(guidance=2.0),
        loop=LoopConfig(steps=4, log_every=2, eval_every=4, save_every=2),
        prompts=("a dog", "a cat"),
    )
    train.run(experiment, tmp_path / "dit")
    pipeline = assemble(load_autoencoder(vae), tmp_path / "dit" / "model" / "dit.safetensors")
    clip = pipeline.generate(["a dog"], frames=5, width=16, height=16, steps=2, guidance=2.0)
    assert clip.shape == (1, 5, 16, 16, 3)
    card = Card.from_dict(load_card(tmp_path / "dit" / "model"))
    assert (card.name, card.size, card.size_multiple, card.max_frames, card.tasks) == ("dit", (16, 16), 8, 5, ())
    assert card.parameters["vae"] == trees.count(pipeline.params["vae"]) and len(card.concepts) > 256
    assert card.sampler == {"guidance": 2.0}
    again = load_pipeline(tmp_path / "dit" / "model").generate(["a dog"], frames=5, width=16, height=16, steps=2)
    np.testing.assert_array_equal(again, clip)
    assert (tmp_path / "dit" / "samples" / "samples-0000004.png").is_file()
    # Another run starts from this one's weights.
    again = dataclasses.replace(experiment, start_from=str(tmp_path / "dit" / "model" / "dit.safetensors"))
    started = again.task(tmp_path / "again").init(jax.random.key(5))
    np.testing.assert_array_equal(started["dit"]["out"]["bias"], pipeline.params["dit"]["out"]["bias"])
    loop = LoopConfig(steps=2, log_every=1, eval_every=0, save_every=2)
    frozen = dataclasses.replace(again, text_frozen=True, data=experiment.data[1:], loop=loop)
    train.run(frozen, tmp_path / "frozen")
    after = assemble(load_autoencoder(vae), tmp_path / "frozen" / "model" / "dit.safetensors").params
    for ours, kept in zip(*map(jax.tree.leaves, (after["text"], pipeline.params["text"])), strict=True):
        np.testing.assert_array_equal(ours, kept)
    assert np.any(after["dit"]["out"]["kernel"] != pipeline.params["dit"]["out"]["kernel"])
    with pytest.raises(ValueError, match="4 channels"):
        dataclasses.replace(experiment, model=DiTConfig(channels=5)).task(tmp_path / "wrong")
    check_alignment(again, tmp_path)
    check_packing(again, tmp_path)


def check_packing(experiment: DiTTraining, tmp_path: Path) -> None:
    """Rows of clips and pictures train one model, and each kind's loss is told; with tasks, with cells, resumed."""
    concepts = ("dog", "cat", "rocket")
    data = tuple(
        dataclasses.replace(
            one, name=f"packed {one.name}", scenes=dataclasses.replace(one.scenes, concepts=concepts), shift=3.0
        )
        for one in experiment.data
    )
    packed = dataclasses.replace(
        experiment,
        data=data,
        packing=PackingConfig(rows=2, tokens=24, clips=4, open_rows=8),
        tasks=TaskMix(first=1.0, box=1.0),
        alignment=AlignmentConfig(block=1, weight=0.1, concepts=concepts),
        loop=LoopConfig(steps=2, log_every=1, eval_every=0, save_every=1),
        prompts=(),
    )
    task = packed.task(tmp_path / "packed")
    batch, params = next(iter(task.batches)), task.init(jax.random.key(0))
    abstract = packed.streams().abstract_batch(aligned=True)
    assert {name: (x.shape, x.dtype) for name, x in abstract.items()} == {
        name: (x.shape, x.dtype) for name, x in batch.items()
    }
    _, metrics = jax.eval_shape(task.loss_fn, params, batch, jax.random.key(1))
    assert {"loss_1", "loss_2", "told_1", "going_right_2"} <= set(metrics) and "going_right_1" not in metrics
    for steps in (1, 2):
        # The schedule is that of two steps in both, so that one program serves them.
        same = dataclasses.replace(task, make_optimizer=lambda params, _: task.make_optimizer(params, 2))
        state = train.loop.train(same, dataclasses.replace(packed.loop, steps=steps), tmp_path / "packed", "{}")
        assert int(state.step) == steps
    with pytest.raises(ValueError, match="8 tokens and a row has 7"):
        dataclasses.replace(packed, packing=PackingConfig(2, 7, 4, open_rows=8)).task(tmp_path / "packed")


def check_alignment(experiment: DiTTraining, tmp_path: Path) -> None:
    """A run that is taught what is in cells tells it better, and exports a model without the head."""
    concepts = ("dog", "cat", "rocket")
    data = dataclasses.replace(
        experiment.data[0],
        name="few",
        scenes=dataclasses.replace(experiment.data[0].scenes, concepts=concepts),
    )
    taught = dataclasses.replace(
        experiment,
        data=(data,),
        alignment=AlignmentConfig(block=1, weight=1.0, concepts=concepts),
        loop=LoopConfig(steps=40, log_every=40, eval_every=0, save_every=40),
        optim=OptimConfig(lr=1e-2, warmup=1, ema=0.5),
        prompts=(),
    )
    task = taught.task(tmp_path / "taught")
    batch, params = next(iter(task.batches)), task.init(jax.random.key(0))
    loss = jax.jit(task.loss_fn)
    _, before = loss(params, batch, jax.random.key(1))
    state = train.loop.train(task, taught.loop, tmp_path / "taught", "{}")
    _, after = loss(state.averages, batch, jax.random.key(1))
    assert after["told_2"] < 0.8 * before["told_2"]
    tree, _ = load_params(tmp_path / "taught" / "model" / "dit.safetensors")
    assert set(tree) == {"text", "dit"}
    for wrong, message in (
        ({"block": 2}, "blocks 1 to 1"),
        ({"concepts": concepts[:2]}, "can show rocket"),
    ):
        alignment = dataclasses.replace(taught.alignment, **wrong)
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(taught, alignment=alignment).task(tmp_path / "taught")


def test_where_nothing_is_no_place_is_asked_for() -> None:
    alignment, dit = AlignmentConfig(block=1, weight=1.0, concepts=("dog",)), NETWORKS.dit
    params = jax.tree.map(jnp.zeros_like, init_reader(alignment, dit, jax.random.key(0)))
    cells, real = np.array([[0, 0, -1, -1, 0]], np.int16), np.array([[True] * 4 + [False]])
    places = np.zeros((1, 5, 4), np.float16)
    places[0, :2, :2], places[0, 2:] = [[1.0, 0.0], [0.0, 2.0]], 9.0

    def read() -> tuple[np.ndarray, dict[str, float]]:
        truth = Truth(jnp.asarray(cells), jnp.asarray(places))
        loss, metrics = cell_loss(alignment, dit, params, jnp.ones((1, 5, dit.width)), truth, jnp.asarray(real))
        return np.asarray(loss), {name: float(masked_mean(*metric)) for name, metric in metrics.items()}

    loss, metrics = read()
    np.testing.assert_allclose(loss[0, :4], np.log(2) + np.array([1, 4, 0, 0]), atol=1e-4)
    assert metrics["cells_right"] == 1  # of two equal logits the first is taken, and that is the dog
    assert metrics["going_right"] == 0  # nothing that is there goes anywhere
    params["told"]["bias"] = params["told"]["bias"].at[-2:].set(jnp.array([1.0, 0.5]))
    places[0, :2, 2:] = [[2.0, 0.0], [0.0, 2.0]]
    assert read()[1]["going_right"] == 0.5


def test_alignment_wants_a_cell_a_token() -> None:
    with pytest.raises(ValueError, match=r"make it \(1, 1, 1\)"):
        AlignmentConfig(weight=1.0).check(DiTConfig(), ())


def test_flow_points_from_data_to_noise() -> None:
    """Trained on one latent, the network's velocity at t = 1 leads back to that latent, not away from it."""
    import optax

    from vidgen.train import state as train_state

    batch = {k: np.repeat(v[:1], 16, axis=0) for k, v in make_batch().items()}
    optimizer = optax.adam(1e-2)
    state = train_state.create(untrained(), optimizer)
    loss_fn = lambda params, batch, key: dit_loss(NETWORKS, Objective(), params, batch, key)  # noqa: E731
    step = jax.jit(train_state.make_step(loss_fn, optimizer, 0.9, seed=0))
    for _ in range(150):
        state, _ = step(state, batch)
    from vidgen.diffusion import times
    from vidgen.diffusion.guidance import Guidance
    from vidgen.sample.program import text_to_latent

    sample = jax.jit(functools.partial(text_to_latent, NETWORKS, (2, 2, 2, 4), times.schedule(20), "heun"))
    latent = sample(state.params, batch["text_BS"][:4], batch["text_BS"][:1], Guidance(1.0), jax.random.key(9))
    x0 = batch["latent_BTHWC"][:1].astype(np.float32)
    assert float(jnp.mean((latent - x0) ** 2)) < 0.3 * float(np.mean(x0**2))
