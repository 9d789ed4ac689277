"""The peers by name, the gateway first."""

from .direct import Direct
from .exim import Exim
from .gateway import Gateway
from .haproxy import HAProxy
from .haraka import Haraka
from .opensmtpd import OpenSMTPD
from .postfix import Postfix

ALL = {peer.name: peer for peer in (Gateway, HAProxy, Postfix, Exim, OpenSMTPD, Haraka, Direct)}
