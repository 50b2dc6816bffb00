"""Whose request it is, as a trusted proxy in front of us tells."""

from __future__ import annotations

import ipaddress
import re

from starlette.datastructures import Headers

__all__ = ["client_address"]

_HOST_AND_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([\d.]+):\d+")
_IPV6_CLIENT_BITS = 64


def client_address(headers: Headers, name: str) -> str:
    """The client in the header `name`: its last entry, for earlier ones are the client's own words.

    All IPv6 addresses of one /64 are one client, as that is what a provider hands out; ports do not count. What is no
    address stands for itself, "" for a header that is not there.
    """
    entry = ", ".join(headers.getlist(name)).rpartition(",")[2].strip().strip('"')
    if found := _HOST_AND_PORT.fullmatch(entry):
        entry = found[1] or found[2]
    try:
        address = ipaddress.ip_address(entry)
    except ValueError:
        return entry
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), _IPV6_CLIENT_BITS), strict=False))
