# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Latents on disk: every clip once and in order, resumable, and honest about what they are."""

import numpy as np
import pytest

from vidgen.data.latents import HEADER, LatentSource, write_latents


class Clips:
    """Clip i has i in its first pixel; reading clip `broken` fails."""

    def __init__(self, size, broken=None):
        self.size, self.broken, self.read = size, broken, []

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if index == self.broken:
            raise OSError(f"clip {index} cannot be read")
        self.read.append(index)
        video = np.zeros((5, 4, 6, 3), np.uint8)
        video[0, 0, 0] = index
        return {"video": video, "captions": (f"clip {index}", "é👩‍🚀 \u2581")}


def encode(video_BFHWC):
    assert video_BFHWC.shape == (4, 5, 4, 6, 3)
    assert video_BFHWC.dtype == np.uint8
    latent = np.zeros((4, 2, 2, 3, 8), np.float16)
    latent[:] = video_BFHWC[:, :1, :1, :1, :1] / 3
    return latent


def write(path, source, encoder=encode, vae_hash="abc", **options):
    return write_latents(
        path, source, encoder, 4, source_description="clips", vae_hash=vae_hash, progress=False, **options
    )


@pytest.mark.parametrize(("size", "shard_size"), [(1, 6), (12, 6), (17, 6), (9, 100)])
def test_every_clip_is_there_once_and_in_order(tmp_path, size, shard_size):
    header = write(tmp_path, Clips(size), shard_size=shard_size)
    assert (header.count, header.shape, header.vae_hash) == (size, (2, 2, 3, 8), "abc")
    latents = LatentSource(tmp_path)
    assert len(latents) == size
    assert latents.header == header
    for i in range(size):
        item = latents[i]
        assert item["latent"].dtype == np.float16
        assert np.array_equal(item["latent"], np.full((2, 2, 3, 8), np.float16(i / 3)))
        assert item["captions"] == (f"clip {i}", "é👩‍🚀 \u2581")
    with pytest.raises(IndexError, match=f"0 to {size - 1}"):
        latents[size]


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path):
    with pytest.raises(OSError, match="clip 13"):
        write(tmp_path / "a", Clips(17, broken=13), shard_size=6)
    with pytest.raises(ValueError, match="unfinished"):
        LatentSource(tmp_path / "a")
    rest = Clips(17)
    write(tmp_path / "a", rest, shard_size=6)
    assert sorted(rest.read) == list(range(12, 17))
    write(tmp_path / "b", Clips(17), shard_size=6)
    files = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert files == sorted(file.name for file in (tmp_path / "b").iterdir())
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_finished_folder_is_not_encoded_again(tmp_path):
    header = write(tmp_path, Clips(5))
    again = Clips(5)
    assert write(tmp_path, again) == header
    assert again.read == []


def test_other_latents_are_not_overwritten(tmp_path):
    write(tmp_path, Clips(5))
    before = (tmp_path / HEADER).read_bytes()
    for source, vae_hash in ((Clips(6), "abc"), (Clips(5), "other")):
        with pytest.raises(ValueError, match="other latents"):
            write(tmp_path, source, vae_hash=vae_hash)
    assert (tmp_path / HEADER).read_bytes() == before


def test_what_encode_returns_is_checked(tmp_path):
    with pytest.raises(ValueError, match="float32"):
        write(tmp_path / "a", Clips(2), lambda video: encode(video).astype(np.float32))
    with pytest.raises(ValueError, match="it must return float16"):
        write(tmp_path / "b", Clips(2), lambda video: encode(video)[:2])

    def overflow(video_BFHWC):
        latent = encode(video_BFHWC)
        latent[video_BFHWC[:, 0, 0, 0, 0] == 5] = np.inf
        return latent

    with pytest.raises(ValueError, match="clip 5 is not finite"):
        write(tmp_path / "c", Clips(7), overflow)


def test_empty_and_missing_are_errors(tmp_path):
    with pytest.raises(ValueError, match="empty"):
        write(tmp_path, Clips(0))
    with pytest.raises(FileNotFoundError, match="not a folder of latents"):
        LatentSource(tmp_path)
