# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of the names that public models give to what are our parameters, one file a model."""
