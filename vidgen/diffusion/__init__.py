# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rectified flow as pure functions: paths, times, loss, guidance, solvers. Nothing here knows a network.

One convention throughout: x_t = (1 - t) x_0 + t eps, v = eps - x_0, so t = 0 is data and t = 1 is noise. Time is per
token: a token with t = 0 is given, a token with t > 0 is to be made. Every `mask` is True where a token is to be made.
"""
