# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The VAE of latent diffusion (arXiv 2112.10752) under the names of diffusers' AutoencoderKL."""

from collections.abc import Collection, Iterator

from vidgen.models.picture_vae import PictureVAEConfig
from vidgen.weights.keymap import Change, Keymap, Rule, convolution, norm

_POINTWISE = Change(lambda x: x.T[None, None], lambda x: x[0, 0].T)
"""A linear layer, [outputs, inputs], as the convolution of one cell that it is."""
_NEW, _OLD = ("to_q", "to_k", "to_v", "to_out.0"), ("query", "key", "value", "proj_attn")


def has_old_names(names: Collection[str]) -> bool:
    """Whether a file was written before diffusers renamed the layers of attention, as that of the public VAE was."""
    return any(".proj_attn." in name for name in names)


def vae(config: PictureVAEConfig, old_names: bool = False) -> Keymap:
    """The table; see `has_old_names`."""
    attention = _OLD if old_names else _NEW
    return (*_encoder(config, attention), *_decoder(config, attention))


def _encoder(config: PictureVAEConfig, attention: tuple[str, ...]) -> Iterator[Rule]:
    width = config.widths[0]
    for stage, features in enumerate(config.widths):
        for block in range(config.blocks):
            theirs, ours = f"encoder.down_blocks.{stage}.resnets.{block}", f"encoder/stage{stage}_block{block}"
            yield from _residual(theirs, ours, width != features)
            width = features
        if stage < len(config.widths) - 1:
            theirs = f"encoder.down_blocks.{stage}.downsamplers.0.conv"
            yield from convolution(theirs, f"encoder/shrink{stage}/space")
    yield from _ends("encoder", attention)
    yield from convolution("quant_conv", "encoder/quant")


def _decoder(config: PictureVAEConfig, attention: tuple[str, ...]) -> Iterator[Rule]:
    yield from convolution("post_quant_conv", "decoder/quant")
    width = config.widths[-1]
    for stage, features in enumerate(reversed(config.widths)):
        for block in range(config.blocks + 1):
            theirs, ours = f"decoder.up_blocks.{stage}.resnets.{block}", f"decoder/stage{stage}_block{block}"
            yield from _residual(theirs, ours, width != features)
            width = features
        if stage < len(config.widths) - 1:
            yield from convolution(f"decoder.up_blocks.{stage}.upsamplers.0.conv", f"decoder/grow{stage}/space")
    yield from _ends("decoder", attention)


def _ends(part: str, attention: tuple[str, ...]) -> Iterator[Rule]:
    """What encoder and decoder have both: the first and last layers and the middle."""
    yield from convolution(f"{part}.conv_in", f"{part}/conv_in")
    for block in (0, 1):
        yield from _residual(f"{part}.mid_block.resnets.{block}", f"{part}/middle/block{block}", False)
    theirs, ours = f"{part}.mid_block.attentions.0", f"{part}/middle/attention"
    yield from norm(f"{theirs}.group_norm", f"{ours}/norm")
    for name, own in zip(attention, ("q", "k", "v", "proj"), strict=True):
        yield Rule(f"{theirs}.{name}.weight", f"{ours}/{own}/kernel", _POINTWISE)
        yield Rule(f"{theirs}.{name}.bias", f"{ours}/{own}/bias")
    yield from norm(f"{part}.conv_norm_out", f"{part}/norm_out")
    yield from convolution(f"{part}.conv_out", f"{part}/conv_out")


def _residual(theirs: str, ours: str, shortcut: bool) -> Iterator[Rule]:
    for number in (1, 2):
        yield from norm(f"{theirs}.norm{number}", f"{ours}/norm{number}")
        yield from convolution(f"{theirs}.conv{number}", f"{ours}/conv{number}")
    if shortcut:
        yield from convolution(f"{theirs}.conv_shortcut", f"{ours}/shortcut")
