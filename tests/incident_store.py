"""The table of incidents in memory. It passes the tests of the one in DynamoDB."""

import threading
from collections.abc import Collection, Mapping

from rekey.incident import Incident


class MemoryIncidents:
    """See IncidentStore."""

    def __init__(self) -> None:
        self._kept: dict[str, Incident] = {}
        self._lock = threading.Lock()

    def get(self, topic: str) -> Incident | None:
        return self._kept.get(topic)

    def get_many(self, topics: Collection[str]) -> Mapping[str, Incident]:
        return {topic: self._kept[topic] for topic in topics if topic in self._kept}

    def put(self, incident: Incident, *, replaces: Incident | None) -> bool:
        with self._lock:
            stored = self._kept.get(incident.topic)
            revision = stored.revision if stored else None
            if revision != (replaces.revision if replaces else None):
                return False
            self._kept[incident.topic] = incident
        return True
