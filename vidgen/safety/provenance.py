# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""C2PA manifests: written into every file, so that anybody can read what made it and see whether it was changed.

A file says that a trained algorithm created it (IPTC's digital source type trainedAlgorithmicMedia), which model with
which weights, from which prompt, seed and inputs; and what its review found. Signing is c2pa-python's.
"""

import dataclasses
import datetime as dt
import functools
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidgen import __version__
from vidgen.safety.audit import digest
from vidgen.safety.certificates import Identity, trusted_anchors

MIME = {".mp4": "video/mp4", ".gif": "image/gif", ".webp": "image/webp", ".png": "image/png"}
"""Formats that are written; C2PA has a place for a manifest in each."""
_READ_TOO = {".mov": "video/quicktime", ".avi": "video/avi", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
LABEL = "org.vidgen.generation"
"""The assertion that holds how a file was made."""
_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_LEAST_BYTES = 8
_TRACES = (b"c2pa.claim", b"c2pa.assertions", b"c2pa.signature", b"urn:c2pa:", b"C2PA_GIF")
"""Some of these stand in every manifest, and by chance in no file."""
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclasses.dataclass(frozen=True)
class Origin:
    """How a clip came to be.

    Attributes:
        action: the verb: "generate", "extend", ...
        model, weights_sha256: its name, and the hash of its weights.
        prompts: what was asked for. show_prompts: whether they are told; otherwise their hash is.
        seed: of the noise. inputs: the files that it was made from.
    """

    action: str
    model: str
    weights_sha256: str
    prompts: tuple[str, ...]
    seed: int
    inputs: tuple[Path, ...] = ()
    show_prompts: bool = False

    def facts(self) -> dict[str, Any]:
        """What is told of it, JSON-able."""
        asked = "\n".join(self.prompts)
        told: dict[str, Any] = {"prompts": list(self.prompts)} if self.show_prompts else {}
        return {
            "action": self.action,
            "model": self.model,
            "weights_sha256": self.weights_sha256,
            "prompt_sha256": digest(asked),
            "seed": self.seed,
            "inputs_sha256": [digest(path.read_bytes()) for path in self.inputs],
            **told,
        }


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a file's manifest says when it is read.

    state: "trusted" (signed under an authority that is trusted here), "valid" (signed by somebody, and unchanged),
    "tampered" (it does not fit the file, or is damaged), "absent". problems: codes of C2PA's validation. facts: of
    `Origin.facts`; "" for signer where there is none.
    """

    state: str
    problems: tuple[str, ...] = ()
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    signer: str = ""
    source_type: str = ""
    time: str = ""
    ingredients: tuple[Mapping[str, Any], ...] = ()


def prepare() -> None:
    """Imports what signing needs, in whatever thread has time."""
    _context("")


def sign(content: bytes, suffix: str, origin: Origin, identity: Identity, extra: Mapping[str, Any]) -> bytes:
    """A file with its manifest, in memory.

    Args:
        content: the file; suffix: a key of `MIME`.
        origin: how it was made.
        identity: with what to sign.
        extra: more to be told in the assertion `LABEL`, JSON-able: what the review found, and the marks.

    Raises:
        ValueError: the identity cannot sign; the message says why.
    """
    import c2pa

    when = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    agent = {"name": "vidgen", "version": __version__}
    inputs = [(path, mime) for path in origin.inputs if (mime := _mime(path)) is not None]
    ids = [f"input-{number}" for number in range(len(inputs))]
    created = {"action": "c2pa.created", "digitalSourceType": _SOURCE, "softwareAgent": agent, "when": when}
    if ids:
        created["parameters"] = {"ingredientIds": ids}
    definition = {
        "claim_generator_info": [agent],
        "format": MIME[suffix],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
            {"label": LABEL, "data": {**origin.facts(), "vidgen": __version__, "time": when, **extra}},
        ],
    }
    try:
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(identity.algorithm, identity.chain, identity.key, None))
        with signer, c2pa.Builder(definition, _context(identity.anchors)) as builder:
            for name, (path, mime) in zip(ids, inputs, strict=True):
                told = {"title": f"{name}{path.suffix}", "relationship": "inputTo", "label": name}
                builder.add_ingredient(told, mime, io.BytesIO(path.read_bytes()))
            signed = io.BytesIO()
            builder.sign(signer, MIME[suffix], io.BytesIO(content), signed)
    except c2pa.C2paError as error:
        raise ValueError(f"The file cannot be signed: {error}. Look at the certificate and its key.") from error
    return signed.getvalue()


def read_manifest(content: bytes, suffix: str, anchors: str | None = None) -> Manifest:
    """What the manifest of a file says, and whether it fits. Never raises for what a file may hold.

    Args:
        content: the file; suffix: of its name.
        anchors: PEM of trusted authorities; None for this user's.
    """
    import c2pa

    if len(content) < _LEAST_BYTES:
        return Manifest("absent")
    mime = {**MIME, **_READ_TOO}.get(suffix.lower())
    context = _context(trusted_anchors() if anchors is None else anchors)
    try:
        with c2pa.Reader(mime, io.BytesIO(content), context=context) as reader:
            told, state = reader.get_validation_results() or {}, reader.get_validation_state()
            active = reader.get_active_manifest() or {}
    except c2pa.C2paError.ManifestNotFound:  # pyright: ignore[reportAttributeAccessIssue] - it is set later
        # A manifest that is there and is not found lost its way there.
        return Manifest("tampered", ("manifest.unreachable",)) if _traces(content) else Manifest("absent")
    except (c2pa.C2paError, KeyError, ValueError, TypeError) as error:
        return Manifest("tampered", (str(error),)) if _traces(content) else Manifest("absent")
    if not _sound_png(content):
        state = "Invalid"
    problems = tuple(sorted({entry.get("code", "") for entry in told.get("activeManifest", {}).get("failure", [])}))
    states = {"Trusted": "trusted", "Valid": "valid", "Invalid": "tampered"}
    assertions: dict[str, Any] = {entry.get("label"): entry.get("data") for entry in active.get("assertions", [])}
    actions = next((data for label, data in assertions.items() if str(label).startswith("c2pa.actions")), None) or {}
    facts = assertions.get(LABEL) or {}
    first: Mapping[str, Any] = next(iter(actions.get("actions", [])), {})
    signature = active.get("signature_info") or {}
    return Manifest(
        states.get(str(state), "tampered"),
        problems,
        facts if isinstance(facts, Mapping) else {},
        str(signature.get("common_name") or signature.get("issuer") or ""),
        str(first.get("digitalSourceType", "")),
        str(first.get("when", "")),
        tuple(active.get("ingredients", [])),
    )


def _traces(content: bytes) -> bool:
    return any(trace in content for trace in _TRACES)


def _sound_png(content: bytes) -> bool:
    """False for a PNG of which a chunk is not what its checksum says; C2PA does not look at that of its own chunk."""
    at = len(_PNG)
    while content.startswith(_PNG) and at < len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        if int.from_bytes(content[end : end + 4], "big") != zlib.crc32(content[at + 4 : end]) or end + 4 > len(content):
            return False
        at = end + 4
    return True


def _mime(path: Path) -> str | None:
    return {**MIME, **_READ_TOO}.get(path.suffix.lower())


@functools.lru_cache(maxsize=4)
def _context(anchors: str) -> Any:
    """c2pa's settings: no thumbnails, no network; with the authorities that are trusted."""
    import c2pa

    settings: dict[str, Any] = {
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
    }
    if anchors:
        settings["trust"] = {"user_anchors": anchors}
    return c2pa.Context(c2pa.Settings.from_dict(settings))
