# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Text-to-video generation in JAX. Importing the package itself imports nothing heavy."""

__version__ = "0.1.0"
