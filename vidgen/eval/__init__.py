# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How good a model is: reconstruction against the source, and videos against what their prompts say."""
