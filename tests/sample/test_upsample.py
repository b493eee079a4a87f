# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Prompts grow and never turn into something else; what is unknown is kept and told; others may write the texts."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from vidgen.models.decoding import Decoding
from vidgen.sample.card import CardConcept
from vidgen.sample.endpoint import KEY, endpoint_writer
from vidgen.sample.upsample import Unknown, claims_of, judge, network_writer, unknown_words, upsample

PROMPT = "a dog runs to the left"
GOOD = "a dog runs to the left across a meadow; the camera does not move; nothing else is in view"
TURNED = "a dog runs to the right across a meadow; the camera does not move; nothing else is in view"
OTHER = "a dog runs to the left across a meadow while a cat sits still; the camera does not move"
LESS = "a dog in a meadow; the camera does not move; green grass covers the ground; nothing else is in view"
MARBLE = "a solitary astronaut walking across the moon, earth like a blue marble in the distance"
KNOWN = (CardConcept("dog", ("hound",)), CardConcept("horse"), CardConcept("astronaut"), CardConcept("earth"))


@pytest.mark.parametrize(
    ("prompt", "text", "verdict"),
    [
        (PROMPT, GOOD, "fits"),
        ("dog runs to the left", GOOD, "fits"),
        (PROMPT, TURNED, "contradicts"),
        (PROMPT, OTHER, "contradicts"),
        (PROMPT, LESS, "omits"),
        (PROMPT, PROMPT, "omits"),
        (PROMPT, " ".join([GOOD] * 6), "omits"),
        (MARBLE, f"{MARBLE}; the earth starts above the astronaut", "fits"),
        (MARBLE, f"{MARBLE}; the earth starts above the moon", "contradicts"),
        (MARBLE, f"{MARBLE}; the earth starts right of the earth", "contradicts"),
        (
            "a cat left of a dog",
            f"a cat and a dog in a meadow; the cat is right of the dog; {GOOD[27:]}",
            "contradicts",
        ),
        (
            "a dog on the moon",
            f"a dog in the desert; {GOOD[27:]}; the dog is in the middle of the frame",
            "contradicts",
        ),
        ("a dog on the moon, the camera pans left", f"a dog on the moon; {GOOD[27:]}; one more", "contradicts"),
        # What cannot be read is held against the prompt word by word.
        (
            "a fluffy dog runs left",
            "a fluffy dog runs left; the camera does not move; nothing else is in view; it barks",
            "fits",
        ),
        (
            "a fluffy dog runs left",
            "a fluffy dog runs right over the wide grass of a meadow on a fine day",
            "contradicts",
        ),
        (
            "a fluffy dog runs left",
            "a fluffy dog runs left beside a cat over the grass of a meadow at noon",
            "contradicts",
        ),
        ("a fluffy dog runs left", "a fluffy thing runs left over the wide grass of a meadow on a fine day", "omits"),
    ],
)
def test_a_text_is_held_against_its_prompt(prompt: str, text: str, verdict: str) -> None:
    assert judge(prompt, text) == verdict


def test_the_first_text_that_keeps_to_the_prompt_is_taken() -> None:
    asked = []

    def write(prompt: str, count: int, seed: int) -> list[str]:
        asked.append(seed)
        return [TURNED, OTHER] if len(asked) == 1 else [LESS, GOOD]

    [found] = upsample(PROMPT, write, seed=5)
    assert (found.text, found.expanded, found.tried, found.refused) == (GOOD, True, 4, 2)
    assert asked == [30, 31]  # other seeds each round, and for each seed of the user


def test_a_prompt_stays_if_nothing_keeps_to_it() -> None:
    [found] = upsample(f" {PROMPT}  ", lambda *_: [TURNED, ""])
    assert (found.text, found.expanded) == (PROMPT, False)


def test_a_text_that_adds_nothing_is_no_expansion() -> None:
    (found,) = upsample(MARBLE, lambda *_: [MARBLE.capitalize(), f"{MARBLE}; the camera does not move"])
    assert found.expanded and found.text.endswith("move")


def test_texts_that_the_model_would_cut_are_passed_over() -> None:
    assert upsample(PROMPT, lambda *_: [GOOD], tokens=4)[0].text == PROMPT
    assert upsample(PROMPT, lambda *_: [GOOD], tokens=64)[0].text == GOOD


def test_variants_differ_and_no_clause_stands_twice() -> None:
    other = GOOD.replace("runs", "trots").replace("runs", "trots")
    twice = f"{GOOD}; the camera does not move"
    found = upsample("a dog", lambda *_: [twice, GOOD, other], variants=3)
    assert [one.text for one in found] == [GOOD, other]


def test_unknown_words_are_told_with_what_is_nearest() -> None:
    assert unknown_words("a zebra runs to the left across a meadow", KNOWN) == (Unknown("zebra", "horse"),)
    assert unknown_words("two dogs and a hound on the moon", KNOWN) == ()
    assert unknown_words("an astronot waltzes", KNOWN) == (Unknown("astronot", "astronaut"), Unknown("waltzes", ""))
    assert unknown_words("a zebra", ()) == ()
    [found] = upsample("a gnu runs left", lambda *_: [], concepts=KNOWN)
    assert found.text == "a gnu runs left" and found.unknown[0].word == "gnu"


def test_claims_are_read_with_and_without_articles() -> None:
    assert claims_of("dog in a meadow") == claims_of("A dog in a meadow.") is not None
    assert claims_of("a dog waltzes") is None


def test_the_network_goes_on_after_what_it_cannot_read_and_its_broken_texts_are_left_out() -> None:
    begun = []

    class Fake:
        def decoding(self, **changes) -> Decoding:
            return Decoding(**{"length": 40, **changes})

        def expand(self, prompts, how, seed, begin, batch) -> list[str]:
            begun.append(begin[0])
            return [GOOD, f"{GOOD} of the", GOOD * 3]

    write = network_writer(Fake())  # pyright: ignore[reportArgumentType]
    assert write(PROMPT, 8, 0) == [GOOD]
    assert write("a gnu runs left", 8, 0) == [GOOD, f"{GOOD} of the"]
    assert write(PROMPT, 0, 0) == []
    assert begun == ["", "a gnu runs left", ""]


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list]]:
    """A server that speaks the protocol, and what it was asked."""
    seen: list = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, self.headers.get("Authorization"), body))
            status = 200 if body["model"] == "good" else 404
            answer = {"choices": [{"message": {"content": f" {GOOD}\n"}}]} if body["model"] == "good" else {"e": "none"}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/", seen
        server.shutdown()
        thread.join()


def test_an_endpoint_can_write(endpoint: tuple[str, list], monkeypatch: pytest.MonkeyPatch) -> None:
    url, seen = endpoint
    monkeypatch.setenv(KEY, "secret")
    assert upsample(PROMPT, endpoint_writer(url, "good"), seed=3)[0].text == GOOD
    [(path, key, body)] = seen
    assert (path, key) == ("/v1/chat/completions", "Bearer secret")
    assert body["messages"][0]["role"] == "system" and body["messages"][-1] == {"role": "user", "content": PROMPT}


def test_what_is_wrong_with_an_endpoint_is_said(endpoint: tuple[str, list]) -> None:
    with pytest.raises(ValueError, match=r"answered 404 .*none"):
        endpoint_writer(endpoint[0], "bad")(PROMPT, 1, 0)
    with pytest.raises(ValueError, match="cannot be reached"):
        endpoint_writer("http://127.0.0.1:9/v1", "good")(PROMPT, 1, 0)
    with pytest.raises(ValueError, match="no address"):
        endpoint_writer("localhost", "good")
