# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wan 2.1 (arXiv 2503.20314) under the names of diffusers' WanTransformer3DModel and AutoencoderKLWan."""

from collections.abc import Iterator

from vidgen.models.dit import DiTConfig
from vidgen.models.wan_vae import WanVAEConfig
from vidgen.weights.keymap import WITHOUT_FIRST, Keymap, Rule, convolution, linear, norm, patches, sides


def transformer(config: DiTConfig) -> Keymap:
    """The table of the transformer; `config` is one of `vidgen.models.presets`."""
    block = "blocks.{N}"
    attention = [
        row
        for theirs, ours in (("attn1", "self"), ("attn2", "cross"))
        for row in (
            *linear(f"{block}.{theirs}.to_q", f"blocks/{ours}/q"),
            *linear(f"{block}.{theirs}.to_k", f"blocks/{ours}/k"),
            *linear(f"{block}.{theirs}.to_v", f"blocks/{ours}/v"),
            *linear(f"{block}.{theirs}.to_out.0", f"blocks/{ours}/out"),
            Rule(f"{block}.{theirs}.norm_q.weight", f"blocks/{ours}/q_norm/scale"),
            Rule(f"{block}.{theirs}.norm_k.weight", f"blocks/{ours}/k_norm/scale"),
        )
    ]
    return (
        Rule("patch_embedding.weight", "patch_embedding/kernel", patches(config.patch, config.channels)),
        Rule("patch_embedding.bias", "patch_embedding/bias"),
        *linear("condition_embedder.time_embedder.linear_1", "time1"),
        *linear("condition_embedder.time_embedder.linear_2", "time2"),
        *linear("condition_embedder.time_proj", "modulation"),
        *linear("condition_embedder.text_embedder.linear_1", "text1"),
        *linear("condition_embedder.text_embedder.linear_2", "text2"),
        *attention,
        *norm(f"{block}.norm2", "blocks/norm2"),
        *linear(f"{block}.ffn.net.0.proj", "blocks/up"),
        *linear(f"{block}.ffn.net.2", "blocks/down"),
        Rule(f"{block}.scale_shift_table", "blocks/modulation", WITHOUT_FIRST),
        Rule("scale_shift_table", "final_modulation", WITHOUT_FIRST),
        *linear("proj_out", "out"),
    )


def vae(config: WanVAEConfig) -> Keymap:
    """The table of the VAE."""
    return (*_encoder(config), *_decoder(config))


def _encoder(config: WanVAEConfig) -> Iterator[Rule]:
    yield from convolution("encoder.conv_in", "encoder/conv_in")
    layer, width = 0, config.widths[0]
    for stage, features in enumerate(config.widths):
        for block in range(config.blocks):
            yield from _residual(
                f"encoder.down_blocks.{layer}", f"encoder/stage{stage}_block{block}", width != features
            )
            layer, width = layer + 1, features
        if stage < len(config.halve_time):
            yield from _resample(f"encoder.down_blocks.{layer}", f"encoder/shrink{stage}", config.halve_time[stage])
            layer += 1
    yield from _middle("encoder")
    yield from convolution("quant_conv", "encoder/quant")


def _decoder(config: WanVAEConfig) -> Iterator[Rule]:
    yield from convolution("post_quant_conv", "decoder/quant")
    yield from convolution("decoder.conv_in", "decoder/conv_in")
    width = config.widths[-1]
    for stage, features in enumerate(reversed(config.widths)):
        for block in range(config.blocks + 1):
            theirs, ours = f"decoder.up_blocks.{stage}.resnets.{block}", f"decoder/stage{stage}_block{block}"
            yield from _residual(theirs, ours, width != features)
            width = features
        if stage < len(config.halve_time):
            theirs, ours = f"decoder.up_blocks.{stage}.upsamplers.0", f"decoder/grow{stage}"
            yield from _resample(theirs, ours, config.halve_time[-1 - stage])
            width //= 2
    yield from _middle("decoder")


def _middle(part: str) -> Iterator[Rule]:
    """What encoder and decoder have both: the middle and the end."""
    for block in (0, 1):
        yield from _residual(f"{part}.mid_block.resnets.{block}", f"{part}/middle/block{block}", False)
    theirs, ours = f"{part}.mid_block.attentions.0", f"{part}/middle/attention"
    yield Rule(f"{theirs}.norm.gamma", f"{ours}/norm/scale", sides(2))
    yield from convolution(f"{theirs}.to_qkv", f"{ours}/qkv")
    yield from convolution(f"{theirs}.proj", f"{ours}/proj")
    yield Rule(f"{part}.norm_out.gamma", f"{part}/norm_out/scale", sides(3))
    yield from convolution(f"{part}.conv_out", f"{part}/conv_out")


def _residual(theirs: str, ours: str, shortcut: bool) -> Iterator[Rule]:
    for number in (1, 2):
        yield Rule(f"{theirs}.norm{number}.gamma", f"{ours}/norm{number}/scale", sides(3))
        yield from convolution(f"{theirs}.conv{number}", f"{ours}/conv{number}")
    if shortcut:
        yield from convolution(f"{theirs}.conv_shortcut", f"{ours}/shortcut")


def _resample(theirs: str, ours: str, time: bool) -> Iterator[Rule]:
    yield from convolution(f"{theirs}.resample.1", f"{ours}/space")
    if time:
        yield from convolution(f"{theirs}.time_conv", f"{ours}/time")
