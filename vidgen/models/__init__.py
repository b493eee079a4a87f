# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Networks as pure functions of parameters and arrays; none of them knows a mesh, a data set or a solver."""
