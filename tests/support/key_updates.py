"""A TLS 1.3 client that asks for new keys again and again (RFC 8446 section 4.6.3) and reads none of the answers: Python's
ssl cannot ask, so that libssl is called directly."""

import ctypes

_TLS1_3 = 0x0304
_SSL_CTRL_SET_MIN_PROTO_VERSION = 123
_REQUESTED = 1


def pour(descriptor, most):
    """Shakes hands on a connected blocking socket, says EHLO and MAIL, then asks up to `most` times; how often it could."""
    ssl = ctypes.CDLL("libssl.so.3")
    for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
        getattr(ssl, name).restype = ctypes.c_void_p
    context = ctypes.c_void_p(ssl.SSL_CTX_new(ctypes.c_void_p(ssl.TLS_client_method())))
    ssl.SSL_CTX_ctrl(context, _SSL_CTRL_SET_MIN_PROTO_VERSION, ctypes.c_long(_TLS1_3), None)
    session = ctypes.c_void_p(ssl.SSL_new(context))
    try:
        ssl.SSL_set_fd(session, descriptor)
        assert ssl.SSL_connect(session) == 1, "no handshake"
        for line in (b"EHLO x\r\n", b"MAIL FROM:<a@client.test>\r\n"):
            ssl.SSL_write(session, line, len(line))
        for done in range(most):
            if ssl.SSL_key_update(session, _REQUESTED) != 1 or ssl.SSL_do_handshake(session) != 1:
                return done
        return most
    finally:
        ssl.SSL_free(session)
        ssl.SSL_CTX_free(context)
