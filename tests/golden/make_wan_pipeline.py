# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A whole small random Wan 2.1 pipeline, as diffusers keeps it in a folder, and the video that diffusers makes with it.

python tests/golden/make_wan_pipeline.py

Needs torch, diffusers, transformers and sentencepiece; the tests that read the folder need none of the first three.
"""

import json
import shutil
from pathlib import Path

import diffusers
import numpy as np
import sentencepiece
import torch
import transformers
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from safetensors.numpy import save_file

FOLDER = Path(__file__).parent / "wan_pipeline"
PROMPTS = ["A dog runs &amp; jumps  over the moon.", "a cat"]
NEGATIVE = "blurry"
FRAMES, HEIGHT, WIDTH, STEPS, GUIDANCE = 9, 32, 48, 6, 4.0


def random_(model: torch.nn.Module) -> torch.nn.Module:
    """Every parameter is random, so that no term of the network is silent."""
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            gain = "norm" in key and key.endswith("weight")
            size = 0.2 if parameter.ndim < 2 or "gamma" in key else parameter[0].numel() ** -0.5
            parameter.normal_(std=size)
            if gain or "gamma" in key:
                parameter += 1
    return model.eval()


def make_tokenizer(folder: Path) -> None:
    """A SentencePiece model with T5's special ids."""
    folder.mkdir(parents=True)
    words = "a the dog cat runs jumps over moon and blurry red blue house tree river sun star on in under".split()
    lines = [f"{one} {other} {third}" for one in words for other in words for third in words[:5]]
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(lines), model_prefix=str(folder / "spiece"), vocab_size=300, model_type="unigram",
        byte_fallback=True, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    (folder / "spiece.vocab").unlink()


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    torch.manual_seed(0)
    make_tokenizer(FOLDER / "tokenizer")
    tokenizer = sentencepiece.SentencePieceProcessor(str(FOLDER / "tokenizer" / "spiece.model"))
    transformer = random_(
        WanTransformer3DModel(
            patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4,
            text_dim=16, freq_dim=16, ffn_dim=48, num_layers=2, cross_attn_norm=True,
            qk_norm="rms_norm_across_heads", rope_max_seq_len=64,
        )
    )  # fmt: skip
    vae = random_(
        AutoencoderKLWan(
            base_dim=4, z_dim=4, dim_mult=[1, 2, 2, 2], num_res_blocks=1, temperal_downsample=[False, True, True],
            latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[1.5, 0.7, 1.1, 0.9],
        )
    )  # fmt: skip
    config = transformers.UMT5Config(
        vocab_size=tokenizer.GetPieceSize(), d_model=16, num_heads=2, d_kv=8, d_ff=24, num_layers=2,
        feed_forward_proj="gated-gelu", dropout_rate=0.0,
    )  # fmt: skip
    encoder = random_(transformers.UMT5EncoderModel(config))
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, solver_order=2
    )
    for name, part in (("transformer", transformer), ("vae", vae), ("text_encoder", encoder), ("scheduler", scheduler)):
        part.save_pretrained(FOLDER / name)
    index = {"_class_name": "WanPipeline", "_diffusers_version": diffusers.__version__}
    (FOLDER / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")

    def embed(texts: list[str]) -> torch.Tensor:
        """As WanPipeline does it, from ids of SentencePiece itself: zeros past the end."""
        from diffusers.pipelines.wan.pipeline_wan import prompt_clean

        features = torch.zeros(len(texts), 512, 16)
        for row, text in enumerate(texts):
            ids = torch.tensor([[*tokenizer.EncodeAsIds(prompt_clean(text)), 1]])
            padded = torch.nn.functional.pad(ids, (0, 512 - ids.shape[1]))
            said = encoder(padded, attention_mask=(padded > 0).long()).last_hidden_state[0]
            features[row, : ids.shape[1]] = said[: ids.shape[1]]
        return features

    pipeline = WanPipeline(tokenizer=None, text_encoder=encoder, vae=vae, scheduler=scheduler, transformer=transformer)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.randn(2, 4, 1 + (FRAMES - 1) // 4, HEIGHT // 8, WIDTH // 8)
    with torch.no_grad():
        video = pipeline(
            prompt_embeds=embed(PROMPTS), negative_prompt_embeds=embed([NEGATIVE] * 2), height=HEIGHT, width=WIDTH,
            num_frames=FRAMES, num_inference_steps=STEPS, guidance_scale=GUIDANCE, latents=noise, output_type="np",
        ).frames  # fmt: skip
    said = {"noise": noise.numpy(), "video": np.ascontiguousarray(video.astype(np.float32))}
    save_file(said, FOLDER / "expected.safetensors")
    for file in FOLDER.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)


if __name__ == "__main__":
    main()
