# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Weights on disk: training checkpoints (Orbax) and released parameters (safetensors)."""
