"""The domain backup.test, whose servers a gateway finds by MX."""

from . import ports
from .name_server import NameServer

NAME = "backup/backup.test"  # what its destination is called

HOSTS = ("a IN A 127.0.0.41\nb IN A 127.0.0.42\nc IN A 127.0.0.43\n"
         "us IN A 127.0.0.1\nalias IN CNAME a\n")


class Zone:
    """backup.test and its servers a, b, c, all on one port, of which a test starts those it wants. `records` may have
    {port} in them."""

    def __init__(self, world, records, ttl=300, signed=False):
        self.world, self.port = world, ports.free_port()
        self.signed = signed
        self.names = world.keep(NameServer({"backup.test": self.text(records)}, ttl=ttl, signed=signed))
        self.names.start()

    def text(self, records):
        return records.format(port=self.port) + HOSTS

    def server(self, last, **options):
        return self.world.destination(port=self.port, address=f"127.0.0.{40 + last}", **options)

    def gateway(self, start=True, anchors=None, **more):
        dns = {"resolvers": [self.names.server]}
        if self.signed or anchors:
            dns["trust_anchors"] = str(anchors or self.names.trust_anchors)
        return self.world.gateway(start=start, destinations={"backup": {"mx": True, "mx_port": self.port, **more}},
                                  domains={"backup.test": {"destination": "backup", "local_recipients": ["known"]}},
                                  settings={"dns": dns})


def names_of(gateway):
    """The servers that the prober has found, and their states."""
    return {row["server"].split(":")[0]: row["state"] for row in gateway.json("dest", "show", "backup")[0]["servers"]}
