# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The suites of the benchmark, one small file a family; `catalog` lists them all."""
