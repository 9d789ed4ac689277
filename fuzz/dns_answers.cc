// Record data out of DNS answers: names are names of hosts, and nothing but what the bytes say.
#include <optional>

#include "common/base/panic.h"
#include "common/dns/answers.h"
#include "common/dns/tlsa.h"
#include "fuzz/target.h"

namespace holdfast::fuzz {
namespace {

using base::expect;

// An uncompressed name that takes all of `data`, label by label (RFC 1035 section 3.1), lower case.
std::optional<std::string> name_of(std::string_view data) {
  std::string out;
  for (;;) {
    if (data.empty()) return std::nullopt;
    const std::size_t length = static_cast<std::uint8_t>(data[0]);
    if (length == 0) break;
    if (length > 63 || data.size() < 1 + length) return std::nullopt;
    if (!out.empty()) out += '.';
    for (const char c : data.substr(1, length)) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    data.remove_prefix(1 + length);
  }
  return data.size() == 1 ? std::optional(out) : std::nullopt;
}

void check_host(std::string_view host) {
  expect(host.size() <= 253, "a name too long");
  expect(host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string_view::npos, "a name that no host has");
  expect(!host.starts_with('.') && !host.ends_with('.') && host.find("..") == std::string_view::npos, "an empty label");
}

// RFC 6698 section 2.1; what of it mail can use: RFC 7672 section 3.1.
void check_tlsa(std::string_view bytes) {
  const auto record = dns::read_tlsa(bytes);
  expect(record.has_value() == (bytes.size() >= 3), "a TLSA record of another size");
  if (!record) return;
  const std::string again{static_cast<char>(record->usage), static_cast<char>(record->selector), static_cast<char>(record->matching)};
  expect_equal(again + record->data, bytes, "another TLSA record than the answer's");
  const std::size_t size = record->data.size();
  const bool fits = record->matching == 0 ? size > 0 : (record->matching == 1 && size == 32) || (record->matching == 2 && size == 64);
  const bool good = (record->usage == 2 || record->usage == 3) && record->selector <= 1 && fits;
  expect(dns::usable(*record) == good, "a TLSA record is used that cannot be, or the other way round");
  const auto dane = dns::dane_of({.status = dns::Status::kFound, .found = {*record, *record}, .secure = bytes.size() % 2 > 0}, "mx.test");
  using Rule = dns::Dane::Rule;
  const Rule wanted = bytes.size() % 2 == 0 ? Rule::kNone : good ? Rule::kVerify : Rule::kEncrypt;
  expect(dane.rule == wanted && dane.records.size() == (wanted == Rule::kVerify ? 2U : 0U), "records rule otherwise than they may");
}

void run(std::string_view bytes) {
  check_tlsa(bytes);
  if (const auto mx = dns::read_mx(bytes)) {
    check_host(mx->host);
    expect(name_of(bytes.substr(2)) == mx->host, "an MX with another name");
    expect(mx->preference == (static_cast<std::uint8_t>(bytes[0]) << 8 | static_cast<std::uint8_t>(bytes[1])), "another preference");
  }
  if (const auto host = dns::read_host(bytes)) {
    expect(!host->empty(), "the root is no host");
    check_host(*host);
    expect(name_of(bytes) == *host, "another name than the answer's");
  }
  const auto address = dns::read_address(bytes, 25);
  expect(address.has_value() == (bytes.size() == 4 || bytes.size() == 16), "an address of another size");
  if (address) {
    const auto again = net::SocketAddress::ip(address->host(), 25);
    expect(again && *again == *address, "an address that cannot be told");
  }
  if (const auto name = dns::ascii_name(bytes)) {
    expect(!name->empty(), "a domain without a name");
    check_host(*name);
    expect(dns::ascii_name(*name) == *name, "a name that has another name");
  }
}

[[maybe_unused]] const bool kRegistered = add({"dns_answers", &run});

}  // namespace
}  // namespace holdfast::fuzz
