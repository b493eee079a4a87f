# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Distances between two sets of features: Frechet's, and the maximum mean discrepancy."""

import numpy as np


def frechet_distance(one_ND: np.ndarray, other_ND: np.ndarray) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2), the squared Frechet distance of two Gaussians with the sets' moments.

    Dowson and Landau, "The Frechet distance between multivariate normal distributions", Journal of Multivariate
    Analysis 12, 1982. Both: float [N, D], N at least 2. Raises ValueError for anything else.
    """
    one, other = _pair(one_ND, other_ND)
    cov_one, cov_other = np.atleast_2d(np.cov(one, rowvar=False)), np.atleast_2d(np.cov(other, rowvar=False))
    # The eigenvalues of S1 S2 are those of the symmetric S1^1/2 S2 S1^1/2.
    values, vectors = np.linalg.eigh(cov_one)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cov_other @ root), 0)).sum()
    gap = one.mean(0) - other.mean(0)
    return float(gap @ gap + np.trace(cov_one) + np.trace(cov_other) - 2 * cross)


def mmd(one_ND: np.ndarray, other_ND: np.ndarray) -> float:
    """The squared maximum mean discrepancy with the kernel (x . y / D + 1)^3, unbiased: it may be a little under 0.

    Gretton et al., "A kernel two-sample test", JMLR 13, 2012, equation 3; the kernel is that of Binkowski et al.,
    "Demystifying MMD GANs", ICLR 2018, arXiv:1801.01401. Both: float [N, D], N at least 2; else ValueError.
    """
    one, other = _pair(one_ND, other_ND)
    within = sum(_off_diagonal_mean(_kernel(some, some)) for some in (one, other))
    return float(within - 2 * _kernel(one, other).mean())


def _kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one @ other.T / one.shape[1] + 1) ** 3


def _off_diagonal_mean(values_NN: np.ndarray) -> float:
    n = len(values_NN)
    return float((values_NN.sum() - np.trace(values_NN)) / (n * (n - 1)))


def _pair(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1] or min(len(one), len(other)) < 2:
        raise ValueError(f"two sets [N, D] of one width are needed, N at least 2; given: {one.shape} and {other.shape}")
    return one, other
