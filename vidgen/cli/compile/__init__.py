# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen compile`: what an experiment needs on a TPU slice, from the TPU compiler itself, without a TPU."""
