# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: main.py and one thin file a verb. Nothing here imports JAX before a verb needs it."""
