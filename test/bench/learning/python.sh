# numpy and scikit-learn from PyPI, in the versions of requirements.txt, into build/learning-peers. Source it at the top of the tree, from
# a script that has set -euo pipefail: it sets $python, and $without to the reason when they can't be had.
# shellcheck shell=bash disable=SC2034

venv=build/learning-peers
pins=test/bench/learning/requirements.txt
install_peers() {
  rm -rf "$venv"
  mkdir -p "$(dirname "$venv")"
  python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --no-deps --only-binary :all: --retries 1 --timeout 30 --disable-pip-version-check -r "$pins" &&
    cp "$pins" "$venv/installed"
}
python=$PWD/$venv/bin/python
without=
if ! cmp -s "$pins" "$venv/installed" && ! install_peers; then without="numpy and scikit-learn can't be had from PyPI"; fi
# One thread each: what is small is slower in several, and the runs share the processors already.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
