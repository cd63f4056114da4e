# numpy and scikit-learn from PyPI, in the virtual environment of the peers (build/peers, pinned in test/peers/requirements.txt). Source it at
# the top of the tree, from a script that has set -euo pipefail: it sets $python, and $without to the reason when they can't be had.
# shellcheck shell=bash disable=SC2034

venv=build/peers/venv
python=$PWD/$venv/bin/python
without=
if ! why=$(test/support/venv build/peers test/peers/requirements.txt --no-deps); then without="numpy and scikit-learn can't be had: $why"; fi
# One thread each: what is small is slower in several, and the runs share the processors already.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
