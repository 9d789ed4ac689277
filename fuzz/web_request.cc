// What a browser, or somebody who is none, asks webd for: targets, cookies, bearer tokens. The reference decodes octet by
// octet from the front, and shares nothing with webd/http.cc.
#include <algorithm>
#include <string>
#include <vector>

#include "common/base/panic.h"
#include "fuzz/target.h"
#include "webd/http.h"

namespace holdfast::fuzz {
namespace {

using base::expect;

std::string escaped(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    out += {'%', kDigits[octet >> 4], kDigits[octet & 15]};
  }
  return out;
}

std::string spelled(const webd::Target& target) {
  std::string out;
  for (const auto& part : target.path) out += "/" + escaped(part);
  char before = '?';
  for (const auto& [name, value] : target.query) {
    out += before + escaped(name) + "=" + escaped(value);
    before = '&';
  }
  return out;
}

// Counts what of the target is a part of its path.
std::size_t parts_of(std::string_view bytes) {
  const auto end = std::min(bytes.find('?'), bytes.find('#'));
  return static_cast<std::size_t>(std::ranges::count(bytes.substr(0, end), '/'));
}

void check_target(std::string_view bytes) {
  const auto target = webd::parse_target(bytes);
  if (!target) return;
  expect(bytes.starts_with('/'), "a target that is not absolute");
  expect(target->path.size() == parts_of(bytes), "other parts than there are");
  expect(target->query.size() <= 64, "parameters without bound");
  for (const auto& part : target->path) {
    expect(part != ".." && part != ".", "a part that climbs");
    expect(part.find('\0') == part.npos, "a zero byte");
    expect(part.size() <= bytes.size(), "a part that grew");
  }
  const auto again = webd::parse_target(spelled(*target));
  expect(again.has_value(), "spelled out it is none");
  expect(again->path == target->path && again->query == target->query, "spelled out it is another");
}

// The first pair of that name between semicolons.
void check_cookie(std::string_view header) {
  const auto found = webd::cookie(header, "holdfast");
  if (found) {
    expect(found->find(';') == found->npos, "a cookie with its neighbour");
    expect(header.find("holdfast=" + *found) != header.npos, "a cookie that nobody sent");
  }
  expect(webd::cookie("holdfast=first; " + std::string(header), "holdfast") == "first", "a later cookie goes before the first");
  if (const auto token = webd::bearer(header)) {
    expect(header.find(*token) != header.npos, "a token that nobody sent");
    expect(token->empty() || (token->front() != ' ' && token->back() != ' '), "a token with blanks around it");
  }
}

void run(std::string_view bytes) {
  check_target(bytes);
  check_target("/" + std::string(bytes));
  check_cookie(bytes);
}

[[maybe_unused]] const bool kRegistered = add({"web_request", &run});

}  // namespace
}  // namespace holdfast::fuzz
