"""Version of the installed distribution."""

__all__ = ["version"]


def version() -> str:
    """Version such as "0.1.0"; "0+unknown" when run from a folder that was never installed."""
    # Imported here because it costs 30 ms, which `affectscope --help` should not pay.
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed_version

    try:
        return installed_version("affectscope")
    except PackageNotFoundError:
        return "0+unknown"
