"""Kafka: messages from topics with a group's committed offsets, and messages to a topic, each known to have arrived.

address     a URL and a settings file -> brokers, topics, group, the client's settings
consuming   topics -> messages; offsets committed up to what is answered, partitions taken and given
publishing  entries -> a topic, waiting until the brokers have each

The client library is an optional extra: ``pip install skystamp[kafka]``.
"""

from skystamp.sources.kafka.address import Address, Settings, is_kafka, parse, read_settings
from skystamp.sources.kafka.consuming import KafkaFeed
from skystamp.sources.kafka.publishing import Abandoned, Entry, Publisher

__all__ = [
    "Abandoned",
    "Address",
    "Entry",
    "KafkaFeed",
    "Publisher",
    "Settings",
    "is_kafka",
    "parse",
    "read_settings",
]
