# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Balls that move by the laws of mechanics: PhyWorld's scenes, their pictures, and a detector for them."""
