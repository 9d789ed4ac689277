// XCLIENT: what is understood is clean, and understood as the same when we say it to a server behind.
#include <array>

#include "common/base/panic.h"
#include "common/base/text.h"
#include "common/smtp/parameters.h"
#include "common/smtp/xclient.h"
#include "fuzz/target.h"
#include "fuzz/wire_checks.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using smtp::XclientAttributes;

using Members = std::array<const std::optional<std::string>*, 8>;

Members members_of(const XclientAttributes& a) {
  return {&a.name, &a.addr, &a.port, &a.proto, &a.helo, &a.login, &a.destaddr, &a.destport};
}

std::string text_of(const XclientAttributes& attributes) {
  std::string out;
  for (const auto* member : members_of(attributes)) out += *member ? "[" + **member + "]" : "-";
  return out;
}

void check_values(const XclientAttributes& attributes) {
  for (const auto* member : members_of(attributes)) {
    if (!*member) continue;
    expect((*member)->size() <= 255, "a value without bound");
    for (const char c : **member) expect(static_cast<unsigned char>(c) >= 32 && c != 127, "a control character in a value");
  }
  for (const auto* port : {&attributes.port, &attributes.destport}) {
    if (*port && !(*port)->empty()) expect(base::to_number(**port).value_or(65536) <= 65535, "a port that is none");
  }
}

void run(std::string_view bytes) {
  const auto attributes = smtp::parse_xclient(bytes);
  if (!attributes) {
    expect(attributes.error().permanent() && check_replies(attributes.error().wire()) == 1, "refused with strange words");
    return;
  }
  check_values(*attributes);
  const std::string argument = smtp::xclient_argument(*attributes, smtp::kXclientNames);
  check_commands("XCLIENT " + argument + "\r\n", 8192);
  const auto again = smtp::parse_xclient(argument);
  expect(again.has_value(), "what we say is not understood");
  expect_equal(text_of(*again), text_of(*attributes), "what we say is understood as something else");
  // A server behind that takes names nobody knows, and some of ours twice.
  check_commands("XCLIENT " + smtp::xclient_argument(*attributes, bytes) + "\r\n", 1 << 20);
  for (const auto word : base::split(bytes, ' ')) {
    static_cast<void>(smtp::is_notify(word) || smtp::is_envid(word) || smtp::is_orcpt(word, true));
  }
}

[[maybe_unused]] const bool kRegistered = add({"xclient", &run});

}  // namespace
}  // namespace holdfast::fuzz
