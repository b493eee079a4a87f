# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The code of the invisible mark: 48 bits and a checksum as a tail-biting convolutional code, decoded from soft values.

Rate 1/2, memory 8, generators 561 and 753 (octal): the best of that memory (Larsen, "Short convolutional codes with
maximal free distance", IEEE Transactions on Information Theory 19(3), 1973). The encoder starts in the state in which
it ends, so that no bits are spent on an end, and the decoder goes round the ring (Ma and Wolf, "On tail biting
convolutional codes", IEEE Transactions on Communications 34(2), 1986).
"""

import functools

import numpy as np

PAYLOAD_BITS = 48
CHECK_BITS = 16
MESSAGE_BITS = PAYLOAD_BITS + CHECK_BITS
CODED_BITS = 2 * MESSAGE_BITS

_MEMORY = 8
_STATES = 1 << _MEMORY
_GENERATORS = (0o561, 0o753)
_CRC_POLYNOMIAL = 0x1021  # CRC-16/CCITT
_LEAD, _TAIL = 48, 48  # steps round the ring before the first and after the last bit that is read


def check_of(bits_RS: np.ndarray) -> np.ndarray:
    """CRC-16 of rows of bits, as uint8 [R, 16]."""
    register = np.full(len(bits_RS), 0xFFFF, np.int64)
    for bit in np.asarray(bits_RS, np.int64).T:
        feedback = (register >> 15 ^ bit) & 1
        register = (register << 1 & 0xFFFF) ^ feedback * _CRC_POLYNOMIAL
    return (register[:, None] >> np.arange(15, -1, -1) & 1).astype(np.uint8)


def message(payload: bytes) -> np.ndarray:
    """A payload of 6 bytes and its checksum as uint8 [64]. Raises ValueError for another length."""
    if len(payload) * 8 != PAYLOAD_BITS:
        raise ValueError(f"a payload of {len(payload)} bytes was given; the mark carries exactly {PAYLOAD_BITS // 8}")
    bits = np.unpackbits(np.frombuffer(bytes(payload), np.uint8))
    return np.concatenate([bits, check_of(bits[None])[0]])


def payload_of(bits_S: np.ndarray) -> bytes:
    """The payload of a message of 64 bits."""
    return np.packbits(bits_S[:PAYLOAD_BITS]).tobytes()


def checks(bits_RS: np.ndarray) -> np.ndarray:
    """Of which messages, uint8 [R, 64], the checksum is right: bool [R]."""
    return (check_of(bits_RS[:, :PAYLOAD_BITS]) == bits_RS[:, PAYLOAD_BITS:]).all(axis=1)


@functools.cache
def _signs() -> np.ndarray:
    """Coded bits as +1 (0) and -1 (1) for each register (newest bit first, then the state): float32 [512, 2]."""
    register = np.arange(2 * _STATES)
    parity = [np.bitwise_count(register & generator) & 1 for generator in _GENERATORS]
    return 1 - 2 * np.stack(parity, axis=1).astype(np.float32)


def encode(bits_RS: np.ndarray) -> np.ndarray:
    """Messages, uint8 [R, 64], as signs, float32 [R, 128]: +1 for a coded 0."""
    bits = np.asarray(bits_RS, np.int64)
    # The register at a bit: it and the 8 before it, round the ring.
    register = sum(np.roll(bits, back, axis=1) << (_MEMORY - back) for back in range(_MEMORY + 1))
    return _signs()[register].reshape(len(bits), -1)


def decode(soft_RS: np.ndarray) -> np.ndarray:
    """Most likely messages, uint8 [R, 64], of soft values [R, 128] (positive for a coded 0), by Viterbi's algorithm."""
    rows, length = len(soft_RS), soft_RS.shape[1] // 2
    soft = np.asarray(soft_RS, np.float32).reshape(rows, length, 2)
    # Registers 2 s and 2 s + 1 lead into state s, from the states that are their lower 8 bits: the same two for s and
    # for s + 128. So states split into (newest bit, the 7 before it), and both halves come from all states in pairs.
    gains = (soft @ _signs().T).reshape(rows, length, 2, _STATES // 2, 2)
    metric = np.zeros((rows, _STATES), np.float32)
    chosen = []
    for step in range(_LEAD + length + _TAIL):
        paths = metric.reshape(rows, 1, _STATES // 2, 2) + gains[:, (step - _LEAD) % length]
        first, second = paths[..., 0], paths[..., 1]
        metric = np.maximum(first, second).reshape(rows, _STATES)
        chosen.append((second > first).reshape(rows, _STATES))
    row, state = np.arange(rows), metric.argmax(axis=1)
    bits = np.zeros((rows, length), np.uint8)
    for step in range(len(chosen) - 1, _LEAD - 1, -1):
        if step < _LEAD + length:
            bits[:, step - _LEAD] = state >> (_MEMORY - 1)
        state = (2 * state + chosen[step][row, state]) & (_STATES - 1)
    return bits
