# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Trust: what may be asked for, what may be shown, and where a file comes from. Functions of pixels and text alone."""
