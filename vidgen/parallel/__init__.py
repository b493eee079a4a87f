# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What depends on the devices: meshes, which array lies where, and attention behind one signature."""
