#!/bin/bash
# An experiment as a Slurm array: each task carries out its share of the runs, into one folder that all machines see.
#
#   sbatch --array=0-15 docs/examples/slurm.sh labs/pool-links.toml out/pool-links
#
# A task that is started again goes on where it stopped. If two tasks end at once, `laboratory report out/pool-links`
# puts the parts together.
#SBATCH --job-name=laboratory
#SBATCH --cpus-per-task=1
set -euo pipefail
scenario=${1:?a scenario} out=${2:?a folder of results}
exec laboratory run "$scenario" --out "$out" --threads "${SLURM_CPUS_PER_TASK:-1}" \
    --shard "${SLURM_ARRAY_TASK_ID:?start it with sbatch --array=0-15}/${SLURM_ARRAY_TASK_COUNT:?}"
