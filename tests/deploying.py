"""Bring `serve_apps.alerts` up on a cluster and leave it: `python -m tests.deploying GCS_PORT SERVICE_AS_JSON`."""

import json
import sys
from typing import Any


def main(gcs_port: str, service: dict[str, Any]) -> None:
    """Come back when the service is up."""
    from skystamp.cluster import environment

    environment.apply(local=True)
    import ray
    from ray import serve

    from serve_apps import alerts

    for name, replicas in service["replicas"].items():
        setattr(alerts, name, getattr(alerts, name).options(num_replicas=replicas))
    ray.init(address=f"127.0.0.1:{gcs_port}", log_to_driver=False, logging_level="WARNING")
    serve.start(http_options={"host": "127.0.0.1", "port": service["port"], "location": "HeadOnly"})
    arguments = alerts.Args(models=service["models"], store=service["store"], tracking_uri="sqlite://", threads=1)
    serve.run(alerts.build(arguments), name="alerts")


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
