# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How good a model is, in worlds whose truth is known: `world` runs the benchmark, `suites` holds what it measures."""
