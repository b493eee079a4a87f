# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A language model behind an OpenAI-compatible endpoint as a writer of prompts; any server of this protocol."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Sequence

from vidgen.sample.upsample import WORDS, Writer

KEY = "VIDGEN_UPSAMPLER_KEY"
"""The environment variable that holds the endpoint's key, if it wants one."""
TIMEOUT = 60.0
"""Seconds."""
_EXAMPLES = (
    (
        "a dog in a meadow",
        "a dog stands still on the grass of a meadow; the camera does not move; the dog is in the middle of the frame",
    ),
    (
        "a rocket and the moon",
        "a rocket rises up in the night sky while the moon hangs still, and the rocket is to the left of the moon",
    ),
)


def endpoint_writer(url: str, model: str, style: Sequence[tuple[str, str]] = _EXAMPLES) -> Writer:
    """Asks a model for expansions.

    Args:
        url: of the API, such as http://localhost:8000/v1; "/chat/completions" is put behind it.
        model: the name under which the endpoint knows the model.
        style: prompts with expansions of the style that is wanted.

    The writer raises ValueError where the endpoint cannot be reached or answers otherwise than the protocol says.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is no address of an endpoint: it begins with http:// or https://")
    address = url.rstrip("/") + "/chat/completions"

    def write(prompt: str, count: int, seed: int) -> list[str]:
        messages = [{"role": "system", "content": _instructions()}]
        for short, long in style:
            messages += [{"role": "user", "content": short}, {"role": "assistant", "content": long}]
        messages.append({"role": "user", "content": prompt})
        asked = {"model": model, "messages": messages, "n": count, "seed": seed, "temperature": 0.8, "max_tokens": 200}
        return _texts(address, _post(address, asked))

    return write


def _instructions() -> str:
    low, high = WORDS
    return (
        f"Describe the video that the user asks for in one text of {low} to {high} words, as a plain caption: what is "
        f"there, what it does, where things stand, the place, the camera. Keep every word that says what is wanted, "
        f"add no other things, and contradict nothing. Answer with the text alone."
    )


def _post(address: str, asked: dict) -> bytes:
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(KEY):
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(address, json.dumps(asked).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        detail = " ".join(error.read(300).decode(errors="replace").split())
        raise ValueError(f"{address} answered {error.code} {error.reason}: {detail}") from error
    except OSError as error:
        raise ValueError(f"{address} cannot be reached ({error}): check --upsampler, or take --no-upsample") from error


def _texts(address: str, answer: bytes) -> list[str]:
    try:
        return [str(choice["message"]["content"]).strip() for choice in json.loads(answer)["choices"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{address} answered {answer[:100]!r}, which is no chat completion: give an OpenAI-compatible endpoint"
        ) from error
