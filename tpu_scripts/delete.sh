#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'END'
usage: delete.sh POD.env [--yes] [--dry-run]

Deletes the pod and ends its costs. The run's folder in the bucket stays: create.sh, setup.sh and launch.sh bring the
run back where it was. If it is training, stop it first (launch.sh --stop), so that nothing since the last checkpoint is
lost.

options:
  --yes        do not ask
  --dry-run    print the commands instead of running them
  -h, --help   show this page

examples:
  tpu_scripts/launch.sh pod.env --stop && tpu_scripts/delete.sh pod.env
  tpu_scripts/delete.sh pod.env --yes
END
}

parse_command_line "$@"
if [[ ${#OPTIONS[@]} -ne 0 && "${OPTIONS[*]}" != --yes ]]; then
  die "unknown option ${OPTIONS[*]}; see delete.sh --help"
fi
if [[ "$DRY_RUN" == no ]]; then
  read -r state word _ <<<"$(pod_state)"
  case "$state" in
    ABSENT)
      note "there is no pod $NAME in $ZONE"
      delete_leftovers || note "(what was not found was not there)"
      exit 0
      ;;
    UNKNOWN) die "cannot ask Google Cloud about $NAME (above is what gcloud says)" ;;
  esac
  if [[ ${#OPTIONS[@]} -eq 0 ]]; then
    read -r -p "delete $NAME ($SLICES x $TYPE, $word) in $PROJECT, $ZONE? [y/N] " answer || true
    [[ "${answer:-}" == [yY]* ]] || die "not deleted"
  fi
fi
pod_delete
