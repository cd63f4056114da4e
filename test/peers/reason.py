"""Why the peers aren't there, in the words of what should have fetched them (test/support/venv, called by run)."""
import os


def why():
    """What follows "can't be had": ": " and the reason, or nothing where none was given."""
    said = os.environ.get("PQL_NO_PEERS")
    return f": {said}" if said else ""
