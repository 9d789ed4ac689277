// Addresses and paths: what is understood is clean, within its bounds, and understood again as the same; keys are the
// same for what is the same recipient.
#include <algorithm>

#include "common/base/panic.h"
#include "common/mail/address.h"
#include "fuzz/target.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using mail::Address;

bool clean(std::string_view text, bool utf8) {
  return std::ranges::none_of(text, [utf8](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 32 || byte == 127 || (byte > 127 && !utf8);
  });
}

// Outside of quotes nothing may stand that means something to a parser of paths.
void check_local(std::string_view local) {
  expect(!local.empty() && local.size() <= mail::kMaxLocal, "a local part out of its bounds");
  if (local.front() != '"') {
    return expect(local.find_first_of("<>()[],;:\\\"@ ") == std::string_view::npos, "a local part that needs quotes");
  }
  expect(local.size() >= 2 && local.back() == '"', "a quoted string without its end");
  for (std::size_t i = 1; i + 1 < local.size(); ++i) {
    expect(local[i] != '"', "a quote in the middle of a quoted string");
    if (local[i] == '\\') expect(++i + 1 < local.size(), "a quoted string that ends in a backslash");
  }
}

void check_domain(std::string_view domain) {
  expect(!domain.empty() && domain.size() <= mail::kMaxDomain, "a domain out of its bounds");
  expect(domain.find_first_of("<>()\"\\,; @") == std::string_view::npos || domain.front() == '[', "a domain that is none");
  expect((domain.front() == '[') == (domain.back() == ']'), "half a literal");
}

void check_keys(const Address& address, std::string_view delimiter) {
  const std::string key = mail::recipient_key(address, delimiter);
  expect(!key.empty() && key.size() < 500, "a key out of its bounds");
  const auto again = mail::parse_address(key, true);
  if (again) expect_equal(mail::recipient_key(*again, delimiter), key, "a key has another key");
  Address shouting = address;
  const auto up = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  std::ranges::transform(shouting.local, shouting.local.begin(), up);
  expect_equal(mail::recipient_key(shouting, delimiter), key, "capitals make another recipient");
}

void check(const Address& address, bool utf8) {
  expect(clean(address.text(), utf8), "a strange byte in an address");
  expect(utf8 || address.ascii(), "an address that is not ASCII");
  check_local(address.local);
  check_domain(address.domain);
  const auto again = mail::parse_address(address.text(), utf8);
  expect(again && *again == address, "an address is another when it is read again");
  std::string_view rest = "?";
  const std::string path = "<" + address.text() + "> X";
  const auto in_path = mail::parse_path(path, {.utf8 = utf8}, rest);
  expect(in_path && *in_path == address && rest == " X", "an address is another in a path");
  for (const std::string_view delimiter : {"", "+", "+-"}) check_keys(address, delimiter);
  static_cast<void>(mail::is_one_time_address(address));
}

void run(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t flags = input.byte();
  const bool utf8 = (flags & 1) > 0;
  const auto text = input.rest();
  if (const auto address = mail::parse_address(text, utf8)) {
    expect(address->text() == text, "an address is not what was written");
    check(*address, utf8);
  }
  std::string_view rest;
  const mail::PathRules rules{.allow_null = (flags & 2) > 0, .allow_postmaster = (flags & 4) > 0, .utf8 = utf8};
  const auto path = mail::parse_path(text, rules, rest);
  if (!path) return;
  expect(text.ends_with(rest) && rest.size() + 2 <= text.size(), "a path that ends outside of what was given");
  if (path->null()) return expect(rules.allow_null && text.starts_with("<>"), "a null path out of nothing");
  if (path->domain.empty()) return expect(rules.allow_postmaster && path->local.size() == 10, "a domain is missing");
  expect(text.substr(0, text.size() - rest.size()).ends_with(path->text() + ">"), "a path's address is not what was written");
  check(*path, utf8);
}

[[maybe_unused]] const bool kRegistered = add({"address", &run});

}  // namespace
}  // namespace holdfast::fuzz
