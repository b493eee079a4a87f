# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The code of the invisible mark."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen.safety import coding


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=6, max_size=6))
def test_a_payload_comes_back(payload):
    bits = coding.message(payload)
    read = coding.decode(coding.encode(bits[None]))
    assert coding.checks(read)[0] and coding.payload_of(read[0]) == payload


def test_the_checksum_is_crc_16():
    # The check value of CRC-16/CCITT-FALSE: of the ASCII digits 1 to 9.
    digits = np.unpackbits(np.frombuffer(b"123456789", np.uint8))
    assert np.packbits(coding.check_of(digits[None])[0]).tobytes().hex() == "29b1"


def test_one_wrong_bit_fails_the_checksum():
    bits = np.repeat(coding.message(b"vidgen")[None], coding.MESSAGE_BITS, axis=0)
    assert coding.checks(bits).all()
    assert not coding.checks(bits ^ np.eye(coding.MESSAGE_BITS, dtype=np.uint8)).any()


def test_noise_is_corrected_as_far_as_the_code_can():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (200, coding.MESSAGE_BITS)).astype(np.uint8)
    sent = coding.encode(bits)
    noise = rng.normal(size=sent.shape)
    # Of 64 bits that are sent as they are 9 % would be wrong, and 1 message in 500 would be whole.
    assert (coding.decode(sent + 0.75 * noise) == bits).all(axis=1).mean() > 0.97
    assert (coding.decode(sent + 2.0 * noise) == bits).all(axis=1).mean() < 0.1


def test_coded_messages_differ_in_at_least_twelve_places():
    zero = coding.encode(np.zeros((1, coding.MESSAGE_BITS), np.uint8))
    rng = np.random.default_rng(0)
    few = np.concatenate([np.eye(coding.MESSAGE_BITS, dtype=np.uint8), rng.integers(0, 2, (500, 64)).astype(np.uint8)])
    few = few[few.any(axis=1)]
    assert (coding.encode(few) != zero).sum(axis=1).min() >= 12


def test_a_payload_of_another_length_is_refused():
    with pytest.raises(ValueError, match="exactly 6"):
        coding.message(b"seven77")
