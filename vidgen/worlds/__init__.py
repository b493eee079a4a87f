# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated scenes with exact captions and ground truth: the art, the scene, its frames, its words."""
