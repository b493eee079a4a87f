# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""TFDS builders, one file a data set; `vidgen.data.catalog` lists and runs them."""
