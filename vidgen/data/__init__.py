# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Videos with captions: builders, decoding, the tokenizer, cached latents and resumable batches."""
