#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'END'
usage: fetch.sh POD.env [samples] [logs] [weights] [--out=DIR] [--dry-run]

Copies what a run has made so far to this machine; without a word, all of it. It may be training meanwhile.

  samples    pictures of the evaluations, and TensorBoard's files     from WORKDIR
  weights    the model in the form that 'vidgen generate --model' and later stages read     from WORKDIR
  logs       what vidgen printed on every worker, each line with the worker's name     from the workers, while they live

options:
  --out=DIR    where to put it (a folder named like POD.env, without .env)
  --dry-run    print the commands instead of running them
  -h, --help   show this page

examples:
  tpu_scripts/fetch.sh pod.env
  tpu_scripts/fetch.sh pod.env weights --out=runs/first
  tensorboard --logdir pod/tensorboard
END
}

parse_command_line "$@"
need_run_settings
OUT="${POD_FILE%.env}" PARTS=()
for option in ${OPTIONS[@]+"${OPTIONS[@]}"}; do
  case "$option" in
    --out=?*) OUT="${option#--out=}" ;;
    samples | logs | weights) PARTS+=("$option") ;;
    *) die "unknown option $option; see fetch.sh --help" ;;
  esac
done
[[ ${#PARTS[@]} -gt 0 ]] || PARTS=(samples logs weights)
failed=()

# A folder of the run; one that the run has not made yet is no error.
fetch_folder() {
  if [[ "$DRY_RUN" == no ]]; then
    if ! gcloud storage ls "$WORKDIR/$1/" --project="$PROJECT" >/dev/null; then
      note "there is no $WORKDIR/$1 yet, or it cannot be read (see above)"
      failed+=("$1")
      return
    fi
    mkdir -p "$OUT/$1"
  fi
  run gcloud storage rsync --recursive "$WORKDIR/$1" "$OUT/$1" --project="$PROJECT" || failed+=("$1")
}

for part in "${PARTS[@]}"; do
  case "$part" in
    samples)
      fetch_folder samples
      fetch_folder tensorboard
      ;;
    weights) fetch_folder model ;;
    logs)
      # shellcheck disable=SC2016 # $HOSTNAME is the worker's
      prefixed='sed "s/^/$HOSTNAME: /" '"$REMOTE_DIR/train.log"
      if [[ "$DRY_RUN" == yes ]]; then pod_run "$prefixed"; else
        mkdir -p "$OUT"
        pod_run "$prefixed" >"$OUT/train.log" || failed+=(logs)
      fi
      ;;
  esac
done
[[ ${#failed[@]} -eq 0 ]] || die "not fetched: ${failed[*]} (see above)"
[[ "$DRY_RUN" == yes ]] || note "fetched into $OUT"
