#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'END'
usage: setup.sh POD.env [--keep] [--dry-run]

Installs vidgen (this checkout, as it is now, with its tpu extra) and the experiment's folder on all workers of an
active pod. What git ignores is not copied. Beside POD.env it keeps what it installed: POD.pack.tar.gz, the code, and
POD.lock, the versions of all packages. A later setup takes the same versions; delete POD.lock to get newer ones.

options:
  --keep       install the code of the last setup again, as after a preemption
  --dry-run    print the commands instead of running them
  -h, --help   show this page

examples:
  tpu_scripts/setup.sh pod.env --dry-run
  tpu_scripts/setup.sh pod.env
END
}

parse_command_line "$@"
KEEP=no
for option in ${OPTIONS[@]+"${OPTIONS[@]}"}; do
  case "$option" in --keep) KEEP=yes ;; *) die "unknown option $option; see setup.sh --help" ;; esac
done
need_run_settings
PACK="${POD_FILE%.env}.pack.tar.gz" LOCK="${POD_FILE%.env}.lock"

export COPYFILE_DISABLE=1 # macOS's tar would add a file of attributes to each file

# Copies a folder: what git tracks or would track, or all of it where there is no git.
copy_folder() {
  mkdir -p "$2"
  if git -C "$1" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    (cd "$1" && git ls-files -z --cached --others --exclude-standard . | while IFS= read -r -d '' file; do
      [[ ! -e "$file" ]] || printf '%s\0' "$file"
    done | tar -cf - --null -T -) | tar -xf - -C "$2"
  else
    tar -cf - -C "$1" --exclude=.venv --exclude=__pycache__ . | tar -xf - -C "$2"
  fi
}

pack() {
  local folder
  folder="$(mktemp -d)"
  mkdir "$folder/$REMOTE_DIR"
  cp "$TPU_SCRIPTS/worker.sh" "$folder/$REMOTE_DIR/"
  copy_folder "$(dirname "$TPU_SCRIPTS")" "$folder/$REMOTE_DIR/vidgen"
  [[ -n "${GIT_URL:-}" ]] || copy_folder "$FOLDER" "$folder/$REMOTE_DIR/experiment"
  [[ -n "${GIT_URL:-}" || -f "$folder/$REMOTE_DIR/experiment/$REMOTE_EXPERIMENT" ]] ||
    die "git ignores EXPERIMENT=$EXPERIMENT, so it is not copied"
  tar -czf "$PACK" -C "$folder" "$REMOTE_DIR"
  rm -rf "$folder"
}

if [[ "$DRY_RUN" == yes ]]; then
  note "# packs this checkout and the experiment into $PACK; the commands:"
elif [[ "$KEEP" == no || ! -f "$PACK" ]]; then
  pack
fi
# The folders of the last setup go, so that a file deleted here is gone there; the environment and the log stay.
install=(bash "$REMOTE_DIR/worker.sh" install)
[[ -z "${GIT_URL:-}" ]] || install+=("$GIT_URL" "$GIT_COMMIT")
unpack="if [ -f $REMOTE_DIR/worker.sh ]; then bash $REMOTE_DIR/worker.sh idle; fi"
unpack="$unpack && rm -rf $REMOTE_DIR/vidgen $REMOTE_DIR/experiment && tar -xzf $(quoted "$(basename "$PACK")")"
pod_copy "$PACK" || die "copying to the workers failed"
if [[ -f "$LOCK" ]]; then
  pod_copy "$LOCK" || die "copying to the workers failed"
  unpack="$unpack && mv $(quoted "$(basename "$LOCK")") $REMOTE_DIR/requirements.lock"
fi
pod_run "$unpack && $(quoted "${install[@]}")" ||
  die "the installation failed on some workers (see above); run setup.sh again"
if [[ ! -f "$LOCK" ]]; then
  first_fetch "$REMOTE_DIR/requirements.lock" "$LOCK"
fi
