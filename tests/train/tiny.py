# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A VAE experiment so small that a step takes milliseconds. As a program: `python tiny.py WORKDIR [STEP]`
trains it, and is killed at that step.
"""

import os
import signal
import sys

from vidgen import train
from vidgen.compilation import enable_compilation_cache
from vidgen.models.vae import Stage, VAEConfig
from vidgen.train.log import Log
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.vae import VAETraining
from vidgen.worlds.scene import SceneConfig

STAGES = (Stage(8, 16, 4, 16, 1),)


def get_config() -> VAETraining:
    """Twelve steps on clips of 5 frames at 16x16."""
    return VAETraining(
        model=VAEConfig(channels=4, encoder=STAGES, decoder=STAGES),
        optim=OptimConfig(warmup=2),
        loop=LoopConfig(steps=12, log_every=1, eval_every=0, save_every=2),
        scenes=SceneConfig(width=16, height=16, frames=5, objects=(1, 2)),
        batch_size=2,
    )


if __name__ == "__main__":
    if len(sys.argv) > 2:
        whole_step = Log.step

        def last_step(log: Log, step: int, *rest) -> None:
            """The step at which the process is killed, as by kill -9: nothing is flushed, no handler runs."""
            whole_step(log, step, *rest)
            if step == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)

        Log.step = last_step
    enable_compilation_cache()
    train.run(get_config(), sys.argv[1])
