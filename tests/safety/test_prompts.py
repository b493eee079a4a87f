# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The prompt policy sees through disguises, and leaves alone what means no harm."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from vidgen.safety import text
from vidgen.safety.policy import load_policy
from vidgen.safety.prompts import Category, PromptPolicy, common_words
from vidgen.safety.sound import sound
from vidgen.worlds.captions import caption
from vidgen.worlds.scene import SceneConfig, draw_scene
from vidgen.worlds.sprites import read_concepts

POLICY = PromptPolicy(
    (
        Category("blades", ("dagger", "butcher knife", "stab*"), ((("moon",), ("poison", "venom")),), ("stable",)),
        Category("pens", ("penitent",)),
    )
)


def found(prompt: str) -> list[str]:
    return [finding.reading for finding in POLICY.check(prompt).findings]


@pytest.mark.parametrize(
    ("prompt", "how"),
    [
        ("a DAGGER on the moon", "as written"),
        ("two daggers", "as written"),
        ("a Butcher\n Knife", "as written"),
        ("a butcher-knife", "as written"),
        ("stabbing", "as written"),
        ("ｄａｇｇｅｒ", "as written"),
        ("dаggеr", "as written"),  # Cyrillic
        ("𝖉𝖆𝖌𝖌𝖊𝖗 🅓🅐🅖🅖🅔🅡", "as written"),
        ("ᴅᴀɢɢᴇʀ", "as written"),
        ("d\u200ba\u00adg\u2060ger", "as written"),
        ("d&#97;gger", "as written"),
        ("dägger", "as written"),
        ("venom under the moon", "as written"),
        ("d a g g e r", "letters apart"),
        ("d.a.g.g.e.r", "letters apart"),
        ("dag-ger", "parts joined"),
        ("d4gg3r", "digits as letters"),
        ("d@gg€r", "digits as letters"),
        ("d 4 g g 3 r", "digits as letters, apart"),
        ("ɹǝƃƃɐp", "upside down"),
        ("daaaggerrr", "letters repeated"),
        ("dagg er", "parts joined"),
        ("butcherknife", "as written"),
        ("reggad", "backwards"),
        ("degagr", "letters swapped"),
        ("d*gger", "letters masked"),
        ("moondagger", "words glued"),
        ("daggur", "spelt by sound"),
    ],
)
def test_a_disguise_is_seen_through_and_named(prompt, how) -> None:
    assert found(f"see {prompt} here") == [how]


@pytest.mark.parametrize(
    "prompt",
    [
        "a stable with a horse",
        "a dig garden",
        "the moon and the sun",
        "a pen it entered",
        "10 dogs in 4k at 8 am!",
        "a gg er",
        "moon moon",
        "***",
        "",
        "a butcher with a knife",
        "d*g*r*",
        "a digger and a dodger with a tiger",
    ],
)
def test_what_means_no_harm_passes(prompt) -> None:
    assert found(prompt) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("nood", "nude"), ("swaztika", "swastika"), ("torcher", "torture"), ("jenocide", "genocide"), ("foto", "photo"),
        ("nite", "night"), ("kween", "queen"), ("sooicide", "suicide"), ("rong", "wrong"),
    ],
)  # fmt: skip
def test_words_that_are_said_alike_have_one_key(one, other) -> None:
    assert sound(one) == sound(other)


@pytest.mark.parametrize(
    ("one", "other"), [("wrap", "rape"), ("knocked", "naked"), ("nod", "nude"), ("gear", "gore"), ("tern", "torn")]
)
def test_words_that_are_said_differently_have_two(one, other) -> None:
    assert sound(one) != sound(other)


def test_common_words_and_long_ones_are_not_taken_by_their_sound() -> None:
    policy = load_policy().prompts
    assert policy.check("news of hail, wrapped in rapid, erratic wrapping").allowed
    assert found("daggur") and not found("dagg" + "u" * 40 + "rn")


def test_without_normalisation_only_plain_words_are_found() -> None:
    assert not POLICY.check("a Dagger", normalise=False).allowed
    assert POLICY.check("a d4gger", normalise=False).allowed


def test_a_learned_classifier_counts_from_its_threshold_on() -> None:
    class Judge:
        name = "judge"

        def __call__(self, texts):
            return {"spite": [0.6 if "mean" in text else 0.1 for text in texts]}

    assert POLICY.check("a mean dog", (Judge(),)).findings[0].category == "spite"
    assert POLICY.check("a mean dog", (Judge(),), {"spite": 0.7}).allowed
    assert POLICY.check("a kind dog", (Judge(),)).allowed


def test_the_default_policy_takes_every_name_and_captions_of_all_kinds() -> None:
    policy = load_policy().prompts
    names = [word for concept in read_concepts() for word in (concept.name, *concept.synonyms)]
    captions = [caption(draw_scene(SceneConfig(), seed), seed) for seed in range(60)]
    assert [one for one in (*names, *captions) if not policy.check(one).allowed] == []


@pytest.mark.parametrize("word", ["Scunthorpe", "Essex", "sextant", "therapist", "grape", "bass", "cockpit", "Sussex"])
def test_harmless_words_around_a_term_pass(word) -> None:
    assert load_policy().prompts.check(f"a clip of {word}").allowed


def test_common_words_alone_pass_in_any_pair() -> None:
    policy = load_policy().prompts
    words = sorted(common_words())
    text = " ".join(words) + " " + " ".join(words[::-1]) + " " + " ".join(words[::2]) + " " + " ".join(words[::3])
    assert [str(finding) for finding in policy.check(text).findings] == []


@given(st.text(max_size=60))
def test_any_text_is_judged(prompt) -> None:
    load_policy().prompts.check(prompt)
    assert text.skeleton(prompt) is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name = ", "is not TOML"),
        ("[[frames]]\nclassifier='a'\nlabel='b'\nthreshold=2", "threshold of 'b' must be above 0 and at most 1, got 2"),
        (
            "[[frames]]\nclassifier='a'\nlabel='b'\nthreshold=0.5\naction='x'",
            "must be one of block, blur, label, got 'x'",
        ),
        ("[[frames]]\nlabel='b'\nthreshold=0.5", "needs a text 'classifier'"),
        ("[[prompts]]\ncategory='a'\nterm=['b']", "term is not known in"),
        ("[[prompts]]\ncategory='a'\nterms=['b', 3]", "'terms' must be a list of str"),
        ("[[prompts]]\ncategory='a'\nterms=['*']", "has no letters"),
        ("nmae = 'x'", "nmae is not known"),
    ],
)
def test_a_bad_policy_says_what_is_wrong(tmp_path, content, message) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(content)
    with pytest.raises(ValueError, match=message):
        load_policy(file)
