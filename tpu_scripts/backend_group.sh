# shellcheck shell=bash disable=SC2034,SC2153 # one file sets what another uses
# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
#
# 7x: the Cloud TPU API does not serve it, so a slice is a managed instance group of Compute Engine, made from an
# instance template and, from two machines on, a workload policy that holds the topology. Sourced by common.sh.

PLACE=() REGION="" HOSTS=0
CHIPS_PER_HOST=4 # of tpu7x-standard-4t

check_backend() {
  PLACE=(--project="$PROJECT" --zone="$ZONE")
  REGION="${ZONE%-*}"
  HOSTS=$((${ACCELERATOR#tpu7x-} / 2 / CHIPS_PER_HOST)) # the accelerator's number counts cores, two a chip
  [[ "$SLICES" -eq 1 ]] ||
    die "SLICES=$SLICES: several slices of 7x need Google Kubernetes Engine, which these scripts do not use"
  [[ "$TIER" != reserved || -n "${RESERVATION:-}" ]] || die "TIER=reserved of 7x needs RESERVATION=name"
  RUNTIME="${RUNTIME:-ubuntu-accel-2404-amd64-tpu-tpu7x}"
}

pod_create() {
  local template=(gcloud compute instance-templates create "$NAME" --project="$PROJECT"
    --machine-type=tpu7x-standard-4t --image-family="$RUNTIME" --image-project=ubuntu-os-accelerator-images
    --boot-disk-type=hyperdisk-balanced --boot-disk-size=200GB --maintenance-policy=TERMINATE --scopes=cloud-platform)
  case "$TIER" in
    spot) template+=(--provisioning-model=SPOT --instance-termination-action=STOP) ;;
    reserved) template+=(--provisioning-model=RESERVATION_BOUND --instance-termination-action=DELETE
      --reservation-affinity=specific --reservation="$RESERVATION") ;;
  esac
  [[ "$INTERNAL_IPS" == no ]] || template+=(--no-address)
  [[ -z "${SERVICE_ACCOUNT:-}" ]] || template+=(--service-account="$SERVICE_ACCOUNT")
  [[ -z "${NETWORK:-}" ]] || template+=(--network="$NETWORK")
  [[ -z "${SUBNETWORK:-}" ]] || template+=(--subnet="projects/$PROJECT/regions/$REGION/subnetworks/$SUBNETWORK")
  local group=(gcloud compute instance-groups managed create "$NAME" "${PLACE[@]}" --template="$NAME" --size="$HOSTS"
    --default-action-on-vm-failure=do-nothing)
  if [[ "$HOSTS" -gt 1 ]]; then
    run gcloud compute resource-policies create workload-policy "$NAME" --project="$PROJECT" --region="$REGION" \
      --type=HIGH_THROUGHPUT --accelerator-topology="${TYPE#7x:}" --accelerator-topology-mode=AUTO_CONNECT
    group+=(--target-size-policy-mode=bulk
      --workload-policy="projects/$PROJECT/regions/$REGION/resourcePolicies/$NAME")
  fi
  run "${template[@]}"
  run "${group[@]}"
}

# Prints one of ABSENT, WAITING, ACTIVE, LOST, UNKNOWN, then what that was read from.
pod_state() {
  local list=(gcloud compute instance-groups managed list-instances "$NAME" "${PLACE[@]}"
    "--format=csv[no-heading](instance.basename(),instanceStatus)")
  if [[ "$DRY_RUN" == yes ]]; then
    quoted "${list[@]}"
    return
  fi
  local running status=0
  ask "${list[@]}" || status=$?
  case "$status" in 1) echo ABSENT && return ;; 2) echo UNKNOWN && return ;; esac
  running="$(printf '%s\n' "$ANSWER" | grep -c ',RUNNING$')" || true
  if printf '%s\n' "$ANSWER" | grep -qE ',(STOPPING|STOPPED|TERMINATED|SUSPENDING|SUSPENDED)$'; then
    echo "LOST $running-of-$HOSTS-running $ACCELERATOR"
  elif [[ "$running" -eq "$HOSTS" ]]; then
    echo "ACTIVE $running-of-$HOSTS-running $ACCELERATOR"
  else
    echo "WAITING $running-of-$HOSTS-running $ACCELERATOR"
  fi
}

# The machines' names, a line each; their random endings are known only when they are there.
machines() {
  if [[ "$DRY_RUN" == yes ]]; then
    echo MACHINE
    return
  fi
  ask gcloud compute instance-groups managed list-instances "$NAME" "${PLACE[@]}" \
    --format="value(instance.basename())" || die "cannot list the machines of $NAME"
  [[ -n "$ANSWER" ]] || die "$NAME has no machines yet"
  printf '%s\n' "$ANSWER" | sort
}

compute() {
  local verb="$1"
  shift
  if [[ "$INTERNAL_IPS" == yes ]]; then
    run gcloud compute "$verb" "$@" "${PLACE[@]}" --tunnel-through-iap
  else
    run gcloud compute "$verb" "$@" "${PLACE[@]}"
  fi
}

machine_run() { compute ssh "$2" --command="$1"; }

machine_copy() { compute scp "$1" "$2:"; }

each_machine() {
  local all
  all="$(machines)"
  if [[ "$DRY_RUN" == yes ]]; then
    note "# for every MACHINE of this list:"
    pod_state
  fi
  # shellcheck disable=SC2086 # names of machines have no spaces
  for_each "$@" -- $all
}

# Runs a shell command on every machine.
pod_run() { each_machine machine_run "$1"; }

# Copies a file into the home folder of every machine.
pod_copy() { each_machine machine_copy "$1"; }

# Runs a shell command on the first machine alone.
first_run() {
  local all
  all="$(machines)"
  machine_run "$1" "$(head -n 1 <<<"$all")"
}

# Copies a file of the first machine, named from its home folder, to here.
first_fetch() {
  local all
  all="$(machines)"
  compute scp "$(head -n 1 <<<"$all"):$1" "$2"
}

# What a half-made pod may leave.
delete_leftovers() {
  run gcloud compute instance-templates delete "$NAME" --project="$PROJECT" --quiet
  [[ "$HOSTS" -eq 1 ]] ||
    run gcloud compute resource-policies delete "$NAME" --project="$PROJECT" --region="$REGION" --quiet
}

pod_delete() {
  run gcloud compute instance-groups managed delete "$NAME" "${PLACE[@]}" --quiet
  delete_leftovers
}
