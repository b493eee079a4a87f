# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which dimension lies along which mesh axis: parameters by path, activations by the letters of the dimension key.

A parameter is divided over fsdp along one dimension and over tensor along another, so that its owner keeps 1 / (fsdp x
tensor) of it. Vectors and tables are small and are kept whole, except where they meet divided activations.
"""

import dataclasses
import math
import re
from collections.abc import Mapping

from jax.sharding import PartitionSpec as P

Axis = str | tuple[str, ...] | None

# Letters of the dimension key that are divided; all others are whole on every device. In the VAE time is divided where
# it can be, and else rows. Weights meet their activations by these letters too: what is left of a weight's sharding
# when it is used is N or M. Guidance comes first among the axes of B: of the batch that holds the conditional rows and
# then the unconditional ones, each half lies on one half of the devices.
ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "B": ("guidance", "data", "fsdp"),
    "L": ("sequence",),
    "F": ("sequence",),
    "T": ("sequence",),
    "H": ("sequence",),
    "N": ("tensor",),
    "M": ("tensor",),
}

SMALL = 2**20
"""A parameter with fewer elements is kept whole along a dimension that its axis does not divide; others raise."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """Paths and the axes of their last dimensions; dimensions before those (the layers of a scan) are whole.

    Attributes:
        pattern: a regular expression that a path must match as a whole.
        axes: of the last dimensions.
    """

    pattern: str
    axes: tuple[str | None, ...]


_VAE = r"(vae/)?(encoder|decoder)/"
_CAPTIONER = r"captioner/"
_CONV = (
    r"(conv_in|conv_out|quant|(stage\d+_block\d+|middle/block\d)/(conv\d|shortcut)|middle/attention/(qkv|q|k|v|proj)"
    r"|(shrink|grow)\d+/(space|time))"
)
RULES: tuple[Rule, ...] = (
    # The transformer: [D, N K] and [N K, D] in attention, [D, M] and [M, D] in MLPs.
    Rule(r"dit/blocks/(self|cross)/[qkv]/kernel", ("fsdp", "tensor")),
    Rule(r"dit/blocks/(self|cross)/[qkv]/bias", ("tensor",)),
    Rule(r"dit/blocks/(self|cross)/[qk]_norm/scale", ("tensor",)),
    Rule(r"dit/blocks/(self|cross)/out/kernel", ("tensor", "fsdp")),
    Rule(r"dit/blocks/up/kernel", ("fsdp", "tensor")),
    Rule(r"dit/blocks/up/bias", ("tensor",)),
    Rule(r"dit/blocks/down/kernel", ("tensor", "fsdp")),
    Rule(r"dit/blocks/((self|cross)/out|down)/bias", (None,)),
    Rule(r"dit/blocks/norm\d/(scale|bias)", (None,)),
    Rule(r"dit/(blocks/modulation|final_modulation)", (None, None)),
    Rule(r"dit/(blocks/|final_)modulation/kernel", ("fsdp", "tensor")),
    Rule(r"dit/(blocks/|final_)modulation/bias", (None,)),
    Rule(r"dit/(patch_embedding|coordinates)/kernel", (None, "fsdp")),
    Rule(r"dit/(time1|time2|modulation|text1|pooled_text)/kernel", ("fsdp", "tensor")),
    Rule(r"dit/text2/kernel", ("tensor", "fsdp")),
    Rule(r"dit/out/kernel", ("fsdp", None)),
    Rule(r"dit/(patch_embedding|coordinates|time1|time2|modulation|text1|text2|pooled_text|out)/bias", (None,)),
    # The scales of matrices that are kept in 8 bits.
    Rule(r"(dit|text)/.*/kernel_scale", (None,)),
    # What adapts a transformer's matrices: [.., inputs, rank] and [.., rank, outputs].
    Rule(r"lora/.*/a", ("fsdp", None)),
    Rule(r"lora/.*/b", (None, "fsdp")),
    # The text encoder.
    Rule(r"text/embedding", ("tensor", "fsdp")),
    Rule(r"text/start", (None, None, None)),
    Rule(r"text/labels", (None, "fsdp")),
    Rule(r"text/block\d+/(q|k|v|gate|up)/kernel", ("fsdp", "tensor")),
    Rule(r"text/block\d+/(out|down)/kernel", ("tensor", "fsdp")),
    Rule(r"text/block\d+/relative_bias", (None, "tensor")),
    Rule(r"text/(block\d+/norm\d|norm)/scale", (None,)),
    # The heads that a text encoder learns to read by.
    Rule(r"subjects", (None, "fsdp")),
    Rule(r"(key|named|settings|attributes)/kernel", ("fsdp", None)),
    Rule(r"(key|named|settings|attributes)/bias|rare", (None,)),
    # The head that a transformer learns to tell cells by.
    Rule(r"cells/(hidden|told)/kernel", ("fsdp", None)),
    Rule(r"cells/((hidden|told)/bias|norm/(scale|bias))", (None,)),
    # The captioner.
    Rule(_CAPTIONER + r"blocks/([qkv]|up)/kernel", ("fsdp", "tensor")),
    Rule(_CAPTIONER + r"blocks/(out|down)/kernel", ("tensor", "fsdp")),
    Rule(_CAPTIONER + r"blocks/(norm\d|[qk]_norm)/scale", (None,)),
    Rule(_CAPTIONER + r"clip/(pixels|mix\d+/show|merge)/kernel", ("fsdp", None)),
    Rule(_CAPTIONER + r"clip/mix\d+/up/kernel", ("fsdp", "tensor")),
    Rule(_CAPTIONER + r"clip/mix\d+/up/bias", ("tensor",)),
    Rule(_CAPTIONER + r"clip/mix\d+/down/kernel", ("tensor", "fsdp")),
    Rule(_CAPTIONER + r"(clip/(pixels|mix\d+/down|merge)|coordinates)/bias", (None,)),
    Rule(_CAPTIONER + r"(clip/(mix\d+/)?norm|words/norm)/scale", (None,)),
    Rule(_CAPTIONER + r"coordinates/kernel", (None, "fsdp")),
    Rule(_CAPTIONER + r"words/(embedding|start)", (None, "fsdp")),
    Rule(_CAPTIONER + r"words/(enter|leave)/kernel", ("fsdp", None)),
    # What reviews frames is small, and whole on every device.
    Rule(r"frames/(in|up|down)\d/kernel|frames/told/kernel", (None, None)),
    Rule(r"frames/((in|up|down)\d|told)/bias|frames/norm\d?/(scale|bias)|frames/rare", (None,)),
    # The patch VAE.
    Rule(_VAE + r"block\d+_\d+/up/kernel", ("fsdp", "tensor")),
    Rule(_VAE + r"block\d+_\d+/up/bias", ("tensor",)),
    Rule(_VAE + r"block\d+_\d+/down/kernel", ("tensor", "fsdp")),
    Rule(_VAE + r"block\d+_\d+/show/kernel", ("fsdp", None)),
    Rule(_VAE + r"(merge|split)\d+/kernel", ("fsdp", "tensor")),
    Rule(r"(vae/)?encoder/pixels/kernel", ("tensor", "fsdp")),
    Rule(r"(vae/)?encoder/out/kernel", ("fsdp", None)),
    Rule(r"(vae/)?decoder/in/kernel", (None, "fsdp")),
    Rule(r"(vae/)?decoder/expand/kernel", ("fsdp", "tensor")),
    Rule(r"(vae/)?decoder/expand/bias", ("tensor",)),
    Rule(r"(vae/)?decoder/pixels/kernel", ("tensor", "fsdp")),
    Rule(_VAE + r"(block\d+_\d+/down|(merge|split)\d+|pixels|out|in)/bias", (None,)),
    Rule(_VAE + r"(block\d+_\d+/)?norm/scale", (None,)),
    # Convolutional VAEs are small beside their transformers, and whole on every device.
    Rule(_VAE + _CONV + r"/kernel", (None, None)),
    Rule(_VAE + _CONV + r"/bias", (None,)),
    Rule(_VAE + r"((stage\d+_block\d+|middle/block\d)/norm\d|middle/attention/norm|norm_out)/(scale|bias)", (None,)),
)


def parameter_spec(path: str, shape: tuple[int, ...], mesh: Mapping[str, int], rules: tuple[Rule, ...] = RULES) -> P:
    """How a parameter is divided over a mesh of these axis sizes, by the one rule that its path matches.

    Raises:
        ValueError: no rule or several match; the rule is for more dimensions; or the parameter has `SMALL` elements or
            more, and an axis does not divide its dimension.
    """
    found = [rule for rule in rules if re.fullmatch(rule.pattern, path)]
    if len(found) != 1:
        which = "no sharding rule matches" if not found else f"{len(found)} sharding rules match"
        patterns = "".join(f"\n  {rule.pattern}" for rule in found)
        raise ValueError(f"{which} the parameter {path!r}; exactly one must: edit vidgen/parallel/rules.py{patterns}")
    axes = found[0].axes
    if len(axes) > len(shape):
        raise ValueError(f"the rule {found[0].pattern!r} is for {len(axes)} dimensions and {path!r} has shape {shape}")
    size = math.prod(shape)
    spec: list[Axis] = [None] * (len(shape) - len(axes))
    for dimension, axis in zip(shape[len(shape) - len(axes) :], axes, strict=True):
        ways = mesh[axis] if isinstance(axis, str) else 1
        if dimension % ways and size >= SMALL:
            raise ValueError(
                f"{path!r} of shape {shape} cannot be divided {ways} ways over {axis!r} along a dimension of "
                f"{dimension}: make the axis a divisor of it, or change the model's width"
            )
        spec.append(None if dimension % ways or ways == 1 else axis)
    return P(*spec)


def activation_spec(dims: str, shape: tuple[int, ...], mesh: Mapping[str, int]) -> P:
    """How an activation is divided, by its dimensions' letters; a digit or a letter without an axis is whole.

    Axes are left out, from the last, until the rest divides the dimension: a batch of one clip is whole on all. An axis
    that serves one dimension is not there for those after it.

    Raises:
        ValueError: there are not as many letters as dimensions.
    """
    if len(dims) != len(shape):
        raise ValueError(f"dimensions {dims!r} were given for an array of shape {shape}: one letter a dimension")
    spec: list[Axis] = []
    used: set[str] = set()
    for letter, size in zip(dims, shape, strict=True):
        axes = tuple(axis for axis in ACTIVATIONS.get(letter, ()) if mesh[axis] > 1 and axis not in used)
        while axes and size % math.prod(mesh[axis] for axis in axes):
            axes = axes[:-1]
        used |= {*axes}
        spec.append(None if not axes else axes[0] if len(axes) == 1 else axes)
    return P(*spec)
