"""What needs TensorFlow is run by `make test-import`, in its own environment, and is not looked at here."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("tensorflow") else ["apart"]
