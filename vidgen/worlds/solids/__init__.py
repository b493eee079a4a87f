# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated 3-D scenes of balls, boxes and cylinders, with exact captions and ground truth (needs MuJoCo)."""
