"""What Ray should find in the environment; entry points apply it before Ray is imported, which reads it once."""

import os

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # or Ray rewrites 127.0.0.1 to an interface that others can reach
    "RAY_DATA_USE_DATASOURCE_V2": "0",  # the new Parquet reader costs 5 s an execution
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the coming default; without it Ray warns
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "skystamp.request_ids:middlewares",  # or any X-Request-ID is logged
}
"""For any cluster."""

LOCAL_ENVIRONMENT = {**ENVIRONMENT, "RAY_AUTH_MODE": "disabled"}
"""For a cluster of this machine alone, on loopback, which needs no token."""


def apply(*, local: bool) -> None:
    """Put the settings into this process's environment; what is set there already stands."""
    for name, value in (LOCAL_ENVIRONMENT if local else ENVIRONMENT).items():
        os.environ.setdefault(name, value)
