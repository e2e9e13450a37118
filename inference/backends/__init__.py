"""Ways to run the network: one interface, a file for each.

Importing this loads no library; a backend loads its own when it is opened.
"""

from inference.backends.interface import Backend, BackendMissing, Engine, Outputs

__all__ = ["Backend", "BackendMissing", "Engine", "Outputs"]
