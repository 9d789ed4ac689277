// A dialogue with the protocol core, out of a file of tests/dialogs:
//
//   # comment: the RFC section that the dialogue is about
//   O: size_limit 100          an option of ServerOptions: size_limit, max_recipients, max_errors, max_junk,
//                              bare_newline, extra_ehlo; smtputf8, dsn, chunking, starttls, tls_required, xclient, limits
//   A: rcpt 550 5.1.1 No       the adapter's answer to the next event of that name; "accept" is the default
//   C: EHLO c.test             the client sends the line and CRLF
//   R: a\nb\{600*x}\r\n        the client sends these bytes: \r \n \0 \\ \xHH, and \{COUNT*CHARACTER}
//   S: 250 2.0.0 Ok            the server sends exactly this line
//   E: mail <a@b> size=5       an event; if a script has one, it must list all but connect and helo
//   tls                        the client has made its handshake: what it sends next comes inside TLS
//   closed                     the session is closing at the end (else it must not be)
//
// The order of C and S is for the reader: what the server sends depends on the bytes alone.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/smtp/server_session.h"

namespace holdfast::smtp::dialog {

struct Script {
  ServerOptions options;
  std::map<std::string, std::deque<std::string>, std::less<>> answers;  // by event name
  std::string client;                                                   // all bytes
  std::string server;                                                   // all bytes
  std::vector<std::size_t> handshakes;                                  // where in `client`
  std::vector<std::string> events;
  bool closed = false;
};

// Throws std::runtime_error with the line's number.
Script parse(const std::string& text);

mail::Reply parse_reply(std::string_view text);

// Bytes as the scripts write them, and back.
std::string escape(std::string_view bytes);
std::string unescape(std::string_view text);

}  // namespace holdfast::smtp::dialog
