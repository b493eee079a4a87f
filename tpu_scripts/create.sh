#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'END'
usage: create.sh POD.env [--dry-run]

Asks Google Cloud for the pod that POD.env describes. The request waits in a queue until there is room; chips cost
from the moment the pod is active until delete.sh. If the pod is there already, nothing is changed.

options:
  --dry-run    print the commands instead of running them
  -h, --help   show this page

examples:
  cp tpu_scripts/pod.example.env pod.env    # then fill it in
  tpu_scripts/create.sh pod.env --dry-run
  tpu_scripts/create.sh pod.env
END
}

parse_command_line "$@"
no_more_options
if [[ "$DRY_RUN" == no ]]; then
  read -r state word type <<<"$(pod_state)"
  case "$state" in
    ABSENT) ;;
    UNKNOWN) die "cannot ask Google Cloud about $NAME (above is what gcloud says)" ;;
    LOST | FAILED) die "$NAME exists and is $word: run delete.sh first, or watch.sh, which also brings the run back" ;;
    *)
      [[ -z "$type" || "$type" == "$ACCELERATOR" ]] ||
        die "the name $NAME is taken by a pod of type $type, and $ACCELERATOR is asked for: take another, or delete.sh"
      note "$NAME exists already and is $word; nothing to do"
      exit 0
      ;;
  esac
fi
pod_create
[[ "$DRY_RUN" == yes ]] || note "asked for $SLICES x $TYPE ($TIER) as $NAME; watch.sh tells how it goes"
