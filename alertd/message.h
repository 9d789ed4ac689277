// A notice as the roads carry it: a mail, the body of a webhook, the input of a command. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alertd/alert.h"
#include "common/config/config.h"

namespace holdfast::alertd {

struct MailHeads {
  std::string from, to;              // addresses
  std::string host;                  // our name, for the Message-ID
};
// An RFC 5322 message with CRLF line ends, 7 bit, no line over 998. Notices of one alert are one thread; retries have
// the same Message-ID.
std::string mail_text(const Notice& notice, const MailHeads& heads);

struct WebBody {
  std::string content, content_type;
  std::vector<std::string> headers;  // "Name: value", beside those of the configuration
};
// `repeat_ms`: when an open alert may be forgotten by a receiver that hears no more of it (alertmanager).
WebBody web_body(const Notice& notice, const config::Webhook& hook, std::int64_t repeat_ms);

// {{NAME}}: the value, escaped for the inside of a JSON text; {{NAME_json}}: as a JSON value. What is unknown stays.
std::string fill_template(std::string_view text, const std::vector<Fact>& facts);
// One object.
std::string facts_json(const Notice& notice);

}  // namespace holdfast::alertd
