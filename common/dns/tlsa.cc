#include "common/dns/tlsa.h"

#include <algorithm>

#include <fmt/format.h>

namespace holdfast::dns {
namespace {

constexpr std::size_t kHead = 3, kSha256 = 32, kSha512 = 64;
constexpr std::size_t kMostRecords = 32;  // of one server: more are not looked at

}  // namespace

std::optional<Tlsa> read_tlsa(std::string_view data) {
  if (data.size() < kHead) return std::nullopt;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(data[at]); };
  return Tlsa{byte(0), byte(1), byte(2), std::string(data.substr(kHead))};
}

bool usable(const Tlsa& record) {
  if (record.usage != 2 && record.usage != 3) return false;
  if (record.selector > 1) return false;
  switch (record.matching) {
    case 0: return !record.data.empty();
    case 1: return record.data.size() == kSha256;
    case 2: return record.data.size() == kSha512;
    default: return false;
  }
}

std::string tlsa_name(std::string_view host, std::uint16_t port) { return fmt::format("_{}._tcp.{}", port, host); }

Dane dane_of(const Answer<Tlsa>& answer, std::string base) {
  Dane out{.base = std::move(base)};
  if (answer.status == Status::kFailed) {
    out.rule = Dane::Rule::kUnknown;
    out.why = answer.why;
  } else if (answer.status == Status::kFound && answer.secure) {
    std::ranges::copy_if(answer.found, std::back_inserter(out.records), usable);
    if (out.records.size() > kMostRecords) out.records.resize(kMostRecords);
    out.rule = out.records.empty() ? Dane::Rule::kEncrypt : Dane::Rule::kVerify;
  }
  return out;
}

}  // namespace holdfast::dns
