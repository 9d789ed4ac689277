"""The peers by name, the gateway first."""

from .direct import Direct
from .gateway import Gateway
from .haproxy import HAProxy
from .postfix import Postfix

ALL = {peer.name: peer for peer in (Gateway, HAProxy, Postfix, Direct)}
